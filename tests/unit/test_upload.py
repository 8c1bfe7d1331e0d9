"""What a file is, what it is called, which days it speaks of, and what is due when."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.criteria import criteria
from collector.engagement import Examination, Terms
from collector.errors import QueryError
from collector.model import Period
from collector.tag import ControlSet
from collector.upload import Uploaded, effective_period, expected, file_type, media_types, safe_name

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
HALF = Terms(Examination.TYPE_II, Period(START, END), ("CC6.2",))
DAY = timedelta(days=1)


def office(*names):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return data.getvalue()


XLSX = office("[Content_Types].xml", "xl/workbook.xml")
DOCX = office("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.pdf", b"%PDF-1.7\n...", "pdf"),
        ("a.PNG", b"\x89PNG\r\n\x1a\n...", "png"),
        ("a.jpg", b"\xff\xd8\xff\xe0...", "jpeg"),
        ("scan", b"\xff\xd8\xff\xe0...", "jpeg"),
        ("a.xlsx", XLSX, "xlsx"),
        ("a.docx", DOCX, "docx"),
        ("a.csv", b"name,role\nana,admin\n", "csv"),
        ("a.json", b'{"a": 1}', "json"),
        ("a.txt", b"minutes of the board", "txt"),
        ("a.txt", b'{"a": 1}', "txt"),
        ("a.md", "ütf".encode(), "txt"),
        ("a.eml", b"Received: by x\r\n\tfolded\r\nFrom: a@x\r\n\r\nhello", "eml"),
        ("note", b"From: a@x\n\nhello", "eml"),
        ("note", b"minutes", "txt"),
    ],
)
def test_a_file_is_what_its_content_says(name, data, kind):
    assert file_type(data, name) == kind
    assert kind in media_types()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", b"\x89PNG\r\n\x1a\n..."),
        ("a.txt", b"%PDF-1.7"),
        ("a.exe", b"MZ\x90\x00"),
        ("a", b"MZ\x90\x00"),
        ("a.html", b"<script>alert(1)</script>"),
        ("a.svg", b"<svg onload='x'/>"),
        ("a.json", b"{not json"),
        ("a.eml", b"hello"),
        ("a.csv", b"a,b\n\x00\x01"),
        ("a.txt", "naïve".encode("latin-1")),
        ("a.txt", b"  \n"),
        ("a.xlsx", office("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")),
        ("a.xlsx", DOCX),
        ("a.zip", office("a.txt")),
        ("a.docx", b"PK\x03\x04 cut short"),
    ],
)
def test_what_is_no_such_file_or_is_named_otherwise_is_refused(name, data):
    with pytest.raises(QueryError):
        file_type(data, name)


@given(data=st.binary(max_size=80), name=st.text(max_size=12))
def test_any_bytes_get_a_type_or_a_refusal_and_never_a_crash(data, name):
    try:
        assert file_type(data, name) in media_types()
    except QueryError as error:
        assert error.hint()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("review.pdf", "review.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("=HYPERLINK(1).csv", "HYPERLINK(1).csv"),
        ("+-@a.csv", "a.csv"),
        ("a\u202egnp.exe", "a_gnp.exe"),
        ("a\x00b\nc.txt", "a_b_c.txt"),
        ("CON.txt", "_CON.txt"),
        ("...", "file"),
        ("", "file"),
        ('a<b>:"c"|d?.pdf', "a_b___c__d_.pdf"),
    ],
)
def test_a_name_is_stored_so_that_it_harms_nobody(name, safe):
    assert safe_name(name) == safe


@given(name=st.text(max_size=300))
def test_every_name_becomes_one_short_printable_name(name):
    safe = safe_name(name)
    assert safe.isprintable()
    assert 0 < len(safe) <= 120
    assert safe[0] not in "=+-@./\\"
    assert not set(safe) & set('/\\<>:"|?*')
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-01-01..2026-03-31", "2026-01-01", "2026-04-01"),
        ("2026-02-28", "2026-02-28", "2026-03-01"),
        (" 2026-01-01 .. 2026-01-01 ", "2026-01-01", "2026-01-02"),
    ],
)
def test_both_days_are_included(text, start, end):
    found = effective_period(text)
    assert [found.start.date().isoformat(), found.end.date().isoformat()] == [start, end]


@pytest.mark.parametrize("text", ["", "..", "2026-01-01..", "2026-03-31..2026-01-01", "Q1", "2026-13-01"])
def test_what_are_no_days_is_refused(text):
    with pytest.raises(QueryError, match="no days"):
        effective_period(text)


def controls(**more):
    said = {"id": "AC-07", "title": "Access is reviewed by its owners", "criteria": ["CC6.2"], "upload": "quarterly"}
    return ControlSet.of({"controls": [{**said, **more}]})


def test_a_quarterly_control_expects_one_upload_in_each_quarter():
    uploads = [Uploaded(9, "AC-07", Period(START + 40 * DAY, START + 41 * DAY)), Uploaded(10, "XX", HALF.period)]
    first, second = expected(controls(), HALF, uploads, START + 100 * DAY)
    assert (first.uploads, first.state, first.period.end) == ((9,), "there", datetime(2026, 4, 1, tzinfo=UTC))
    assert (second.uploads, second.state, second.period.end) == ((), "awaited", END)
    assert [each.state for each in expected(controls(), HALF, [], END)] == ["missing", "missing"]


def test_a_control_expects_nothing_while_it_is_not_in_force():
    found = expected(controls(**{"from": "2026-04-01"}), HALF, [], START)
    assert [each.period for each in found] == [Period(datetime(2026, 4, 1, tzinfo=UTC), END)]


def test_a_control_of_other_criteria_or_not_in_scope_expects_nothing():
    assert expected(controls(criteria=["CC7.1"]), HALF, [], START) == []
    narrow = Terms(Examination.TYPE_II, HALF.period, ("CC6.2",), controls=("BC-01",))
    assert expected(controls(), narrow, [], START) == []


def test_a_criterion_that_no_api_shows_is_named_even_where_no_control_asks_for_it():
    terms = Terms(Examination.TYPE_II, HALF.period, ("CC1.2", "CC6.1"))
    answering = controls(criteria=["CC1.2"], kinds=["paper.*"], upload="")
    [found] = expected(answering, terms, [], END)
    assert (found.control, found.criteria, found.state) == ("", ("CC1.2",), "missing")
    uploads = [Uploaded(3, "AC-07", HALF.period)]
    assert [each.state for each in expected(answering, terms, uploads, END)] == ["there"]


def test_without_criteria_all_that_no_api_shows_is_expected():
    every = Terms(Examination.TYPE_II, HALF.period)
    found = {each.criteria for each in expected(ControlSet(()), every, [], START)}
    assert found == {(name,) for name, each in criteria().items() if not each.api_evidence}


@given(first=st.integers(0, 500), days=st.integers(1, 800), upload=st.sampled_from(["monthly", "quarterly", "yearly"]))
def test_the_spans_of_a_cadence_are_the_period_without_gap_or_overlap(first, days, upload):
    period = Period(START + first * DAY, START + (first + days) * DAY)
    found = [
        each.period
        for each in expected(controls(upload=upload), Terms(HALF.examination, period, ("CC6.2",)), [], START)
    ]
    assert (found[0].start, found[-1].end) == (period.start, period.end)
    assert all(before.end == after.start for before, after in pairwise(found))

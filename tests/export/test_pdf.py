"""PDFs say what the pages say, in pages that are counted; text is text, and the same content gives the same bytes."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.act import Act, ActKind
from collector.ask.coverage import Row
from collector.ask.sheet import sheet_of
from collector.coverage import Gap, Tally
from collector.errors import IntegrityError
from collector.export import sheet_pdf
from collector.export.pdf import legible
from collector.export.pdf_summary import MOST
from collector.export.pdfs import summary_pdf
from collector.model import Outcome, Period, Reason, Subject
from collector.verify import prove
from tests.export.conftest import facts, members
from tests.verify.conftest import HOUR, NOON, USERS

UNSEEN = re.compile("[\u0000-\u0008\u000b-\u001f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def read(data):
    return pypdf.PdfReader(io.BytesIO(data))


def text(data):
    """Return the text of all pages, on one line."""
    return " ".join(" ".join(page.extract_text().split()) for page in read(data).pages)


def gap(cause="the daemon was not running", at=0):
    start = NOON + at * HOUR
    return Gap(USERS, Period(start, start + HOUR), Outcome.FAILED, Reason.DENIED, cause, 1, ("9-1",))


@pytest.fixture(scope="module")
def sheet(whole):
    [run] = whole.store.runs(None, kind="paper.users", limit=1)
    found = sheet_of(whole.store, run.id, now=NOON + timedelta(days=40))
    return found, prove(whole.store, f"run:{run.id}").proof


def test_the_summary_of_a_bundle_has_what_the_page_has(bundle):
    said = text(members(bundle)["data/summary.pdf"])
    for wanted in ("EVIDENCE SUMMARY", "SOC 2 Type II", "Coverage by criterion", "Populations", "Samples", "Gaps"):
        assert wanted in said
    assert "<b>paper.users</b>" in said and "<i>Bea</i>" in said and not UNSEEN.search(said)


def test_it_says_what_signs_it_and_what_does_not(bundle):
    said = text(members(bundle)["data/summary.pdf"])
    assert "Nothing signs this page." in said and re.search(r"Checkpoint \d+ signs the root over all \d+ leaves", said)


def test_every_page_is_counted():
    made = read(summary_pdf(facts(gaps=[gap(at=at) for at in range(120)])))
    assert len(made.pages) > 2
    for number, page in enumerate(made.pages, 1):
        assert f"{number} of {len(made.pages)}" in page.extract_text()


def test_gaps_are_there_with_cause_and_outcome():
    said = text(summary_pdf(facts(gaps=[gap("iam.ListUsers was denied")])))
    assert "failed: denied" in said and "iam.ListUsers was denied" in said and "2026-03-14T12:00:00Z" in said


def test_more_gaps_than_it_shows_are_counted_and_it_says_where_they_are():
    said = text(summary_pdf(facts(gaps=[gap(at=at) for at in range(MOST + 1)])))
    assert f"The first {MOST} of {MOST + 1} are shown; index.xlsx has all." in said


def test_the_calendar_has_a_cell_for_each_day_by_how_it_went():
    full, lost = Tally(due=2, collected=2), Tally(due=2, missed=2)
    one = summary_pdf(facts(days=[Row("2026-03-14", "", full), Row("2026-03-15", "", lost)]))
    two = summary_pdf(facts(days=[Row("2026-03-14", "", full), Row("2026-03-15", "", full)]))
    drawn = [read(data).pages[0].get_contents().get_data() for data in (one, two)]
    assert drawn[0] != drawn[1]
    assert "all collected" in text(one) and "none collected" in text(one)


def test_the_same_facts_give_the_same_bytes_whatever_the_environment(monkeypatch):
    first = summary_pdf(facts(gaps=[gap()]))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert summary_pdf(facts(gaps=[gap()])) == first


def test_a_file_is_dated_by_what_it_is_of():
    at = datetime(2026, 4, 3, 12, 30, tzinfo=UTC)
    assert read(summary_pdf(facts(head_at=at))).metadata.creation_date == at


def test_hostile_text_is_text():
    cause = "<img src='file:///etc/passwd'/><b>x</b>&amp;\u202egnp.exe\u200b\x00"
    said = text(summary_pdf(facts(gaps=[gap(cause)], name="<para>%s")))
    assert "<imgsrc='file:///etc/passwd'/><b>x</b>&amp;\\u202egnp.exe\\u200b\\u0000" in said.replace(" ", "")
    assert "<para>%s" in said and not UNSEEN.search(said)


def test_a_cause_of_ten_megabytes_takes_a_page_and_no_more():
    assert len(read(summary_pdf(facts(gaps=[gap("x" * 10_000_000)]))).pages) < 6


def test_letters_that_the_font_lacks_are_escapes_and_none_is_dropped():
    for name in ("Ana Łuc", "Ağa Čapek", "Nguyễn", "Παπάς", "Їжак Иванов"):
        assert legible(name) == name
    assert legible("漢字 😀") == "\\u6f22\\u5b57 \\U0001f600"


@pytest.mark.parametrize("text", ["x" * 10_000_000, "漢" * 100_000, "\u202e" * 100_000, "W " * 100_000])
def test_text_of_any_length_fits_wherever_it_stands(text):
    """A page that cannot hold a row would end an export."""
    rows = {by: [Row(text, text, Tally(due=1))] for by in ("criterion", "control", "kind", "source")}
    hostile = gap(text)._replace(subject=Subject(text, text, text))
    said = {"kind": text, "seed": text, "method": text, "size": text, "among": text}
    acts = [Act(1, kind, 1, 1, said, b"d" * 32, b"a" * 32, (), text, NOON, 1) for kind in ActKind]
    assert summary_pdf(replace(facts(gaps=[hostile], name=text, **rows), acts=acts)).startswith(b"%PDF-")


@given(st.text())
def test_any_text_is_written_in_letters_that_can_be_seen(given_text):
    made = legible(given_text)
    assert not UNSEEN.search(made) and made.isprintable() and 2_004 >= len(made) >= min(len(given_text), 2_000)


@given(st.text(max_size=200))
def test_any_text_makes_a_file(given_text):
    assert summary_pdf(facts(gaps=[gap(given_text)], name=given_text)).startswith(b"%PDF-")


def test_the_sheet_of_a_run_has_the_run_the_counts_the_clocks_and_the_proof(sheet):
    found, proof = sheet
    said = text(sheet_pdf(found, proof))
    bare = said.replace(" ", "")
    for wanted in ("Where from", "With which query", "What came of it", "The three clocks", "ours at storing"):
        assert wanted in said
    assert f"Run {found.run.id}" in said and f"{found.run.counts.items:,}" in said
    assert found.run.population.hex() in bare and proof.root.hex() in bare
    assert f"{proof.branch.index} of a log of {proof.branch.size} leaves" in said
    assert "signed by" in said and all(each.hex() in bare for each in proof.branch.path)


def test_the_same_run_and_proof_give_the_same_sheet(sheet):
    assert sheet_pdf(*sheet) == sheet_pdf(*sheet)
    assert read(sheet_pdf(*sheet)).metadata.creation_date == sheet[0].run.recorded.replace(microsecond=0)


def test_the_proof_of_another_run_is_refused(sheet, whole):
    other = prove(whole.store, "run:1-0").proof
    with pytest.raises(IntegrityError, match="that is the proof of run 1-0"):
        sheet_pdf(sheet[0], other)

"""index.xlsx shows what index.csv shows, as text that stays text, within what a spreadsheet can hold."""

from __future__ import annotations

import csv
import io
import time
import zipfile

import openpyxl
import pytest

from collector.canonical import digest
from collector.export.verifier import shown_key
from collector.export.workbook import MOST_ROWS, Workbook
from tests.export.conftest import HOSTILE, facts, members


@pytest.fixture(scope="module")
def book(bundle):
    return openpyxl.load_workbook(io.BytesIO(members(bundle)["data/index.xlsx"]))


def rows(sheet):
    head, *body = sheet.iter_rows(values_only=True)
    return [dict(zip(head, (each or "" for each in row), strict=True)) for row in body]


def named(key):
    return ["paper:hq", "paper.users", "site", key, *[""] * 6]


def written(*parts, acts=(), **more):
    """Return the workbook whose index has the rows *parts*, as bytes."""
    with Workbook(facts(), **more) as made:
        for each in parts:
            made.add(each)
        return b"".join(made.parts(acts, ("act",)))


def test_the_index_has_the_rows_of_index_csv(bundle, book):
    table = csv.DictReader(io.StringIO(members(bundle)["data/index.csv"].decode(), newline=""))
    plain = [{name: value.removeprefix("'") for name, value in row.items()} for row in table]
    assert rows(book["Index"]) == plain


def test_no_cell_is_a_formula_or_a_link_and_every_text_keeps_being_text(book):
    for sheet in book:
        for cell in (each for row in sheet.iter_rows() for each in row):
            assert cell.data_type in ("s", "inlineStr", "n") and cell.hyperlink is None
            assert isinstance(cell.value, int) or cell.value is None or cell.quotePrefix
    keys = {row["key"] for row in rows(book["Index"])}
    assert {"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "../../etc/passwd", "<script>alert(1)</script>"} <= keys


def test_what_nobody_can_see_is_an_escape(book):
    keys = {row["key"] for row in rows(book["Index"])}
    assert {shown_key(text, digest(text.encode()).hex()) for text in HOSTILE} <= keys
    for sheet in book:
        for cell in (each for row in sheet.iter_rows(values_only=True) for each in row):
            assert not isinstance(cell, str) or (cell.isprintable() and len(cell) < 32_767)


def test_it_has_coverage_gaps_and_acts_beside_the_index(book, bundle):
    assert book.sheetnames == ["About", "Index", "Coverage", "Gaps", "Acts"]
    acts = list(csv.DictReader(io.StringIO(members(bundle)["data/acts.csv"].decode(), newline="")))
    assert [row["document_sha256"] for row in rows(book["Acts"])] == [row["document_sha256"] for row in acts]


def test_nothing_in_it_runs_or_is_loaded_from_elsewhere(bundle):
    with zipfile.ZipFile(io.BytesIO(members(bundle)["data/index.xlsx"])) as file:
        for name in file.namelist():
            text = file.read(name).decode()
            assert "<f>" not in text and "<hyperlink" not in text and 'TargetMode="External"' not in text
            assert "vba" not in name.lower()


def test_it_is_the_same_bytes_whatever_the_time_zone_of_the_machine(monkeypatch):
    made = set()
    for zone in ("UTC", "America/Los_Angeles", "Asia/Kolkata"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        made.add(written(named("ana")))
    monkeypatch.undo()
    time.tzset()
    monkeypatch.undo()
    time.tzset()
    assert len(made) == 1


def test_it_is_dated_by_the_last_leaf(book, bundle):
    assert book.properties.created.isoformat() + "Z" in members(bundle)["data/summary.html"].decode()


def test_a_text_that_a_reader_would_take_for_an_escape_is_shown_as_it_is():
    """A workbook writes A as _x0041_ too; a key of those characters is no A."""
    with zipfile.ZipFile(io.BytesIO(written(named("_x0041_")))) as file:
        assert "_x005F_x0041_" in file.read("xl/worksheets/sheet2.xml").decode()


def test_a_cell_of_ten_megabytes_is_cut_and_the_workbook_says_so():
    book = openpyxl.load_workbook(io.BytesIO(written(named("x" * 10_000_000))))
    [row] = rows(book["Index"])
    assert 32_000 <= len(row["key"]) <= 32_767 and row["key"].endswith("x\\...")
    assert "Index: 1 cells were cut to 32,000 characters" in {row[1] for row in book["About"].values}


def test_more_rows_than_a_sheet_holds_are_left_out_and_the_workbook_says_so():
    book = openpyxl.load_workbook(io.BytesIO(written(*(named(str(at)) for at in range(9)), most=4)))
    assert [row["key"] for row in rows(book["Index"])] == ["0", "1", "2"]
    assert any("Index: 6 rows more" in row[1] for row in book["About"].values)


def test_a_sheet_holds_as_many_rows_as_excel_opens():
    assert MOST_ROWS == 2**20

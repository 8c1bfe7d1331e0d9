"""index.xlsx: the index and what is missing from it, as a workbook that runs nothing and loads nothing.

Every cell of text is written as text, with the mark that keeps it text when somebody edits it. What cannot be seen is
an escape. Rows go to a file as they come, so that the memory is that of one row; the same rows give the same bytes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from collector import __version__
from collector.clock import iso
from collector.coverage import Gap
from collector.export.facts import Facts
from collector.export.verifier import INDEX, shown
from collector.words import fell_short

MOST_ROWS = 1_048_576
"""Rows of a sheet, as many as Excel opens."""
_LONGEST = 32_000  # of 32,767 characters; what is longer is cut, and ends in a backslash and three dots
_BLOCK = 1 << 20
_ESCAPED = re.compile("_(x[0-9a-fA-F]{4}_)")
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_TALLY = ("due", "collected", "changed", "unchanged", "empty", "failed", "missed", "excluded", "gaps")
_COVERAGE = ("by", "name", "title", *_TALLY, "longest_gap_seconds")
_GAPS = ("from", "to", "source", "kind", "scope", "outcome", "slots", "cause", "runs", "ended_by")
_WIDTHS = {"key": 44, "title": 52, "cause": 64, "name": 30, "artifact_sha256": 66, "key_sha256": 66, "file": 88}
_WIDTHS |= {"document_sha256": 66, "source": 18, "kind": 32, "scope": 24, "runs": 24, "what": 24, "value": 96}
_USUAL_WIDTH, _TIMES_WIDTH = 13, 25
_TIMES = ("since", "until", "from", "to", "at")


class Workbook:
    """A workbook that grows row by row. Use it as a context: what it keeps on the way is gone at the end."""

    def __init__(self, facts: Facts, most: int = MOST_ROWS) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="evidenced-")
        self._path = Path(self._folder.name) / "index.xlsx"
        self._facts, self._most = facts, most
        self._cut: list[str] = []
        self._book = xlsxwriter.Workbook(str(self._path), {**_OPTIONS, "tmpdir": self._folder.name})
        self._book.set_size(2400, 1400)
        created = facts.head.at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        title = f"Index of {shown(facts.engagement.name)}"
        self._book.set_properties({"title": title, "author": f"evidenced {__version__}", "created": created})
        self._text = self._book.add_format({"quote_prefix": True, "valign": "top"})
        self._figure = self._book.add_format({"num_format": "#,##0", "valign": "top"})
        self._heading = self._book.add_format(
            {"quote_prefix": True, "bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3A5F", "valign": "vcenter"}
        )
        self._about = self._book.add_worksheet("About")
        self._index = self._sheet("Index", INDEX)

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, row: Sequence[str]) -> None:
        """Add a row of the index, as index.csv has it."""
        # What stands before a formula in a table of text is in the way where cells have a type.
        self._index.add([*(each.removeprefix("'") for each in row[:4]), *row[4:]])

    def parts(self, acts: Iterable[Sequence[str]], columns: Sequence[str]) -> Iterator[bytes]:
        """Yield the file, once it has the sheets of coverage, gaps and *acts*: rows under *columns*, as in acts.csv."""
        self._fill("Coverage", _COVERAGE, _coverage_rows(self._facts))
        self._fill("Gaps", _GAPS, map(_gap_row, self._facts.coverage.gaps))
        self._fill("Acts", columns, ([each.removeprefix("'") for each in row] for row in acts))
        self._note("Index", self._index)
        self._write_about()
        self._book.close()
        with self._path.open("rb") as file:
            yield from iter(lambda: file.read(_BLOCK), b"")

    def _fill(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        sheet = self._sheet(name, columns)
        for row in rows:
            sheet.add(row)
        self._note(name, sheet)

    def _sheet(self, name: str, columns: Sequence[str]) -> _Sheet:
        sheet: Worksheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for at, column in enumerate(columns):
            width = _TIMES_WIDTH if column in _TIMES else _WIDTHS.get(column, _USUAL_WIDTH)
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, column, self._heading)
        return _Sheet(sheet, self._text, self._figure, self._most)

    def _note(self, name: str, sheet: _Sheet) -> None:
        sheet.end()
        if sheet.left_out:
            self._cut.append(f"{name}: {sheet.left_out:,} rows more than a sheet can hold are not here, but in the CSV")
        if sheet.shortened:
            self._cut.append(f"{name}: {sheet.shortened:,} cells were cut to {_LONGEST:,} characters")

    def _write_about(self) -> None:
        facts, terms = self._facts, self._facts.engagement.terms
        said = [
            ("engagement", facts.engagement.name),
            ("examination", f"Type {terms.examination.value}"),
            ("period from", iso(terms.period.start)),
            ("period to", f"{iso(terms.period.end)} (not part of it)"),
            ("log", f"{facts.head.origin}: {facts.head.size:,} leaves"),
            ("for reading", "Nothing signs this workbook. index.csv has the same rows, and verify.py checks those."),
            *(("cut", each) for each in self._cut),
            *([] if self._cut else [("cut", "nothing: every row and cell is whole")]),
        ]
        sheet = self._about
        for at, name in enumerate(("what", "value")):
            sheet.set_column(at, at, _WIDTHS[name])
        for at, (name, value) in enumerate(said):
            sheet.write_string(at, 0, name, self._heading)
            sheet.write_string(at, 1, _cell(value), self._text)


class _Sheet:
    """Rows below a heading: as many as a sheet holds; how many were *left_out*, how many cells *shortened*."""

    def __init__(self, sheet: Worksheet, text: Format, figure: Format, most: int) -> None:
        self._sheet, self._text, self._figure, self._most = sheet, text, figure, most
        self._next, self._columns = 1, 0
        self.left_out = self.shortened = 0

    def add(self, row: Sequence[object]) -> None:
        if self._next >= self._most:
            self.left_out += 1
            return
        for at, value in enumerate(row):
            if isinstance(value, int):
                self._sheet.write_number(self._next, at, value, self._figure)
            elif value:
                self.shortened += len(str(value)) > _LONGEST
                self._sheet.write_string(self._next, at, _cell(value), self._text)
        self._next, self._columns = self._next + 1, len(row)

    def end(self) -> None:
        """Let readers filter the rows by what is in a column."""
        if self._columns:
            self._sheet.autofilter(0, 0, self._next - 1, self._columns - 1)


def _cell(value: Any) -> str:
    # A reader of workbooks takes _x0041_ for an escape, and would show an A.
    return _ESCAPED.sub(r"_x005F_\1", shown(str(value), _LONGEST))


def _coverage_rows(facts: Facts) -> Iterator[list[object]]:
    for by, covered in facts.covered.items():
        for row in covered.rows:
            counts = [getattr(row.tally, each) for each in _TALLY]
            yield [by, row.name, row.title, *counts, int(row.tally.longest_gap.total_seconds())]


def _gap_row(gap: Gap) -> list[object]:
    subject = (gap.subject.source, gap.subject.kind, gap.subject.scope)
    times = iso(gap.period.start), iso(gap.period.end)
    return [*times, *subject, fell_short(gap), gap.slots, gap.cause, ", ".join(gap.runs), gap.ended_by]

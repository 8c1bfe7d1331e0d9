"""The sheet of a run on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collector.cli.layout import Part, Table, lines, outline
from collector.export.sheet_sections import Listing, Section, listings, outcome, query, when, where

if TYPE_CHECKING:
    from collector.ask.sheet import Sheet


def sheet(found: Sheet) -> Iterator[Part]:
    """Yield the sheet as lines and tables."""
    yield f"Run {found.run.id}"
    yield from _section(where(found))
    yield from _section(query(found))
    if found.procedure is not None:
        yield ""
        yield from outline(found.procedure, "    ")
    yield from _section(when(found))
    yield from _section(outcome(found))
    for each in listings(found):
        yield ""
        yield _indented(each)


def _section(found: Section) -> Iterator[Part]:
    yield ""
    yield found.title
    yield from lines((f"  {name}", value) for name, value in found.pairs)


def _indented(found: Listing) -> Table:
    columns = [f"  {found.columns[0]}", *found.columns[1:]]
    return Table(columns, [[f"  {first}", *rest] for first, *rest in found.rows], list(found.right))

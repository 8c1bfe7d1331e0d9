"""The good runs around an instant: what an as-of answer rests on, and what still saw it so.

Sweeps are looked through from the instant outwards, by due time, and no further than one could still be nearer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, true

from collector.clock import to_ms
from collector.model import Outcome, Run, Subject
from collector.store.names import Names
from collector.store.searching import LATE_SWEEPS, PROMPT_SWEEPS, run_by_id
from collector.store.sweeps import SweepReader
from collector.store.tables import HOUR_MS, sweep

_FIRST_PAGE = 20
_PAGE = 200


def good_runs_around(
    conn: Connection, names: Names, reader: SweepReader, subject: Subject, at: int
) -> tuple[Run | None, Run | None]:
    """Return the last good run of *subject* that finished at or before *at* (ms), and the next one after."""
    source = names.source(conn, subject.source)
    if source is None or names.subject(conn, subject) is None:
        return None, None
    of, by_end = sweep.c.source == source, sweep.c.finished
    late = and_(of, LATE_SWEEPS)

    def reaches(until: int) -> ColumnElement[bool]:
        # No run ends before the first slot of its sweep was due, unless the clock was set back meanwhile.
        return or_(sweep.c.first_due <= until, sweep.c.due > sweep.c.finished)

    search = _Search(conn, names, reader, subject)
    before = search.best(
        _pages(conn, and_(of, sweep.c.due <= at + HOUR_MS, PROMPT_SWEEPS), sweep.c.due, descending=True),
        fits=lambda finished: finished <= at,
        better=lambda one, other: one > other,
        over=lambda due, best: due < best - HOUR_MS,
    )
    before = search.best(
        _pages(conn, and_(late, sweep.c.finished >= (before[0] if before else 0), reaches(at)), by_end),
        fits=lambda finished: finished <= at,
        better=lambda one, other: one > other,
        over=lambda _due, _best: False,
        known=before,
    )
    after = search.best(
        _pages(conn, and_(of, sweep.c.due > at - HOUR_MS, PROMPT_SWEEPS), sweep.c.due),
        fits=lambda finished: finished > at,
        better=lambda one, other: one < other,
        over=lambda due, best: due > best + HOUR_MS,
    )
    after = search.best(
        _pages(conn, and_(late, sweep.c.finished > at, reaches(after[0]) if after else true()), by_end),
        fits=lambda finished: finished > at,
        better=lambda one, other: one < other,
        over=lambda _due, _best: False,
        known=after,
    )
    return search.run(before), search.run(after)


_Found = tuple[int, int, int]  # finished in ms, sweep, position


class _Search:
    """Looks through sweeps for the good run of one subject that finished nearest to an instant."""

    def __init__(self, conn: Connection, names: Names, reader: SweepReader, subject: Subject) -> None:
        self._conn = conn
        self._names = names
        self._reader = reader
        self._subject = subject

    def best(
        self,
        rows: Iterator[Row[Any]],
        *,
        fits: Callable[[int], bool],
        better: Callable[[_Found, _Found], bool],
        over: Callable[[int, int], bool],
        known: _Found | None = None,
    ) -> _Found | None:
        """Return the best fitting good run among *rows* and *known*; stop once *over* says that none can be better."""
        best = known
        for row in rows:
            if best and over(row.due, best[0]):
                break
            for found in self._good(row):
                if fits(found[0]) and (best is None or better(found, best)):
                    best = found
        return best

    def run(self, found: _Found | None) -> Run | None:
        """Return the run that was found, whole."""
        if found is None:
            return None
        return run_by_id(self._conn, self._names, self._reader, f"{found[1]}-{found[2]}")

    def _good(self, row: Row[Any]) -> Iterator[_Found]:
        sheet = self._reader.sheet(self._conn, row)
        for at, line in enumerate(sheet.lines):
            if line.subject == self._subject:
                outcome = sheet.outcome(at)
                if outcome.outcome is Outcome.COLLECTED:
                    yield to_ms(outcome.finished), row.id, at


def _pages(
    conn: Connection, where: ColumnElement[bool], order: ColumnElement[int], *, descending: bool = False
) -> Iterator[Row[Any]]:
    """Yield the rows of the sweeps *where*, in order of *order* and then id, reading a page at a time."""
    key = (order.desc(), sweep.c.id.desc()) if descending else (order, sweep.c.id)
    page = _FIRST_PAGE
    more: ColumnElement[bool] = true()
    while True:
        rows = conn.execute(select(sweep).where(where, more).order_by(*key).limit(page)).all()
        yield from rows
        if len(rows) < page:
            return
        last = rows[-1]
        value, number = getattr(last, order.key or "id"), last.id
        further = order < value if descending else order > value
        beyond = sweep.c.id < number if descending else sweep.c.id > number
        more, page = or_(further, and_(order == value, beyond)), _PAGE

"""Find sweeps and runs: by period, newest first, and the good runs around an instant.

A sweep nearly always ends within the hour after its slots were due, so the index by due time finds it. The few that
were late have an index of their own (`ix_sweep_late`), and both are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Row, and_, func, literal_column, or_, select, true

from collector.clock import to_ms
from collector.errors import QueryError
from collector.model import Outcome, Period, Run, Subject, Trigger
from collector.store.names import Names
from collector.store.records import RunOutcome, SweepRecord
from collector.store.sweeps import SweepReader
from collector.store.tables import HOUR_MS, LATE, missed, sweep

_PAGE = 200
_RUN_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
Reading = Callable[[], AbstractContextManager[Connection]]
# Word for word the condition of the index, or it would not be used.
_LATE = literal_column(f"({LATE})", Boolean)
_PROMPT = literal_column(f"(NOT ({LATE}))", Boolean)
_ACCOUNTING = (Trigger.SCHEDULE.value, Trigger.CATCH_UP.value)


def sweeps_between(
    reading: Reading, names: Names, reader: SweepReader, period: Period, source: str | None
) -> Iterator[SweepRecord]:
    """Yield the sweeps that overlap *period*, from the first due time to the last run's end, in the order recorded.

    Every run that was due in the period or finished in it is in one of them; their other runs are there too.
    """
    start, end = to_ms(period.start), to_ms(period.end)
    overlaps = and_(sweep.c.finished >= start, sweep.c.first_due < end)
    with reading() as conn:
        of = sweep.c.source.in_(names.sources(conn) if source is None else [names.source(conn, source)])
        prompt = select(sweep.c.id).where(of, overlaps, sweep.c.due >= start - HOUR_MS, sweep.c.due < end + HOUR_MS)
        late = select(sweep.c.id).where(of, overlaps, _LATE)
        numbers = sorted({*conn.execute(prompt).scalars(), *conn.execute(late).scalars()})
    for at in range(0, len(numbers), _PAGE):
        query = select(sweep).where(sweep.c.id.in_(numbers[at : at + _PAGE])).order_by(sweep.c.id)
        with reading() as conn:
            records = [reader.record(conn, row) for row in conn.execute(query).all()]
        yield from records


def newest_runs(
    conn: Connection,
    names: Names,
    reader: SweepReader,
    wanted: Callable[[RunOutcome], bool],
    *,
    period: Period | None,
    source: str | None,
    limit: int,
) -> list[Run]:
    """Return the last *limit* runs that are *wanted*, newest first; of a *period*, those due in it."""
    where = _of_source(conn, names, source)
    if period:
        where = and_(where, sweep.c.due >= to_ms(period.start), sweep.c.first_due < to_ms(period.end))
    found: list[Run] = []
    for row in _pages(conn, where, sweep.c.id, descending=True):
        sheet = reader.sheet(conn, row)
        chosen = [
            (-to_ms(outcome.finished), at)
            for at, outcome in enumerate(sheet.outcomes())
            if wanted(outcome) and (period is None or period.start <= outcome.due < period.end)
        ]
        for _, at in sorted(chosen)[: limit - len(found)]:
            found.append(reader.run(conn, sheet, at))
        if len(found) >= limit:
            break
    return found


def run_by_id(conn: Connection, reader: SweepReader, name: str) -> Run:
    """Return the run that ``<sweep>-<position>`` names. Raises `QueryError` when there is none."""
    number, _, position = name.partition("-")
    if not _RUN_ID.fullmatch(name):
        raise QueryError(
            f"{name!r} is not the id of a run", hint="A run is named like 12-3; `evidenced runs` lists them."
        )
    sheet = reader.sheet(conn, reader.row(conn, int(number)))
    if int(position) >= len(sheet.lines):
        raise QueryError(f"sweep {number} has {len(sheet.lines)} runs; {name} is none of them")
    return reader.run(conn, sheet, int(position))


def last_sweep(conn: Connection, names: Names, source: str) -> int | None:
    """Return the id of the sweep of *source* that was recorded last, or None."""
    found = conn.execute(select(func.max(sweep.c.id)).where(_of_source(conn, names, source))).scalar()
    return None if found is None else int(found)


def accounted_until(conn: Connection, names: Names, source: str) -> int | None:
    """Return the time in ms up to which every slot of *source* has an outcome; None before the first."""
    number = names.source(conn, source)
    if number is None:
        return None
    swept = select(sweep.c.due).where(sweep.c.source == number, sweep.c.last, sweep.c.trigger.in_(_ACCOUNTING))
    passed = select(missed.c.until - 1).where(missed.c.source == number, missed.c.whole)
    found = [
        conn.execute(swept.order_by(sweep.c.due.desc()).limit(1)).scalar(),
        conn.execute(passed.order_by(missed.c.until.desc()).limit(1)).scalar(),
    ]
    return max((each for each in found if each is not None), default=None)


def good_runs_around(
    conn: Connection, names: Names, reader: SweepReader, subject: Subject, at: int
) -> tuple[Run | None, Run | None]:
    """Return the last good run of *subject* that finished at or before *at* (ms), and the next one after."""
    source = names.source(conn, subject.source)
    if source is None or names.subject(conn, subject) is None:
        return None, None
    of = sweep.c.source == source
    search = _Search(conn, reader, subject)
    before = search.best(
        _pages(conn, and_(of, sweep.c.due <= at + HOUR_MS, _PROMPT), sweep.c.due, descending=True),
        fits=lambda finished: finished <= at,
        better=lambda one, other: one > other,
        over=lambda due, best: due < best - HOUR_MS,
    )
    before = search.best(
        _pages(conn, and_(of, _LATE, sweep.c.finished >= (before[0] if before else 0)), sweep.c.finished),
        fits=lambda finished: finished <= at,
        better=lambda one, other: one > other,
        over=lambda _due, _best: False,
        known=before,
    )
    after = search.best(
        _pages(conn, and_(of, sweep.c.due > at - HOUR_MS, _PROMPT), sweep.c.due),
        fits=lambda finished: finished > at,
        better=lambda one, other: one < other,
        over=lambda due, best: due > best + HOUR_MS,
    )
    after = search.best(
        _pages(conn, and_(of, _LATE, sweep.c.finished > at), sweep.c.finished),
        fits=lambda finished: finished > at,
        better=lambda one, other: one < other,
        over=lambda _due, _best: False,
        known=after,
    )
    return search.run(before), search.run(after)


_Found = tuple[int, int, int]  # finished in ms, sweep, position


class _Search:
    """Looks through sweeps for the good run of one subject that finished nearest to an instant."""

    def __init__(self, conn: Connection, reader: SweepReader, subject: Subject) -> None:
        self._conn = conn
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
        return run_by_id(self._conn, self._reader, f"{found[1]}-{found[2]}")

    def _good(self, row: Row[Any]) -> Iterator[_Found]:
        sheet = self._reader.sheet(self._conn, row)
        for at, line in enumerate(sheet.lines):
            if line.subject == self._subject:
                outcome = sheet.outcome(at)
                if outcome.outcome is Outcome.COLLECTED:
                    yield to_ms(outcome.finished), row.id, at


def _of_source(conn: Connection, names: Names, source: str | None) -> ColumnElement[bool]:
    if source is None:
        return true()
    number = names.source(conn, source)
    return sweep.c.source == (-1 if number is None else number)


def _pages(
    conn: Connection, where: ColumnElement[bool], order: ColumnElement[int], *, descending: bool = False
) -> Iterator[Row[Any]]:
    """Yield the rows of the sweeps *where*, in order of *order* and then id, reading a page at a time."""
    key = (order.desc(), sweep.c.id.desc()) if descending else (order, sweep.c.id)
    page = _PAGE // 10
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

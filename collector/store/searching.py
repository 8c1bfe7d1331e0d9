"""Find sweeps and runs: by period, newest first, by id.

A sweep nearly always ends within the hour after its slots were due, so the index by due time finds it. The few that
were late have an index of their own (`ix_sweep_late`), and both are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, text

from collector.clock import to_ms
from collector.coverage import RunOutcome
from collector.errors import QueryError
from collector.model import Period, Run, Trigger
from collector.store.names import Names
from collector.store.records import SweepRecord
from collector.store.sweeps import SweepReader, unknown_run
from collector.store.tables import HOUR_MS, LATE, missed, sweep

_FIRST_PAGE = 20
_PAGE = 200
_RUN_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
Reading = Callable[[], AbstractContextManager[Connection]]
# Word for word the condition of the index, or it would not be used: as text, for to an expression of true and false
# SQLAlchemy adds "= 1".
LATE_SWEEPS = text(f"({LATE})")
PROMPT_SWEEPS = text(f"(NOT ({LATE}))")
_ACCOUNTING = (Trigger.SCHEDULE.value, Trigger.CATCH_UP.value)


def sweeps_between(
    reading: Reading, names: Names, reader: SweepReader, period: Period, source: str | None
) -> Iterator[SweepRecord]:
    """Yield the sweeps that overlap *period*, from the first due time to the last run's end, in the order recorded.

    Every run that was due in the period or finished in it is in one of them; their other runs are there too.
    """
    with reading() as conn:
        numbers = _numbers(conn, names, source, period)
    for at in range(0, len(numbers), _PAGE):
        with reading() as conn:
            records = [reader.record(conn, row) for row in _rows(conn, numbers[at : at + _PAGE])]
        yield from records


def sweeps_for(conn: Connection, reader: SweepReader, request: int) -> list[SweepRecord]:
    """Return the sweeps that answer the snapshot *request* (an id), in the order recorded."""
    query = select(sweep).where(sweep.c.request == request, sweep.c.request != 0).order_by(sweep.c.id)
    return [reader.record(conn, row) for row in conn.execute(query).all()]


def newest_runs(
    conn: Connection,
    names: Names,
    reader: SweepReader,
    wanted: Callable[[RunOutcome], bool],
    *,
    period: Period | None,
    source: str | None,
    limit: int,
    before: str | None = None,
) -> list[Run]:
    """Return the last *limit* runs that are *wanted*, newest first; of a *period*, those due in it.

    With *before*, the id of a run, those that come after it in this order.
    """
    last, position = (int(each) for each in before.split("-")) if before else (None, 0)
    found: list[Run] = []
    for row in _newest_rows(conn, names, source, period, last):
        sheet = reader.sheet(conn, row)
        chosen = [
            (-to_ms(outcome.finished), at)
            for at, outcome in enumerate(sheet.outcomes())
            if wanted(outcome) and (period is None or period.start <= outcome.due < period.end)
        ]
        if row.id == last:
            chosen = [each for each in chosen if each > (-to_ms(sheet.outcome(position).finished), position)]
        for _, at in sorted(chosen)[: limit - len(found)]:
            found.append(reader.run(conn, sheet, at))
        if len(found) >= limit:
            break
    return found


def run_by_id(conn: Connection, names: Names, reader: SweepReader, name: str) -> Run:
    """Return the run that ``<sweep>-<position>`` names. Raises `QueryError` when *names* hold none."""
    number, _, position = name.partition("-")
    if not _RUN_ID.fullmatch(name):
        raise QueryError(
            f"{name!r} is not the id of a run", hint="A run is named like 12-3; `evidenced runs` lists them."
        )
    sheet, at = reader.sheet_with(conn, int(number), int(position)), int(position)
    if not names.holds(sheet.lines[at].subject):
        raise unknown_run(name)
    return reader.run(conn, sheet, at)


def last_sweep(conn: Connection, names: Names, source: str) -> int | None:
    """Return the id of the sweep of *source* that was recorded last, or None."""
    query = select(func.max(sweep.c.id)).where(sweep.c.source == names.source(conn, source))
    found = conn.execute(query).scalar()
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


def _numbers(conn: Connection, names: Names, source: str | None, period: Period) -> list[int]:
    """Return the ids of the sweeps of *source* that overlap *period*, in order: found by index, whatever the store."""
    of = sweep.c.source.in_(_sources(conn, names, source))
    start, end = to_ms(period.start), to_ms(period.end)
    overlaps = and_(of, sweep.c.finished >= start, sweep.c.first_due < end)
    near = and_(sweep.c.due >= start - HOUR_MS, sweep.c.due < end + HOUR_MS)
    found = [conn.execute(select(sweep.c.id).where(overlaps, each)).scalars() for each in (near, LATE_SWEEPS)]
    return sorted({number for each in found for number in each})


def _sources(conn: Connection, names: Names, source: str | None) -> list[int | None]:
    return [*names.sources(conn)] if source is None else [names.source(conn, source)]


def _rows(conn: Connection, numbers: Sequence[int]) -> Sequence[Row[Any]]:
    return conn.execute(select(sweep).where(sweep.c.id.in_(numbers)).order_by(sweep.c.id)).all()


def _newest_rows(
    conn: Connection, names: Names, source: str | None, period: Period | None, last: int | None
) -> Iterator[Row[Any]]:
    """Yield the rows of the sweeps of *source* that overlap *period*, from *last* backwards, at first a few."""
    # Few are usually enough, and they are at the end: the table itself is read backwards, and no index is asked for
    # all that there are. The sum keeps the planners from trying.
    query = select(sweep).where((sweep.c.source + 0).in_(_sources(conn, names, source))).order_by(sweep.c.id.desc())
    if period is not None:
        query = query.where(sweep.c.finished >= to_ms(period.start), sweep.c.first_due < to_ms(period.end))
    page = _FIRST_PAGE
    while True:
        rows = conn.execute((query if last is None else query.where(sweep.c.id <= last)).limit(page)).all()
        yield from rows
        if len(rows) < page:
            return
        last, page = rows[-1].id - 1, _PAGE

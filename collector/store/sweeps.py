"""Read sweeps and runs back: by id, by period, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from collector.clock import from_ms
from collector.errors import IntegrityError, Unknown
from collector.model import Run, Trigger
from collector.store.bulk import PAGE, among
from collector.store.contents import read_by_id
from collector.store.frames import Frame, read_frame
from collector.store.names import Names
from collector.store.packing import unpack
from collector.store.paging import Paging
from collector.store.populations import latest_state
from collector.store.records import SweepRecord
from collector.store.sheet_reading import Place, Sheet
from collector.store.tables import sweep

_PAGE = 200
_FRAMES_KEPT = 64
_NOTES_KEPT = 64


class SweepReader:
    """Opens stored sheets; keeps the frames and notes last used. Thread-safe: what it keeps never changes."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._frames: dict[int, Frame] = {}
        self._notes: dict[int, bytes] = {}
        self.paging = Paging(names, self)

    def last_frame(self, conn: Connection, source: int) -> Frame | None:
        """Return the frame of the last sweep of *source*, or None before the first."""
        query = select(sweep.c.frame).where(sweep.c.source == source, sweep.c.frame.is_not(None))
        found = conn.execute(query.order_by(sweep.c.due.desc(), sweep.c.id.desc()).limit(1)).scalar()
        return None if found is None else self._frame(conn, found)

    def forget(self) -> None:
        """Drop what is kept: a writer whose transaction failed may have read what was never committed."""
        self._frames, self._notes = {}, {}
        self.paging.forget()

    def sheet(self, conn: Connection, row: Row[Any]) -> Sheet:
        """Return the opened sheet of the sweep in *row*."""
        frame = None if row.frame is None else self._frame(conn, row.frame)
        notes = None if row.notes is None else self._noted(conn, row.notes)
        place = Place(row.id, from_ms(row.due), Trigger(row.trigger), from_ms(row.recorded))
        return Sheet(unpack(row.codec, bytes(row.sheet)), notes, frame, place)

    def sheet_with(self, conn: Connection, number: int, position: int) -> Sheet:
        """Return the opened sheet of sweep *number*. Raises `Unknown` unless it has a run at *position*."""
        return next(self.sheets_with(conn, {number: position}))

    def sheets_with(self, conn: Connection, wanted: Mapping[int, int]) -> Iterator[Sheet]:
        """Yield the opened sheet of each sweep in *wanted*, in order; see `sheet_with` for the position each names."""
        left = iter(wanted.items())
        while some := dict(islice(left, PAGE)):
            rows = {row.id: row for row in among(conn, select(sweep), sweep.c.id, some)}
            for number, position in some.items():
                sheet = self.sheet(conn, rows[number]) if number in rows else None
                if sheet is None or position >= len(sheet.lines):
                    raise unknown_run(f"{number}-{max(position, 0)}")
                yield sheet

    def runs(self, conn: Connection, number: int) -> list[Run]:
        """Return every run of sweep *number*, whole, in order."""
        sheet = self.sheet_with(conn, number, -1)
        return [self.run(conn, sheet, at) for at in range(len(sheet.lines))]

    def run(self, conn: Connection, sheet: Sheet, at: int) -> Run:
        """Return the run at position *at* of *sheet*, whole."""

        def population(run: Run) -> bytes | None:
            subject = self._names.subject(conn, run.subject)
            state = None if subject is None else latest_state(conn, subject, sweep=sheet.place.sweep)
            if state is None:
                raise IntegrityError(f"run {run.id} collected, but no population of its subject is stored")
            return state.root

        return sheet.run(at, population)

    def record(self, conn: Connection, row: Row[Any]) -> SweepRecord:
        """Return the sweep in *row* with the outcomes of its runs."""
        return SweepRecord(
            row.id,
            self._names.source_named(conn, row.source),
            from_ms(row.due),
            Trigger(row.trigger),
            row.plan,
            row.part,
            bool(row.last),
            row.request,
            from_ms(row.recorded),
            row.leaf,
            tuple(self.sheet(conn, row).outcomes()),
        )

    def _frame(self, conn: Connection, id_: int) -> Frame:
        if id_ not in self._frames:
            _make_room(self._frames, _FRAMES_KEPT)
            self._frames[id_] = read_frame(read_by_id(conn, id_))
        return self._frames[id_]

    def _noted(self, conn: Connection, id_: int) -> bytes:
        if id_ not in self._notes:
            _make_room(self._notes, _NOTES_KEPT)
            self._notes[id_] = read_by_id(conn, id_)
        return self._notes[id_]


def unknown_run(name: str) -> Unknown:
    """Return the error for a run *name* that is not there, as far as who asks may know."""
    return Unknown(f"the store has no run {name}", hint="`evidenced runs` lists the last ones.")


def _make_room(kept: dict[int, Any], most: int) -> None:
    for oldest in list(kept)[: max(0, len(kept) - most + 1)]:
        kept.pop(oldest, None)

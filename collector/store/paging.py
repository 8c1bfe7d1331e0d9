"""Write pages of the slot ledger as sweeps are recorded, and read them back; `collector.store.slot_pages` says what
they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from collector.clock import to_ms
from collector.model import Period
from collector.store.names import Names
from collector.store.packing import pack, unpack
from collector.store.records import RunOutcome
from collector.store.slot_pages import PAGE, Draft, Page, joined, read_page
from collector.store.tables import slot_page, sweep

if TYPE_CHECKING:
    from collector.store.sweeps import SweepReader

_KEPT = 4_000
_JOINED_KEPT = 32


class Paging:
    """The pages of one store. What it keeps of pages never changes; what it counts is the writer's alone."""

    def __init__(self, names: Names, reader: SweepReader) -> None:
        self.size = PAGE
        self._names = names
        self._reader = reader
        self._pages: dict[tuple[int, int], Page] = {}
        self._joined: dict[tuple[int, ...], Page] = {}
        self._ends: dict[int, tuple[int, Page]] = {}
        self._unpaged: dict[int, int] = {}

    def forget(self) -> None:
        """Drop what the writer counted: its transaction failed, or another writer was there meanwhile."""
        self._unpaged = {}

    def clear(self) -> None:
        """Drop everything: the pages were made again, and what was read of the old ones must not outlive them."""
        self._pages, self._joined, self._ends = {}, {}, {}
        self.forget()

    def appended(self, conn: Connection, source: int) -> None:
        """Note, in the writer's transaction, that a sweep of *source* was written; write the page that it fills."""
        if source in self._unpaged:
            self._unpaged[source] += 1
        else:
            self._unpaged[source] = len(_after(conn, source, last_paged(conn, source)))
        while self._unpaged[source] >= self.size:
            self._write(conn, source)
            self._unpaged[source] -= self.size

    def write_all(self, conn: Connection) -> None:
        """Write every page that is full and not there yet."""
        self._unpaged = {}
        for source in self._names.sources(conn):
            numbers = _after(conn, source, last_paged(conn, source))
            for _ in range(len(numbers) // self.size):
                self._write(conn, source)

    def pages(self, conn: Connection, source: int, period: Period) -> list[Page]:
        """Return the pages of *source* that overlap *period* as one, the sweeps after its last page as one more."""
        columns = slot_page.c
        query = select(columns.last).where(columns.source == source, columns.until >= to_ms(period.start))
        lasts = conn.execute(query.where(columns.since < to_ms(period.end)).order_by(columns.last)).scalars().all()
        found = self._as_one(conn, source, tuple(lasts))
        return [each for each in (found, self._end(conn, source)) if each.sweeps]

    def outcomes(self, conn: Connection, runs: Iterable[str]) -> list[RunOutcome]:
        """Return what the sheets say of *runs* (ids). Raises `Unknown` for one that is not there."""
        places: dict[int, list[int]] = {}
        for run in runs:
            sweep_id, _, position = run.partition("-")
            places.setdefault(int(sweep_id), []).append(int(position))
        found = []
        for number, positions in places.items():
            sheet = self._reader.sheet_with(conn, number, max(positions))
            found += [sheet.outcome(position) for position in positions]
        return found

    def _as_one(self, conn: Connection, source: int, lasts: tuple[int, ...]) -> Page:
        # A sweep is of one source, so its pages' last sweeps name them.
        found = self._joined.get(lasts)
        if found is None:
            if len(self._joined) >= _JOINED_KEPT:
                self._joined = {}
            found = self._joined[lasts] = joined(self._read(conn, source, lasts))
        return found

    def _read(self, conn: Connection, source: int, lasts: Sequence[int]) -> list[Page]:
        wanted = [last for last in lasts if (source, last) not in self._pages]
        if wanted:
            subjects = {number: subject for subject, number in self._names.subjects(conn).items()}
            query = select(slot_page.c.last, slot_page.c.codec, slot_page.c.bytes).where(
                slot_page.c.source == source, slot_page.c.last >= wanted[0], slot_page.c.last <= wanted[-1]
            )
            for last, codec, data in conn.execute(query):
                self._pages[source, last] = read_page(unpack(codec, bytes(data)), subjects)
        found = [self._pages[source, last] for last in lasts]
        if len(self._pages) > _KEPT:
            self._pages = {(source, last): page for last, page in zip(lasts, found, strict=True)}
        return found

    def _end(self, conn: Connection, source: int) -> Page:
        """Return a page of the sweeps after the last page; an empty one when there are none."""
        last = last_paged(conn, source)
        numbers = _after(conn, source, last)
        newest = numbers[-1] if numbers else last
        kept = self._ends.get(source)
        if kept is not None and kept[0] == newest and kept[1].sweeps == tuple(numbers):
            return kept[1]
        if not numbers:
            return Page((), {}, ())
        draft = self._draft(conn, numbers)
        subjects = {number: subject for subject, number in draft.numbers.items()}
        page = read_page(draft.document(), subjects)
        self._ends[source] = newest, page
        return page

    def _write(self, conn: Connection, source: int) -> None:
        draft = self._draft(conn, _after(conn, source, last_paged(conn, source))[: self.size])
        conn.execute(insert(slot_page).values(page_row(source, draft)))

    def _draft(self, conn: Connection, numbers: Sequence[int]) -> Draft:
        draft = Draft(self._names.subjects(conn))
        rows: Sequence[Row[Any]] = conn.execute(select(sweep).where(sweep.c.id.in_(numbers)).order_by(sweep.c.id)).all()
        for row in rows:
            draft.add(self._reader.sheet(conn, row), row.first_due, row.finished)
        return draft


def page_row(source: int, draft: Draft) -> dict[str, Any]:
    """Return the row of the page *draft* of *source*."""
    codec, data = pack(draft.document())
    last = draft.sweeps[-1]
    return {
        "source": source,
        "last": last,
        "since": draft.since,
        "until": draft.until,
        "codec": codec,
        "bytes": data,
    }


def last_paged(conn: Connection, source: int) -> int:
    """Return the id of the last sweep of *source* that is in a page; 0 when none is."""
    return int(conn.execute(_LAST, {"of": source}).scalar_one() or 0)


def _after(conn: Connection, source: int, number: int) -> list[int]:
    """Return the ids of the sweeps of *source* after sweep *number*, in order."""
    query = select(sweep.c.id).where(sweep.c.id > number, sweep.c.source == source)
    return list(conn.execute(query.order_by(sweep.c.id)).scalars())


_LAST = select(func.max(slot_page.c.last)).where(slot_page.c.source == bindparam("of"))

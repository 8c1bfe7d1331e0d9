"""Write pages of the slot ledger as sweeps are recorded, and read them back; `collector.store.slot_pages` says what
they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from collector.clock import to_ms
from collector.coverage import RunOutcome
from collector.model import Period
from collector.store.names import Names
from collector.store.packing import pack, unpack
from collector.store.slot_pages import Draft, Page, joined, read_page
from collector.store.stretches import BLOCK, PAGE
from collector.store.tables import slot_page, sweep

if TYPE_CHECKING:
    from collector.store.sweeps import SweepReader

_KEPT = 100_000
"""How many pieces of pages (stretches and single runs) are kept read, at about 300 bytes each."""
_NOTHING = Page((), {}, ())


class _Listed(NamedTuple):
    """A page that is not read yet: its last sweep, the earliest due time of its runs and their last end in ms."""

    last: int
    since: int
    until: int


class Paging:
    """The pages of one store. What it keeps of pages never changes; what it counts is the writer's alone.

    The pages of a source are read by the block, `BLOCK` of them as one, whatever the period asked about: so what was
    read for one question serves the next.
    """

    def __init__(self, names: Names, reader: SweepReader) -> None:
        self.size = PAGE
        self._names = names
        self._reader = reader
        self._listed: dict[int, tuple[_Listed, ...]] = {}
        self._blocks: dict[tuple[int, int], tuple[int, Page]] = {}
        self._ends: dict[int, tuple[int, Page]] = {}
        self._unpaged: dict[int, int] = {}

    def forget(self) -> None:
        """Drop what the writer counted: its transaction failed, or another writer was there meanwhile."""
        self._unpaged = {}

    def clear(self) -> None:
        """Drop everything: the pages were made again, and what was read of the old ones must not outlive them."""
        self._listed, self._blocks, self._ends = {}, {}, {}
        self.forget()

    def begun(self, source: int) -> None:
        """Note that there is no sweep of *source* yet."""
        self._unpaged[source] = 0

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
        """Return the blocks of *source* with a page that overlaps *period*, and the sweeps after its last page."""
        last = last_paged(conn, source)
        start, end = to_ms(period.start), to_ms(period.end)
        listed = self._list(conn, source, last)
        found = []
        for at in range(0, len(listed), BLOCK):
            block = listed[at : at + BLOCK]
            if any(each.until >= start and each.since < end for each in block):
                found.append(self._block(conn, source, at, block))
        return [each for each in (*found, self._end(conn, source, last)) if each.sweeps]

    def outcomes(self, conn: Connection, runs: Iterable[str]) -> list[RunOutcome]:
        """Return what the sheets say of *runs* (ids). Raises `Unknown` for one that is not there."""
        places: dict[int, list[int]] = {}
        for run in runs:
            sweep_id, _, position = run.partition("-")
            places.setdefault(int(sweep_id), []).append(int(position))
        sheets = self._reader.sheets_with(conn, {number: max(positions) for number, positions in places.items()})
        return [sheet.outcome(at) for sheet, positions in zip(sheets, places.values(), strict=True) for at in positions]

    def _list(self, conn: Connection, source: int, last: int) -> Sequence[_Listed]:
        """Return the pages of *source* up to the one that ends with sweep *last*, the last that *conn* sees."""
        known = self._listed.get(source, ())
        if last > (known[-1].last if known else 0):
            columns = slot_page.c
            query = select(columns.last, columns.since, columns.until).where(columns.source == source)
            new = conn.execute(query.where(columns.last > (known[-1].last if known else 0)).order_by(columns.last))
            known = self._listed[source] = (*known, *(_Listed(*row) for row in new))
        return known if not known or known[-1].last == last else [each for each in known if each.last <= last]

    def _block(self, conn: Connection, source: int, at: int, listed: Sequence[_Listed]) -> Page:
        """Return the pages *listed* as one; they are those from number *at* on."""
        # Taken out and put back at the end: what was not asked for the longest goes first.
        count, block = self._blocks.pop((source, at), (0, _NOTHING))
        if count > len(listed):
            count, block = 0, _NOTHING
        if count < len(listed):
            block = joined([block, *self._read(conn, source, listed[count:])])
        self._blocks[source, at] = len(listed), block
        self._make_room()
        return block

    def _make_room(self) -> None:
        kept = list(self._blocks.items())
        pieces = sum(page.pieces for _, (_, page) in kept)
        for key, (_, page) in kept[:-1]:
            if pieces <= _KEPT:
                return
            pieces -= page.pieces
            self._blocks.pop(key, None)

    def _read(self, conn: Connection, source: int, listed: Sequence[_Listed]) -> list[Page]:
        subjects = {number: subject for subject, number in self._names.subjects(conn).items()}
        columns = slot_page.c
        query = select(columns.codec, columns.bytes).where(
            columns.source == source, columns.last >= listed[0].last, columns.last <= listed[-1].last
        )
        return [
            read_page(unpack(codec, bytes(data)), subjects)
            for codec, data in conn.execute(query.order_by(columns.last))
        ]

    def _end(self, conn: Connection, source: int, last: int) -> Page:
        """Return a page of the sweeps after sweep *last*, the last of a page; an empty one when there are none."""
        numbers = _after(conn, source, last)
        newest = numbers[-1] if numbers else last
        kept = self._ends.get(source)
        if kept is not None and kept[0] == newest and kept[1].sweeps == tuple(numbers):
            return kept[1]
        if not numbers:
            return _NOTHING
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

"""The root of a sweep made again from what is stored, for whoever proves or verifies that its leaf commits to it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from collector.canonical import digest
from collector.clock import to_ms
from collector.model import Outcome, Run
from collector.store.contents import digests, read_by_id
from collector.store.entries import GONE, state_entry, sweep_root, volatile_entry
from collector.store.names import Names
from collector.store.packing import unpack
from collector.store.sweeps import SweepReader
from collector.store.tables import change, item, population_state, volatile


def stored_root(conn: Connection, names: Names, reader: SweepReader, row: Row[Any]) -> bytes:
    """Return the `sweep_root` of the sweep in *row*, from the rows and bytes that are stored."""
    frame, notes = (b"" if each is None else digest(read_by_id(conn, each)) for each in (row.frame, row.notes))
    sheet = unpack(row.codec, bytes(row.sheet))
    return sweep_root(sheet, frame, notes, list(_stored_entries(conn, names, row.id, reader.runs(conn, row.id))))


def _stored_entries(conn: Connection, names: Names, sweep: int, runs: Iterable[Run]) -> Iterator[bytes]:
    """Yield the entries of *sweep* in the order of its *runs*."""
    states: dict[int, deque[Row[Any]]] = defaultdict(deque)
    query = select(population_state).where(population_state.c.sweep == sweep).order_by(population_state.c.id)
    for row in conn.execute(query):
        states[row.subject].append(row)
    documents = {(each.subject, each.at): each.artifact for each in _documents(conn, sweep)}
    for run in runs:
        number = names.subject(conn, run.subject)
        if number is None or run.outcome is not Outcome.COLLECTED:
            continue
        waiting = states[number]
        # A row's `count` is the tuple's method; the column is asked for by name.
        if waiting and (waiting[0].root, waiting[0]._mapping["count"]) == (run.population, run.counts.items):
            state = waiting.popleft()
            yield state_entry(run.subject, state.at, run.counts.items, state.root, _changes(conn, state.id))
        at = to_ms(run.finished)
        if (number, at) in documents:
            yield volatile_entry(run.subject, at, digest(read_by_id(conn, documents.pop((number, at)))))


def _documents(conn: Connection, sweep: int) -> Sequence[Row[Any]]:
    return conn.execute(select(volatile).where(volatile.c.sweep == sweep)).all()


def _changes(conn: Connection, state: int) -> list[tuple[bytes, bytes]]:
    query = select(item.c.key_digest, change.c.artifact).join(item, item.c.id == change.c.item)
    rows = conn.execute(query.where(change.c.state == state)).all()
    found = digests(conn, [each for _, each in rows if each is not None])
    return [(bytes(key), GONE if each is None else found[each]) for key, each in rows]

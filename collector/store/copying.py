"""Copy a whole store into an empty database of either engine: every row as it is, proven before it counts.

- One transaction on the target, one state of the source; when anything is wrong, nothing was copied.
- Every row is read back and compared; the log, the contents and the populations are made again from what arrived.
- Proofs, checkpoints and run ids stay true, because the log's bytes and every id are the same. There are no sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from sqlalchemy import Column, Connection, Table, func, insert, inspect, select, type_coerce
from sqlalchemy.engine import URL
from sqlalchemy.types import Boolean, Integer, LargeBinary, NullType, Text

from collector.clock import Clock
from collector.errors import IntegrityError, StoreError
from collector.log import ledger
from collector.log.tables import log_leaf, metadata
from collector.store.arrival import check_arrived
from collector.store.connection import Database, parse_url
from collector.store.failures import shown, translated
from collector.store.locks import locked
from collector.store.schema import prepare, prepare_tables

Row = dict[str, Any]
Progress = Callable[[str], None]
Check = Callable[[Connection], None]
_Place = tuple[Connection, URL]

_AT_A_TIME = 500
_FORMS: tuple[tuple[type, type, str], ...] = (
    (Boolean, bool, "yes or no"),
    (Integer, int, "a number"),
    (LargeBinary, bytes, "bytes"),
    (Text, str, "text"),
)
_TABLES = tuple(metadata.sorted_tables)  # by foreign keys: what is referred to comes first


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: the id that both stores now have, the log's *size* and *root*, how many *rows* by table."""

    store: str
    size: int
    root: str
    rows: dict[str, int]


def copy_store(
    source: str, target: str, *, clock: Clock, lock: str, progress: Progress, check: Check = check_arrived
) -> Copied:
    """Copy the store at the URL *source* into the empty database at *target*, and return what was copied.

    Holds the lock *lock* of both meanwhile. *check* is given the transaction that holds the copy before it is
    committed, and raises what it finds wrong. Raises `BusyError`; `StoreError` for a target that is not empty, a
    source that was written to meanwhile, or a database that does not do its part; `IntegrityError` where the copy
    cannot be trusted.
    """
    with ExitStack() as opened:
        ours, theirs = (Database(parse_url(each)) for each in (target, source))
        for database in (ours, theirs):
            opened.callback(database.close)
        _require_two(theirs, ours)
        id_ = prepare(theirs, clock, create=False)
        opened.enter_context(locked(theirs, lock))
        _require_unused(ours)
        prepare_tables(ours)
        opened.enter_context(locked(ours, lock))
        with theirs.reading() as reading, ours.writing(lock=False, one_state=True) as writing:
            rows = _copy((reading, theirs.url), (writing, ours.url), progress)
            progress("comparing")
            head = _compare((reading, theirs.url), (writing, ours.url))
            progress("verifying")
            check(writing)
            _require_unchanged(theirs, rows)
        return Copied(id_, head.size, head.root.hex(), rows)


def _rows(conn: Connection, table: Table, url: URL) -> Iterator[Row]:
    """Yield the rows of *table* in the database at *url* by its primary key, in types that both engines take.

    Raises `IntegrityError` for one that cannot be ours.
    """
    # The drivers' own values: SQLAlchemy's reading of a BLOB makes bytes(n) of a number that someone put in its place.
    query = select(*(type_coerce(column, NullType()).label(column.name) for column in table.c))
    # A failure of the source must not be told as one of the target, within whose transaction it is read.
    with translated(url):
        result = conn.execute(query.order_by(*table.primary_key), execution_options={"stream_results": True})
        for part in result.partitions(_AT_A_TIME):
            yield from (_typed(table, dict(row._mapping)) for row in part)


def _typed(table: Table, row: Row) -> Row:
    for column in table.c:
        value, (kind, what) = row[column.name], _form(column)
        if value is None and column.nullable:
            continue
        if kind is bool and value in (0, 1):
            row[column.name] = bool(value)
        elif not isinstance(value, kind):
            raise IntegrityError(f"{table.name} {_key(table, row)}: {column.name} is not {what}")
    return row


def _form(column: Column[Any]) -> tuple[type, str]:
    return next((kind, what) for form, kind, what in _FORMS if isinstance(column.type, form))


def _key(table: Table, row: Row) -> str:
    return "/".join(str(row[column.name]) for column in table.primary_key)


def _copy(source: _Place, target: _Place, progress: Progress) -> dict[str, int]:
    copied, conn = {}, target[0]
    for table in _TABLES:
        if conn.execute(select(*table.primary_key).limit(1)).first():
            raise _not_empty(shown(target[1]))
    for table in _TABLES:
        rows, copied[table.name] = _rows(source[0], table, source[1]), 0
        while some := list(islice(rows, _AT_A_TIME)):
            conn.execute(insert(table), some)
            copied[table.name] += len(some)
        progress(f"{table.name}: {copied[table.name]:,}")
    return dict(sorted(copied.items()))


def _compare(source: _Place, target: _Place) -> ledger.LogHead:
    """Compare every row of *source* with the one that arrived, make the tree again, and return its proven head."""
    for table in _TABLES:
        for there, here in zip_longest(*(_rows(conn, table, url) for conn, url in (source, target))):
            if there != here:
                raise IntegrityError(f"{table.name} {_key(table, there or here)}: it did not arrive as it was")
    return ledger.check(target[0])


def _require_two(source: Database, target: Database) -> None:
    if source.url == target.url or (source.path and source.path == target.path):
        raise StoreError(f"{shown(source.url)}: a store cannot be copied onto itself", hint="Name an empty database.")


def _require_unused(target: Database) -> None:
    if target.path and not (target.path.exists() and target.path.stat().st_size):
        return
    with target.reading() as conn:
        if inspect(conn).has_table(log_leaf.name) and conn.execute(select(log_leaf.c.idx).limit(1)).first():
            raise _not_empty(shown(target.url))


def _not_empty(where: str) -> StoreError:
    return StoreError(
        f"{where}: there is a store here already", hint="Copy into an empty database; nothing was copied."
    )


def _require_unchanged(source: Database, rows: dict[str, int]) -> None:
    """Raise unless *source* still has as many *rows* as were copied: a sweep or a tag may be recorded by anybody."""
    with source.reading() as conn:
        for table in _TABLES:
            if conn.execute(select(func.count()).select_from(table)).scalar_one() != rows[table.name]:
                raise StoreError(
                    f"{shown(source.url)}: it was written to while it was copied; nothing was copied",
                    hint="Stop whatever records in it (evidenced run, snapshot, tag), then copy again.",
                )

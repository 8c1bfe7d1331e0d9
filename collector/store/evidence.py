"""The tables row by row, as the driver gives them: for whoever verifies the store and trusts none of it.

What a table's columns are comes from the metadata alone. One `Evidence` sees one state of the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, inspect, select, type_coerce
from sqlalchemy.types import BigInteger, Boolean, Integer, LargeBinary, NullType, SmallInteger, Text

from collector.log import ledger
from collector.log.ledger import LogHead
from collector.log.tables import metadata
from collector.store.connection import Database
from collector.store.sealing_tables import erased, tombstone
from collector.store.tables import change, population_state, sweep

Row = dict[str, Any]
Misread = Callable[[str, str, str], None]
"""Hears of a row that cannot be one of ours: its table, its key, what is wrong with it."""
Read = Callable[[str, int], None]
"""Hears, now and then, of how many rows of a table were read; may raise to make an end of it."""

_PAGE = 2000
# Rows that carry contents, up to some megabytes each.
_PAGES = {"artifact": 50, "regained": 50}
_FORMS: tuple[tuple[type[Any], type[Any], str], ...] = (
    (Boolean, int, "yes or no"),
    (Integer, int, "a number"),
    (BigInteger, int, "a number"),
    (SmallInteger, int, "a number"),
    (LargeBinary, bytes, "bytes"),
    (Text, str, "text"),
)


class Evidence:
    """Every row of one state of the database; *misread* hears of those that are left out as unreadable."""

    def __init__(self, conn: Connection, misread: Misread, read: Read) -> None:
        self._conn = conn
        self._misread = misread
        self._read = read

    def missing(self) -> list[str]:
        """Return the tables and columns that should be there and are not, as ``table`` or ``table.column``."""
        found = inspect(self._conn)
        tables = set(found.get_table_names())
        gone = sorted(metadata.tables.keys() - tables)
        for name in sorted(metadata.tables.keys() & tables):
            columns = {each["name"] for each in found.get_columns(name)}
            gone += [f"{name}.{each.name}" for each in metadata.tables[name].columns if each.name not in columns]
        return gone

    def rows(self, table: str, *order: str, only: tuple[str, ...] = ()) -> Iterator[Row]:
        """Yield the rows of *table* by its columns *order*, else by its primary key; of their columns *only* these."""
        return self._stream(metadata.tables[table], _all(table, order, only))

    def changes_by_subject(self) -> Iterator[Row]:
        """Yield the rows of `change` with the ``subject`` of their state, by subject, state and item."""
        query = select(*map(_driver_value, change.c), _driver_value(population_state.c.subject))
        joined = query.join(population_state, population_state.c.id == change.c.state)
        return self._stream(change, joined.order_by(population_state.c.subject, change.c.state, change.c.item))

    def changes_by_item(self) -> Iterator[Row]:
        """Yield the rows of `change` with the ``subject`` and ``at`` of their state (None: no such), by item, state."""
        more = (_driver_value(population_state.c.subject), _driver_value(population_state.c.at))
        query = select(*map(_driver_value, change.c), *more)
        joined = query.outerjoin(population_state, population_state.c.id == change.c.state)
        return self._stream(change, joined.order_by(change.c.item, change.c.state))

    def brought_again(self) -> set[int]:
        """Return the artifacts (numbers) that an item became, by a sweep that was recorded after they were erased."""
        query = (
            select(change.c.artifact)
            .join(erased, erased.c.artifact == change.c.artifact)
            .join(tombstone, tombstone.c.id == erased.c.tombstone)
            .join(population_state, population_state.c.id == change.c.state)
            .join(sweep, sweep.c.id == population_state.c.sweep)
        )
        return set(self._conn.execute(query.where(sweep.c.leaf > tombstone.c.leaf)).scalars())

    def where(self, table: str, **key: Any) -> Iterator[Row]:
        """Yield the rows of *table* whose columns are *key*, by its primary key."""
        found = metadata.tables[table]
        wanted = [found.c[name] == value for name, value in key.items()]
        query = select(*map(_driver_value, found.c)).where(*wanted)
        return self._stream(found, query.order_by(*found.primary_key))

    def one(self, table: str, **key: Any) -> Row | None:
        """Return the first row of *table* whose columns are *key*, or None."""
        return next(self.where(table, **key), None)

    def check_log(self) -> LogHead:
        """Recompute the tree, as `ledger.check` does, without what the leaves say."""
        return ledger.check(self._conn, columns=False)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the log of *new* leaves begins with that of *old*, as `ledger.consistency_proof`."""
        return ledger.consistency_proof(self._conn, old, new)

    def root_at(self, size: int) -> bytes:
        """Return the root that the log had at *size* leaves, as `ledger.root_at`."""
        return ledger.root_at(self._conn, size)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the audit path of leaf *index* in the log of *size* leaves, as `ledger.inclusion_proof`."""
        return ledger.inclusion_proof(self._conn, index, size)

    def head(self) -> LogHead:
        """Return the log's head, as `ledger.head`."""
        return ledger.head(self._conn)

    def _stream(self, table: Table, query: Select[Any]) -> Iterator[Row]:
        page = _PAGES.get(table.name, _PAGE)
        result = self._conn.execute(query, execution_options={"stream_results": True, "max_row_buffer": page})
        names = list(result.keys())
        forms = [(column.name, _form(column)) for column in table.c if column.name in names]
        # Rows of one make are looked at once; what is left is a set of types per row.
        right: set[tuple[type[Any], ...]] = set()
        for number, part in enumerate(result.partitions(page)):
            self._read(table.name, number * page + len(part))
            for values in part:
                row = dict(zip(names, values, strict=True))
                made = tuple(map(type, values))
                if made not in right:
                    wrong = [
                        f"{name} is not {what}" for name, (kind, what, null) in forms if not _is(row[name], kind, null)
                    ]
                    if wrong:
                        self._misread(table.name, row_key(table.name, row), "; ".join(wrong))
                        continue
                    right.add(made)
                yield row


def row_key(table: str, row: Row) -> str:
    """Return how *row* is named: the values of its primary key."""
    return "/".join([str(row[each]) for each in _key(table)])


@cache
def _key(table: str) -> tuple[str, ...]:
    return tuple(each.name for each in metadata.tables[table].primary_key)


def leaf_tables() -> list[str]:
    """Return the tables each of whose rows names the leaf that commits to it."""
    return sorted(name for name, table in metadata.tables.items() if "leaf" in table.c)


@cache
def _all(name: str, order: tuple[str, ...], only: tuple[str, ...]) -> Select[Any]:
    table = metadata.tables[name]
    by = [table.c[each] for each in order] or list(table.primary_key)
    return select(*map(_driver_value, [table.c[each] for each in only] or table.c)).order_by(*by)


def _driver_value(column: Column[Any]) -> Any:
    # SQLAlchemy's reading of a BLOB makes bytes(n) of a number that someone put in its place.
    return type_coerce(column, NullType()).label(column.name)


def _form(column: Column[Any]) -> tuple[type[Any], str, bool]:
    for form, kind, what in _FORMS:
        if isinstance(column.type, form):
            return kind, what, bool(column.nullable)
    raise AssertionError(f"{column}: a type that is not known here")


def _is(value: Any, kind: type[Any], null: bool) -> bool:
    return isinstance(value, kind) if value is not None else null


@contextmanager
def read_evidence(database: Database, misread: Misread, read: Read) -> Iterator[Evidence]:
    """Give the `Evidence` of *database* as it is now."""
    with database.reading() as conn, lenient_text(conn):
        yield Evidence(conn, misread, read)


@contextmanager
def lenient_text(conn: Connection) -> Iterator[None]:
    """Let SQLite, which stores anything as text, give what is not UTF-8: it is a difference, and not a crash."""
    driver = conn.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str

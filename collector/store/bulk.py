"""Many rows at once, at little cost for each: written as the driver's own values, and looked up by what they are.

SQLite takes rows by one prepared statement, and a page of values in a question; PostgreSQL takes rows, above a hundred,
by COPY in its binary form, or where the table's rows have policies, which COPY does not know, as arrays of its columns;
and the values of a question as one array.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice
from typing import Any

import psycopg
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    Row,
    Select,
    SmallInteger,
    Table,
    Text,
    bindparam,
    func,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

_FEWEST_TO_COPY = 100
# SQLite before 3.32 took 999 values in a statement; a page of this size costs nothing against the rows it finds.
PAGE = 500
_ARRAY = 10_000
_FORMS = ((LargeBinary, "bytea"), (Text, "text"), (SmallInteger, "int2"), (BigInteger, "int8"))


def among(
    conn: Connection, query: Select[*tuple[Any, ...]], column: Column[Any], values: Iterable[Any]
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield the rows of *query* whose *column* is one of *values*."""
    # Without a type, values are the driver's own; with one, SQLAlchemy looks at each.
    array = conn.dialect.name == "postgresql"
    one_of = bindparam("among", type_=NullType(), expanding=not array)
    asked = query.where(column == func.any(one_of) if array else column.in_(one_of))
    given = iter(values)
    while page := list(islice(given, _ARRAY if array else PAGE)):
        yield from conn.execute(asked, {"among": page})


def insert_rows(conn: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert *rows*, each with a value for every column of *table* in their order, as drivers take them.

    A generator that works for its rows does so while PostgreSQL takes those before; it must not ask the database.
    """
    given = iter(rows)
    first = list(islice(given, _FEWEST_TO_COPY))
    if conn.dialect.name == "postgresql" and len(first) == _FEWEST_TO_COPY:
        if _has_policies(conn, table):
            every = chain(first, given)
            while page := list(islice(every, _ARRAY)):
                columns = tuple([*column] for column in zip(*page, strict=True))
                conn.exec_driver_sql(_arrays(table), columns)
        else:
            _copy(conn, table, chain(first, given))
    else:
        while first:
            conn.exec_driver_sql(_statement(conn.dialect.name, table), first)
            first = list(islice(given, PAGE))


@cache
def _statement(dialect: str, table: Table) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    names = ", ".join(f'"{column.name}"' for column in table.c)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join([mark] * len(table.c))})'  # noqa: S608


def _has_policies(conn: Connection, table: Table) -> bool:
    """Return whether policies rule what this login adds to *table*. Asked once for each session."""
    kept = conn.info.setdefault("policies", {})
    if table.name not in kept:
        kept[table.name] = conn.exec_driver_sql("SELECT row_security_active(%s)", (table.name,)).scalar_one()
    return bool(kept[table.name])


@cache
def _arrays(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    arrays = ", ".join(f"%b::{_type(column)}[]" for column in table.c)
    return f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({arrays})'  # noqa: S608


def _copy(conn: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    driver = conn.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"{type(driver).__name__} does not copy")
    names = ", ".join(f'"{column.name}"' for column in table.c)
    statement = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([_type(column) for column in table.c])
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        # As SQLAlchemy has it, so that whoever handles the failure of a statement handles this one.
        raise DBAPIError.instance(statement, None, error, psycopg.Error, dialect=conn.dialect) from error


def _type(column: Column[Any]) -> str:
    return next(name for form, name in _FORMS if isinstance(column.type, form))

"""Many rows at once, at little cost for each: the driver's own values, without a look at every one.

SQLite takes them by one prepared statement; PostgreSQL, above a hundred, by COPY in its binary form, or where the
table's rows have policies, which COPY does not know, as arrays of its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import psycopg
from sqlalchemy import BigInteger, Column, Connection, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.exc import DBAPIError

_FEWEST_TO_COPY = 100
_ARRAY = 1_000
_FORMS = ((LargeBinary, "bytea"), (Text, "text"), (SmallInteger, "int2"), (BigInteger, "int8"))


def insert_rows(conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert *rows*, each with a value for every column of *table* in their order, as drivers take them."""
    if not rows:
        return
    if conn.dialect.name == "postgresql" and len(rows) >= _FEWEST_TO_COPY:
        if _has_policies(conn, table):
            for start in range(0, len(rows), _ARRAY):
                columns = zip(*rows[start : start + _ARRAY], strict=True)
                conn.exec_driver_sql(_arrays(table), tuple([*column] for column in columns))
        else:
            _copy(conn, table, rows)
    else:
        conn.exec_driver_sql(_statement(conn.dialect.name, table), list(rows))


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


def _copy(conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
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

"""What the database's planner knows of how many rows there are: `ANALYZE`, where the login may."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from collector.log.tables import metadata
from collector.store.tables import sweep

# Rows of an index that SQLite looks at: enough for its planner, and milliseconds however large the table is.
_SQLITE_ROWS = 1_000
_MAY = text("""
    SELECT relname FROM pg_class
    WHERE oid = ANY(CAST(:tables AS regclass[])) AND (
        pg_has_role(relowner, 'USAGE')
        OR EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'pg_maintain' AND pg_has_role(oid, 'USAGE'))
    )
""")


def sweeps_recorded(conn: Connection) -> int:
    """Return how many sweeps the store has."""
    return int(conn.execute(select(func.max(sweep.c.id))).scalar_one() or 0)


def analyse(conn: Connection) -> list[str]:
    """Let the planner look at the tables, and return the names of those that the login may not have looked at.

    *conn* is a writer's transaction. PostgreSQL lets the owner of a table do it and, from 17 on, ``pg_maintain``.
    """
    tables = sorted(metadata.tables)
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"PRAGMA analysis_limit = {_SQLITE_ROWS}")
        conn.exec_driver_sql("ANALYZE")
        return []
    allowed = set(conn.execute(_MAY, {"tables": tables}).scalars())
    for table in tables:
        if table in allowed:
            conn.exec_driver_sql(f'ANALYZE "{table}"')
    return [table for table in tables if table not in allowed]

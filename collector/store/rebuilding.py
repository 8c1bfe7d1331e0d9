"""Throw the projections away and make them again from evidence, in one transaction: all of it, or nothing.

Their guards refuse a DELETE from everybody, so they are lifted within the transaction and put back by its end; were the
process to die in between, the database undoes both. On PostgreSQL only who may act for the tables' owner can do this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.sql import Select, except_

from collector.store.packing import unpack
from collector.store.paging import Paging
from collector.store.schema import MIGRATION_LOCK
from collector.store.tables import change, item_version, population_state, slot_page

PROJECTIONS = ("item_version", "slot_page")


def rebuild(conn: Connection, paging: Paging) -> dict[str, int]:
    """Make every projection again, and return by table how many rows are there now that were not, or no longer are.

    *conn* is the writer's transaction, behind the log's head. Raises `StoreError` where the login may not do this.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    with _unguarded(conn):
        return {"item_version": _versions(conn), "slot_page": _pages(conn, paging)}


def _versions(conn: Connection) -> int:
    made = _made_versions()
    stored = select(*item_version.c)
    different = sum(
        int(conn.execute(select(func.count()).select_from(except_(one, two).subquery())).scalar_one())
        for one, two in ((made, stored), (stored, made))
    )
    conn.execute(delete(item_version))
    conn.execute(insert(item_version).from_select([each.name for each in item_version.c], made))
    return different


def _made_versions() -> Select[tuple[int, ...]]:
    """Return the intervals that the changes make: from the state that brought a content to the item's next change."""
    steps = (
        select(
            population_state.c.subject,
            change.c.item,
            change.c.state,
            population_state.c.at.label("since"),
            func.lead(population_state.c.at).over(partition_by=change.c.item, order_by=change.c.state).label("until"),
            change.c.artifact,
        )
        .join(population_state, population_state.c.id == change.c.state)
        .subquery()
    )
    return select(*(steps.c[each.name] for each in item_version.c)).where(steps.c.artifact.is_not(None))


def _pages(conn: Connection, paging: Paging) -> int:
    before = _stored_pages(conn)
    conn.execute(delete(slot_page))
    paging.write_all(conn)
    return len(before ^ _stored_pages(conn))


def _stored_pages(conn: Connection) -> set[tuple[object, ...]]:
    # Compared unpacked: another version of the packing makes other bytes of the same page.
    rows = conn.execute(select(slot_page)).all()
    return {(row.source, row.last, row.since, row.until, unpack(row.codec, bytes(row.bytes))) for row in rows}


@contextmanager
def _unguarded(conn: Connection) -> Iterator[None]:
    """Lift the triggers of the projections, and put back exactly those that were there."""
    if conn.dialect.name == "postgresql":
        found = conn.execute(_SERVER_GUARDS, {"tables": list(PROJECTIONS)}).all()
        for table in PROJECTIONS:
            conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        for table, name in found:
            conn.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))
        return
    guards = [row for row in conn.execute(_FILE_GUARDS).all() if row.tbl_name in PROJECTIONS]
    for row in guards:
        conn.execute(text(f"DROP TRIGGER {row.name}"))
    yield
    for row in guards:
        conn.exec_driver_sql(row.sql)


_FILE_GUARDS = text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
_SERVER_GUARDS = text(
    "SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger"
    " WHERE tgrelid = ANY(CAST(:tables AS regclass[])) AND NOT tgisinternal ORDER BY 1, 2"
)

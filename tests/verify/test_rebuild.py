"""Projections are thrown away and made again from evidence; what was different is told, and the guards are back."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from collector.clock import from_ms
from collector.errors import IntegrityError
from collector.model import Period
from collector.verify import verify
from collector.verify.verifying import record
from tests.roles.life import live

PROJECTIONS = ("item_version", "slot_page")
_GUARDS = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
EVER = Period(from_ms(0), from_ms(4_000_000_000_000))


@pytest.fixture
def lived(store):
    """A store with pages of two sweeps, and some rows of everything."""
    store._sweeps.paging.size = 2
    live(store)
    return store


def rows(store, table):
    with store._database.reading() as conn:
        return sorted(map(repr, conn.execute(text(f"SELECT * FROM {table}")).all()))


def spoil(store, *statements):
    """Do what no guard would let pass."""
    server = store._database.engine.dialect.name == "postgresql"
    with store._database.engine.begin() as conn:
        guards = []
        for table in PROJECTIONS:
            if server:
                conn.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            else:
                guards += conn.execute(_GUARDS, {"table": table}).all()
        for name, _ in guards:
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            assert conn.exec_driver_sql(statement).rowcount >= 1
        for _, sql in guards:
            conn.exec_driver_sql(sql)
        for name in ("item_version", "item_version_update", "slot_page") if server else ():
            table = name.removesuffix("_update")
            conn.exec_driver_sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER evidenced_{name}")


def test_projections_that_are_right_are_made_again_as_they_were(lived):
    before = {table: rows(lived, table) for table in PROJECTIONS}
    assert all(before.values())
    assert lived.rebuild() == {"item_version": 0, "slot_page": 0}
    assert {table: rows(lived, table) for table in PROJECTIONS} == before


def test_projections_that_were_altered_are_put_right_and_counted(lived):
    before = {table: rows(lived, table) for table in PROJECTIONS}
    changed = lived.slot_pages(EVER)
    spoil(
        lived,
        "UPDATE item_version SET since = since - 1 WHERE item = 1 AND state = 1",
        "DELETE FROM slot_page WHERE last = (SELECT min(last) FROM slot_page)",
    )
    assert lived.rebuild() == {"item_version": 2, "slot_page": 1}
    assert {table: rows(lived, table) for table in PROJECTIONS} == before
    assert lived.slot_pages(EVER) == changed


@pytest.mark.parametrize("table", PROJECTIONS)
def test_the_guards_are_back_after_a_rebuild(lived, table):
    lived.rebuild()
    with pytest.raises(Exception, match="evidence is append-only"), lived._database.engine.begin() as conn:
        conn.exec_driver_sql(f"DELETE FROM {table}")


def test_a_rebuild_that_fails_leaves_rows_and_guards_as_they_were(lived):
    spoil(lived, "UPDATE slot_page SET codec = 9")
    before = {table: rows(lived, table) for table in PROJECTIONS}
    with pytest.raises(IntegrityError):
        lived.rebuild()
    assert {table: rows(lived, table) for table in PROJECTIONS} == before
    with pytest.raises(Exception, match="evidence is append-only"), lived._database.engine.begin() as conn:
        conn.exec_driver_sql("DELETE FROM item_version")


def test_a_rebuild_is_recorded_with_what_differed(lived):
    rebuilt = lived.rebuild()
    found = verify(lived)
    leaf = record(lived, found, rebuilt)
    assert list(lived.leaves())[leaf].payload["rebuilt"] == rebuilt

"""Making a store, finding one, and bringing one up to date."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

import collector.store.tables  # noqa: F401
from collector.canonical import canonical, digest
from collector.data import data_path
from collector.errors import StoreError
from collector.log.leaf import LeafKind, encode_leaf
from collector.log.tables import log_head, log_leaf, metadata
from collector.log.tree import leaf_hash
from collector.store import open_store
from collector.store.connection import Database, parse_url
from collector.store.grants import VERSION_TABLE


def test_migrations_make_exactly_the_tables_that_the_code_uses(store):
    with store._database.reading() as conn:
        context = MigrationContext.configure(
            conn, opts={"version_table": VERSION_TABLE, "compare_type": True, "include_object": _not_the_version}
        )
        differences = [each for each in compare_metadata(context, metadata) if "comment" not in str(each[0])]
    assert differences == []


def test_a_store_from_before_leaves_were_packed_is_brought_up_to_date_with_its_log(empty_url, clock):
    genesis = encode_leaf(LeafKind.GENESIS, 1_000, {"store": "5e" * 16})
    _make_older(empty_url, "0007", genesis)
    store = open_store(empty_url, clock=clock, create=False)
    try:
        store.append_plan({}, digest(canonical({})), clock.now())
        assert [leaf.kind for leaf in store.leaves()] == [LeafKind.GENESIS, LeafKind.PLAN]
        assert next(store.leaves()).data == genesis
        test_migrations_make_exactly_the_tables_that_the_code_uses(store)
    finally:
        store.close()


def _make_older(url, revision, genesis):
    """Make a store as the version of *revision* did, its first leaf stored as it is."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).touch()
    database = Database(parse_url(url))
    config = Config()
    config.set_main_option("script_location", str(data_path("migrations")))
    with database.writing(lock=False) as conn:
        config.attributes.update(connection=conn, version_table=VERSION_TABLE)
        command.upgrade(config, revision)
        conn.execute(log_leaf.insert().values(idx=0, kind="genesis", at=1_000, bytes=genesis))
        conn.execute(log_head.insert().values(id=1, size=1, root=leaf_hash(genesis), peaks=leaf_hash(genesis)))
    database.close()


def test_a_store_keeps_its_id(store, store_url, clock):
    with_same = open_store(store_url, clock=clock, create=False)
    try:
        assert with_same.id == store.id
        assert len(store.id) == 32
    finally:
        with_same.close()


def test_two_stores_have_different_ids(tmp_path, clock):
    stores = [open_store(f"sqlite:///{tmp_path}/{name}.db", clock=clock) for name in "ab"]
    assert stores[0].id != stores[1].id
    for each in stores:
        each.close()


def test_many_openers_at_once_make_one_store(empty_url, clock):
    ids, errors = [], []

    def opening():
        try:
            store = open_store(empty_url, clock=clock)
            ids.append(store.id)
            assert len(list(store.leaves())) == 1
            store.close()
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=opening) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(ids)) == 1
    assert len(ids) == 6


def test_nothing_is_created_where_it_was_not_asked_for(empty_url, clock, tmp_path):
    with pytest.raises(StoreError, match="there is no store here") as error:
        open_store(empty_url, clock=clock, create=False)
    assert "evidenced run" in error.value.hint()
    assert not list(tmp_path.glob("*.db"))


def test_a_database_of_a_newer_version_is_refused_and_says_so(store_url, clock):
    store = open_store(store_url, clock=clock)
    with store._database.writing() as conn:
        conn.exec_driver_sql("UPDATE store_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreError, match="newer version") as error:
        open_store(store_url, clock=clock)
    assert "9999" in error.value.message
    assert "Install that version" in error.value.hint()


def test_a_database_of_something_else_is_left_alone(empty_url, clock, tmp_path):
    if empty_url.startswith("sqlite"):
        with sqlite3.connect(tmp_path / "evidence.db") as conn:
            conn.execute("CREATE TABLE invoices (id INTEGER)")
        conn.close()
    else:
        with psycopg.connect(empty_url) as conn:
            conn.execute("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(StoreError, match="belongs to something else"):
        open_store(empty_url, clock=clock)


def test_a_file_that_is_no_database_is_left_alone(tmp_path, clock):
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, today I configured the wrong path. " * 100)
    with pytest.raises(StoreError, match="not a SQLite database") as error:
        open_store(f"sqlite:///{path}", clock=clock)
    assert error.value.hint()
    assert path.read_text().startswith("Dear diary")


def test_a_folder_is_not_a_database(tmp_path, clock):
    with pytest.raises(StoreError, match="not a file"):
        open_store(f"sqlite:///{tmp_path}", clock=clock)


def test_missing_folders_are_made(tmp_path, clock):
    open_store(f"sqlite:///{tmp_path}/a/b/evidence.db", clock=clock).close()
    assert (tmp_path / "a" / "b" / "evidence.db").exists()


def test_the_database_file_is_private(tmp_path, clock):
    open_store(f"sqlite:///{tmp_path}/evidence.db", clock=clock).close()
    assert (tmp_path / "evidence.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "evidence.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://root:secret-word@localhost/x",
        "postgresql+asyncpg:/",
        "http://x:notaport/",
        "sqlite:///file:x?mode=memory&uri=true",
    ],
)
def test_a_url_that_names_no_usable_database_says_what_to_write(url, clock):
    with pytest.raises(StoreError) as error:
        open_store(url, clock=clock)
    assert "sqlite:///" in error.value.hint()
    assert "secret-word" not in str(error.value)


@pytest.mark.parametrize("driver", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_server_is_named_as_people_name_it(postgresql_url, clock, driver):
    open_store(postgresql_url.replace("postgresql", driver, 1), clock=clock).close()


def test_a_relative_path_stays_where_it_was_opened(tmp_path, clock, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///evidence.db", clock=clock)
    monkeypatch.chdir("/")
    assert len(list(store.leaves())) == 1
    store.close()
    assert Path(tmp_path, "evidence.db").exists()


def _not_the_version(_object, name, kind, *_more):
    return not (kind == "table" and name == VERSION_TABLE)

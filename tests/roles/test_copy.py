"""A copy is the same store: every answer, every byte of the log, every proof; and it goes on from there."""

from __future__ import annotations

import sqlite3
import threading
from itertools import pairwise

import psycopg
import pytest
from sqlalchemy import exc, select

from collector.errors import BusyError, EvidencedError, IntegrityError, StoreError
from collector.log.tables import metadata
from collector.log.tree import leaf_hash, verify_inclusion
from collector.store import open_store
from collector.store.connection import Database, parse_url
from collector.store.copying import copy_store
from collector.store.grants import Role
from collector.store.locks import locked
from tests.roles.life import answers, go_on, live, sign
from tests.store.conftest import Audit


class Shelf:
    """Databases by name: a file, a second one, a PostgreSQL with roles (as its writer), one that a login owns."""

    def __init__(self, folder, fixture, clock):
        self.clock, self.said, self._fixture = clock, [], fixture
        self._urls = {
            "sqlite": f"sqlite:///{folder}/first/evidence.db",
            "other sqlite": f"sqlite:///{folder}/second/evidence.db",
        }

    def url(self, name):
        if name not in self._urls:
            plain = name == "plain postgresql"
            self._urls[name] = self._fixture("postgresql_url") if plain else self.as_(Role.WRITER)
        return self._urls[name]

    def as_(self, role):
        self._urls["postgresql"] = self._fixture("ready").login(role)
        return self._urls["postgresql"]

    def open(self, name, **more):
        return open_store(self.url(name), clock=self.clock, **more)

    def write(self, name, write):
        store = self.open(name)
        write(store)
        store.close()

    def answers(self, name):
        store = self.open(name, create=False)
        try:
            return answers(store)
        finally:
            store.close()

    def copy(self, source, target, **more):
        urls = self.url(source), self.url(target)
        return copy_store(*urls, clock=self.clock, lock="daemon", progress=self.said.append, **more)


@pytest.fixture
def shelf(tmp_path, request, clock):
    """Databases with nothing in them."""
    return Shelf(tmp_path, request.getfixturevalue, clock)


WAYS = [
    ("sqlite", "postgresql"),
    ("postgresql", "sqlite"),
    ("sqlite", "other sqlite"),
    ("plain postgresql", "postgresql"),
    ("sqlite", "plain postgresql"),
]


def rows(store):
    """Return every row of every table, as the engine gives it."""
    with store._database.reading() as conn:
        return {
            table.name: [tuple(row) for row in conn.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_every_answer_of_the_copy_is_that_of_the_first(shelf, source, target):
    shelf.write(source, live)
    copied = shelf.copy(source, target)
    first, second = shelf.open(source), shelf.open(target, create=False)
    assert rows(first) == rows(second)
    assert {name: len(each) for name, each in rows(second).items()} == copied.rows
    asked = answers(first)
    assert answers(second) == asked
    assert (copied.store, copied.size, copied.root) == (first.id, asked["head"].size, asked["head"].root.hex())
    Audit(second)
    first.close()
    second.close()


@pytest.mark.parametrize(("source", "target"), WAYS[:2])
def test_every_proof_made_before_holds_in_the_copy(shelf, source, target):
    shelf.write(source, live)
    before = shelf.answers(source)
    shelf.copy(source, target)
    store = shelf.open(target)
    head = before["head"]
    for leaf, path in zip(store.leaves(), before["inclusion"], strict=True):
        verify_inclusion(leaf_hash(leaf.data), leaf.index, head.size, path, head.root)
    store.close()


@pytest.mark.parametrize(("source", "target"), WAYS[:2])
def test_the_copy_goes_on(shelf, source, target):
    shelf.write(source, live)
    shelf.copy(source, target)
    for name in (source, target):
        shelf.write(name, lambda store: go_on(store, 7))
    first, second = shelf.answers(source), shelf.answers(target)
    assert first == second
    shelf.write(target, sign)
    store = shelf.open(target)
    Audit(store)
    store.close()


def test_there_and_back_again_is_the_same_store(shelf):
    shelf.write("sqlite", live)
    for source, target in pairwise(["sqlite", "postgresql", "other sqlite", "plain postgresql"]):
        shelf.copy(source, target)
    assert shelf.answers("plain postgresql") == shelf.answers("sqlite")


def test_progress_names_every_table(shelf):
    shelf.write("sqlite", live)
    shelf.copy("sqlite", "postgresql")
    assert {each.partition(":")[0] for each in shelf.said} == {*metadata.tables, "comparing", "verifying"}


def test_a_copy_of_a_store_that_is_only_begun(shelf):
    shelf.write("sqlite", lambda _: None)
    assert shelf.copy("sqlite", "postgresql").size == 1
    shelf.write("postgresql", live)


@pytest.mark.parametrize(("source", "target"), WAYS[:3])
def test_the_target_must_be_empty(shelf, source, target):
    shelf.write(source, live)
    shelf.write(target, lambda _: None)
    before = shelf.answers(target)
    with pytest.raises(StoreError, match="there is a store here already") as error:
        shelf.copy(source, target)
    assert error.value.hint()
    assert shelf.answers(target) == before


def test_contents_without_a_log_are_not_an_empty_target(shelf):
    shelf.write("sqlite", live)
    with pytest.raises(EvidencedError):
        shelf.copy("sqlite", "postgresql", check=refuse)  # leaves the tables
    with psycopg.connect(shelf.url("postgresql")) as conn:
        conn.execute("INSERT INTO artifact (id, digest, length, codec, bytes) VALUES (1, '', 0, 0, '')")
    with pytest.raises(StoreError, match="there is a store here already"):
        shelf.copy("sqlite", "postgresql")


def test_something_elses_database_is_left_alone(shelf, tmp_path):
    shelf.write("sqlite", live)
    (tmp_path / "second").mkdir()
    with sqlite3.connect(tmp_path / "second" / "evidence.db") as conn:
        conn.execute("CREATE TABLE invoices (id INTEGER)")
    conn.close()
    with pytest.raises(StoreError, match="belongs to something else"):
        shelf.copy("sqlite", "other sqlite")


def test_a_store_is_not_copied_onto_itself(shelf):
    shelf.write("sqlite", live)
    with pytest.raises(StoreError, match="onto itself"):
        shelf.copy("sqlite", "sqlite")


def test_there_must_be_a_store_to_copy(shelf):
    for source, target in WAYS[:2]:
        with pytest.raises(StoreError, match="there is no store here"):
            shelf.copy(source, target)


@pytest.mark.parametrize("held", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("source", "target"), WAYS[:2])
def test_nothing_is_copied_while_a_daemon_runs_on_either(shelf, source, target, held):
    shelf.write(source, live)
    if held == target:
        # A daemon that has just begun, seen from the target's side: its tables are there and it holds the lock.
        with pytest.raises(EvidencedError):
            shelf.copy(source, target, check=refuse)
    database = Database(parse_url(shelf.url(held)))
    with locked(database, "daemon"), pytest.raises(BusyError, match="daemon is held"):
        shelf.copy(source, target)
    database.close()
    shelf.copy(source, target)


def refuse(_store):
    raise IntegrityError("I do not like it")


@pytest.mark.parametrize(("source", "target"), WAYS[:3])
def test_what_is_refused_at_the_end_was_never_copied_and_may_be_tried_again(shelf, source, target):
    shelf.write(source, live)
    with pytest.raises(IntegrityError, match="I do not like it"):
        shelf.copy(source, target, check=refuse)
    with pytest.raises(StoreError, match="there is no store here"):
        shelf.open(target, create=False)
    shelf.copy(source, target)
    assert shelf.answers(target) == shelf.answers(source)


@pytest.mark.parametrize(("source", "target"), WAYS[:2])
def test_a_source_that_is_written_to_meanwhile_is_not_copied(shelf, source, target):
    """A tag by hand needs no daemon."""
    shelf.write(source, live)

    def write_meanwhile(_copy):
        writer = threading.Thread(
            target=shelf.write, args=(source, lambda store: store.append_tag("run:1-0", "C-1", "", "Ana"))
        )
        writer.start()
        writer.join()

    with pytest.raises(StoreError, match="was written to while it was copied"):
        shelf.copy(source, target, check=write_meanwhile)
    with pytest.raises(StoreError, match="there is no store here"):
        shelf.open(target, create=False)


def test_what_is_no_row_of_ours_in_the_source_is_not_copied(shelf, tmp_path):
    shelf.write("sqlite", live)
    alter(tmp_path, "UPDATE sweep SET last = 7 WHERE id = 1")
    with pytest.raises(IntegrityError, match="sweep 1: last is not yes or no"):
        shelf.copy("sqlite", "postgresql")
    alter(tmp_path, "UPDATE sweep SET last = 'yes' WHERE id = 1")
    with pytest.raises(IntegrityError, match="sweep 1: last"):
        shelf.copy("sqlite", "postgresql")


def test_a_log_that_does_not_add_up_is_not_copied(shelf, tmp_path):
    shelf.write("sqlite", live)
    alter(tmp_path, "UPDATE log_leaf SET at = at + 1 WHERE idx = 2")
    with pytest.raises(IntegrityError, match="log leaf 2"):
        shelf.copy("sqlite", "postgresql")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE artifact SET bytes = zeroblob(9), codec = 0, length = 9 WHERE id = 1", "another digest"),
        ("UPDATE population_state SET root = zeroblob(32)", "do not make its root"),
        ("UPDATE population_state SET count = count + 1", "do not make its root"),
        ("DELETE FROM item_version WHERE until IS NULL", "do not make its root"),
    ],
)
def test_contents_and_populations_that_do_not_add_up_are_not_copied(shelf, tmp_path, statement, said):
    shelf.write("sqlite", live)
    alter(tmp_path, statement)
    with pytest.raises(IntegrityError, match=said):
        shelf.copy("sqlite", "other sqlite")


def test_text_that_postgresql_cannot_hold_is_told_and_nothing_is_copied(shelf, tmp_path):
    shelf.write("sqlite", live)
    alter(tmp_path, "UPDATE tag SET note = 'a' || char(0) || 'b' WHERE id = 1")
    with pytest.raises(StoreError, match="NUL"):
        shelf.copy("sqlite", "postgresql")


def alter(folder, statement):
    """Change the first SQLite store as somebody who owns the file and drops the guards."""
    with sqlite3.connect(folder / "first" / "evidence.db") as conn:
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f"DROP TRIGGER {name}")
        conn.execute(statement)
    conn.close()


def test_a_row_that_arrives_otherwise_stops_the_copy(shelf, ready):
    """A trigger of somebody else on the target, say."""
    shelf.write("sqlite", live)
    at = ready.prefix
    ready.sql(
        f"CREATE FUNCTION {at}.shout() RETURNS trigger LANGUAGE plpgsql AS"
        f" 'BEGIN NEW.note := upper(NEW.note); RETURN NEW; END';"
        f" CREATE TRIGGER shout BEFORE INSERT ON {at}.tag FOR EACH ROW EXECUTE FUNCTION {at}.shout()"
    )
    with pytest.raises(IntegrityError, match="tag 1: it did not arrive as it was"):
        shelf.copy("sqlite", "postgresql")


def test_the_reader_is_enough_for_the_source(shelf):
    shelf.write("postgresql", live)
    shelf.as_(Role.READER)
    shelf.copy("postgresql", "sqlite")
    assert shelf.answers("sqlite") == shelf.answers("postgresql")


def test_the_reader_is_not_enough_for_the_target(shelf):
    shelf.write("sqlite", live)
    shelf.as_(Role.READER)
    with pytest.raises(StoreError, match="lacks a permission"):
        shelf.copy("sqlite", "postgresql")


def test_the_copy_is_guarded_like_any_store(shelf):
    shelf.write("postgresql", live)
    shelf.copy("postgresql", "sqlite")
    store = shelf.open("sqlite")
    with pytest.raises(exc.DBAPIError, match="evidence is append-only"), store._database.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE sweep SET due = due + 1")
    store.close()

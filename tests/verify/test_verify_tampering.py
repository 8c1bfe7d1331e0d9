"""The tamper matrix: every column changed, every row deleted, swapped or put in, by one who owns the database.

Triggers are gone and constraints off, as for an attacker with the file. What each case comes to *from the database
alone* is stated; where that is "intact", the reason is stated with it, and whether a checkpoint held elsewhere tells.
"""

from __future__ import annotations

import shutil
from functools import partial
from itertools import product

import pytest
from sqlalchemy import Boolean, LargeBinary, Text, UniqueConstraint, create_engine, event, select, update

from collector.canonical import digest
from collector.log.tables import metadata
from collector.store.connection import parse_url
from collector.store.dictionaries import name_of
from collector.store.evidence import Evidence, lenient_text
from collector.store.packing import unpack
from collector.verify import HeldNote, Verdict, verify_evidence
from collector.verify.differences import Differences
from tests.conftest import fresh_database
from tests.fakes.sealed import FIRST, Ring

TABLES = sorted(metadata.tables)
KEYS = {name: [each.name for each in table.primary_key] for name, table in metadata.tables.items()}
COLUMNS = [(name, column.name) for name in TABLES for column in metadata.tables[name].columns]

# Not detected from the database alone, nor by a checkpoint held elsewhere: no leaf commits to it, by design.
NEVER_DETECTED = {
    ("actor", "name"): "people's names are erasable, so nothing commits to them; claims name people by number",
}
ERASED = ("erased, each by a tombstone: 8 contents, 3 items, 2 names of people",)
# The bytes mean the same with another word beside them; what they mean is compared, not how they are packed.
OTHER_VALUE = {
    ("artifact", "codec"): 0,
    ("sweep", "codec"): 0,
    ("dictionary", "codec"): 0,
    ("slot_page", "codec"): 0,
}


def rows(conn, name):
    table = metadata.tables[name]
    return [dict(row._mapping) for row in conn.execute(select(table).order_by(*table.primary_key))]


def at(name, row):
    table = metadata.tables[name]
    return [table.c[each] == row[each] for each in KEYS[name]]


def spread(conn, found, *, in_file, on_server):
    """Return as many of the rows *found*, the first and the last among them (of one: the last).

    A server's rows come to the verifier as those of a file do, only four times slower: what differs is the driver, not
    the row. So all rows are tried in a file, and some of each table on a server.
    """
    count = min(len(found), on_server if conn.dialect.name == "postgresql" else in_file)
    return [found[-1 - (len(found) - 1) * at // max(count - 1, 1)] for at in range(count)]


def other(column, value):
    """Return a value that *column* could hold as well: near the old one, but beyond all others where it is a key."""
    if (column.table.name, column.name) in OTHER_VALUE:
        return OTHER_VALUE[column.table.name, column.name]
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, LargeBinary):
        return (value or b"")[:-1] + bytes([(value or b"\0")[-1] ^ 1])
    if isinstance(column.type, Text):
        return f"{value or ''}x"
    return (value or 0) + (10_007 if column.primary_key or column.foreign_keys else 1)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request):
    """The made store without its triggers, and without a constraint that is enforced; on each engine in turn."""
    return request.getfixturevalue(f"{request.param}_engine")


@pytest.fixture(scope="session")
def sqlite_engine(made, tmp_path_factory):
    """The made store in a file, as for whoever may write to the file."""
    path = tmp_path_factory.mktemp("altered") / "evidence.db"
    shutil.copyfile(made / "evidence.db", path)
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def lift(connection, _):
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")

    @event.listens_for(engine, "begin")
    def begin(conn):
        conn.exec_driver_sql("BEGIN")

    with engine.begin() as conn:
        for (name,) in conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_engine(site_at, postgresql_server, tmp_path_factory):
    """The same history on a server, as for its superuser."""
    with fresh_database(postgresql_server) as url:
        site = site_at(tmp_path_factory.mktemp("server"), url)
        site.live()
        site.close()
        engine = create_engine(parse_url(url), isolation_level="REPEATABLE READ")
        with engine.begin() as conn:
            conn.exec_driver_sql("ALTER TABLE log_head DROP CONSTRAINT ck_log_head_one_row")
            for each in TABLES:
                conn.exec_driver_sql(f"ALTER TABLE {each} DISABLE TRIGGER ALL")
        yield engine
        engine.dispose()


@pytest.fixture
def attacker(engine):
    """A transaction on the made store that is rolled back in the end."""
    with engine.connect() as conn:
        yield conn
        conn.rollback()


@pytest.fixture
def verdict(attacker):
    """What a verification of the store as altered comes to; `rollback` undoes the alteration."""
    return partial(verdict_of, attacker)


def verdict_of(conn, **more):
    differences = Differences()
    with lenient_text(conn):
        evidence = Evidence(conn, differences.add, lambda *_: None)
        return verify_evidence(evidence, differences, **{"sealed_with": Ring(FIRST)} | more)


def test_the_store_as_made_is_intact_and_has_several_rows_of_everything(attacker, verdict):
    found = verdict()
    assert (found.verdict, found.differences, found.remarks) == (Verdict.INTACT, (), ERASED)
    assert found.rows == {name: len(rows(attacker, name)) for name in TABLES}
    assert all(found.rows[name] for name in TABLES)
    assert {name for name in TABLES if found.rows[name] == 1} == ONE_ROW


@pytest.mark.parametrize("place", COLUMNS, ids=".".join)
def test_another_value_in_a_column_is_found(attacker, verdict, place):
    name, column = place
    table, expected = metadata.tables[name], (name, column) not in NEVER_DETECTED
    for row in spread(attacker, rows(attacker, name), in_file=2, on_server=1):
        value = other(table.c[column], row[column])
        if value == row[column]:
            value = row[column] + 1
        done = attacker.execute(update(table).where(*at(name, row)).values({column: value}))
        assert done.rowcount == 1
        assert bool(verdict().count) == expected, (row, value)
        attacker.rollback()


@pytest.mark.parametrize("name", TABLES)
def test_a_row_that_is_deleted_is_found(attacker, verdict, name):
    found = rows(attacker, name)
    for row in spread(attacker, found, in_file=len(found), on_server=16):
        assert attacker.execute(metadata.tables[name].delete().where(*at(name, row))).rowcount == 1
        assert verdict().verdict is Verdict.ALTERED, row
        attacker.rollback()


ONE_ROW = {"log_head", "log_epoch", "signing_key"}
"""Tables of the made store that have one row alone: what takes two is tried on all others."""
SWAPPED = [name for name in TABLES if len(KEYS[name]) < len(metadata.tables[name].columns) and name not in ONE_ROW]


def put_back(conn, name, contents):
    """Put *contents* in the place of all rows of the table."""
    table = metadata.tables[name]
    conn.execute(table.delete())
    conn.execute(table.insert(), contents)


def exchange(conn, name, order):
    """Give the rows of the table, but for their keys, to one another: the place *at* gets what stood at ``order[at]``.

    Names of people move among people who have one: that a name stands where it was erased is another matter.
    """
    found = rows(conn, name)
    moving = [row for row in found if name != "actor" or row["name"] is not None]
    moved = [moving[at] for at in order(len(moving))]
    pairs = zip(moving, moved, strict=True)
    changed = [there | {key: here[key] for key in KEYS[name]} for here, there in pairs]
    put_back(conn, name, [*changed, *(row for row in found if row not in moving)])


def expected_of(name):
    """Return what an exchange of rows comes to: of people it exchanges their names alone."""
    return Verdict.INTACT if (name, "name") in NEVER_DETECTED else Verdict.ALTERED


@pytest.mark.parametrize("name", SWAPPED)
def test_two_rows_that_changed_places_are_found(attacker, verdict, name):
    exchange(attacker, name, lambda count: [count - 1, *range(1, count - 1), 0])
    assert verdict().verdict is expected_of(name)


@pytest.mark.parametrize("name", SWAPPED)
def test_rows_in_another_order_are_found(attacker, verdict, name):
    """Each row's contents stand one place further, the last one's first."""
    exchange(attacker, name, lambda count: [count - 1, *range(count - 1)])
    assert verdict().verdict is expected_of(name)


@pytest.mark.parametrize("name", TABLES)
def test_a_row_that_is_put_in_between_is_found(attacker, verdict, name):
    """A copy of a row in the middle of the past; where rows are numbered, those after it make room."""
    found = rows(attacker, name)
    put_back(attacker, name, [*found[:1], *between(name, found)])
    assert verdict().verdict is Verdict.ALTERED


def between(name, found):
    """Return all rows but the first, and one more that comes before the last of them (before all, if none is free)."""
    (key, *more), table = KEYS[name], metadata.tables[name]
    if not more:
        constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
        own = {column.name: other(column, found[0][column.name]) for each in constraints for column in each.columns}
        return [found[0] | {key: found[0][key] + 1} | own, *({**row, key: row[key] + 1} for row in found[1:])]
    taken = {tuple(row[each] for each in KEYS[name]) for row in found}
    free = product(*(sorted({row[each] for row in found}) for each in KEYS[name]))
    place = next((each for each in free if each not in taken), None) or tuple(
        value - 1 if isinstance(value, int) else value for value in min(taken)
    )
    return [*found[1:], found[0] | dict(zip(KEYS[name], place, strict=True))]


# A row of these that nothing refers to is no evidence of anything.
MAY_BE_PUT_IN = {
    "artifact": "contents may be stored ahead of the sweep that names them; nothing reads one that nothing names",
    "snapshot_request": "no leaf commits to a request before a sweep answers it; a remark says so",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_that_is_put_in_is_found(attacker, verdict, name):
    """A copy of the first row under the next key, otherwise as true to form as the writer makes it."""
    table, found = metadata.tables[name], rows(attacker, name)
    row = dict(found[0])
    for key in KEYS[name]:
        if isinstance(row[key], int):
            row[key] = max(each[key] for each in found) + 1
    if name == "artifact":
        row |= {"digest": b"\x12" * 32}
    for key, value in row.items():
        if isinstance(value, str) and key in ("name", "scope", "authority", "anchor"):
            row[key] = f"{value}x"
    if name == "dictionary":
        words = unpack(row["codec"], row["bytes"])
        row |= {"family": "another", "digest": name_of("another", words)}
    if name == "item":
        row |= {"key_digest": b"\x12" * 32, "key": None}
    attacker.execute(table.insert().values(**row))
    expected = Verdict.ALTERED if name != "snapshot_request" else Verdict.INTACT
    assert verdict().verdict is expected
    assert (expected is Verdict.INTACT) == (name in MAY_BE_PUT_IN and name != "artifact")


def test_a_true_content_that_nothing_names_alters_nothing(attacker, verdict):
    table = metadata.tables["artifact"]
    number = max(row["id"] for row in rows(attacker, "artifact")) + 1
    attacker.execute(table.insert().values(id=number, digest=digest(b"{}"), length=2, codec=0, bytes=b"{}", uri=None))
    assert verdict().verdict is Verdict.INTACT, MAY_BE_PUT_IN["artifact"]


def test_a_request_that_waits_can_be_removed_unseen_and_the_remark_told_so(attacker, verdict):
    table = metadata.tables["snapshot_request"]
    row = rows(attacker, "snapshot_request")[-1] | {"id": 3, "reason": "waiting"}
    attacker.execute(table.insert().values(**row))
    assert verdict().remarks == (*ERASED, "snapshot request 3 is not answered yet: no leaf commits to it")
    attacker.execute(table.delete().where(table.c.id == 3))
    assert verdict().verdict is Verdict.INTACT


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_emptied_is_found(attacker, verdict, name):
    attacker.execute(metadata.tables[name].delete())
    assert verdict().verdict is Verdict.ALTERED


def test_a_table_or_a_column_that_is_gone_is_found(attacker, verdict):
    attacker.exec_driver_sql("DROP TABLE volatile")
    attacker.exec_driver_sql("ALTER TABLE tag DROP COLUMN note")
    assert {each.what for each in verdict().differences} == {"volatile is not there", "tag.note is not there"}


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE artifact SET length = 'many' WHERE id = 1", ("artifact", "1")),
        ("UPDATE artifact SET bytes = 99999999999 WHERE id = 1", ("artifact", "1")),
        ("UPDATE artifact SET bytes = NULL WHERE id = 1", ("artifact", "1")),
        ("UPDATE sweep SET sheet = x'00' WHERE id = 1", ("sweep", "1")),
        ("UPDATE sweep SET trigger = 'whim' WHERE id = 1", ("sweep", "1")),
        ("UPDATE subject SET kind = CAST(x'ff' AS TEXT) WHERE id = 1", ("sweep", "1")),
        ("UPDATE checkpoint SET note = x'ff' WHERE id = 1", ("checkpoint", "1")),
        (
            "UPDATE checkpoint_anchor SET receipt = CAST(x'ff' AS TEXT) WHERE checkpoint = 1",
            ("checkpoint_anchor", "vault/1"),
        ),
        ("UPDATE signing_key SET key = 'x'", ("signing_key", "1")),
        ("UPDATE log_leaf SET bytes = x'00' WHERE idx = 3", ("log_leaf", "3")),
        ("UPDATE log_leaf SET bytes = 5 WHERE idx = 0", ("log_leaf", "0")),
        ("UPDATE item SET key_digest = x'00' WHERE id = 1", ("item", "1")),
        ("UPDATE population_state SET at = 4.5 WHERE id = 1", ("population_state", "1")),
    ],
)
def test_what_cannot_be_read_is_a_difference_and_not_a_crash(sqlite_engine, statement, where):
    """SQLite keeps anything in any column; a server's columns take nothing but their type."""
    with sqlite_engine.connect() as conn:
        assert conn.exec_driver_sql(statement).rowcount >= 1
        found = verdict_of(conn, notes=[HeldNote("mine", b"no note")])
        conn.rollback()
    assert where in {(each.table, each.row) for each in found.differences}


@pytest.mark.parametrize("statement", ["UPDATE item SET key = NULL", "UPDATE actor SET name = NULL"])
def test_a_key_or_a_name_that_goes_without_a_tombstone_is_found(attacker, verdict, statement):
    attacker.exec_driver_sql(statement)
    assert verdict().verdict is Verdict.ALTERED

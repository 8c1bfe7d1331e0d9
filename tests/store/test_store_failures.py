"""Bad days: each is a `StoreError` that says what to do, nothing is lost, and the store works again afterwards."""

from __future__ import annotations

import os
import random
import socket
import sqlite3
import sys
import tempfile
import traceback
import uuid
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from collector.errors import StoreError
from collector.store import open_store

PASSWORD = "correct-horse"
HOUR = timedelta(hours=1)
LOG_FILE = 16 * 1024 * 1024  # the size of each file of the server's own log, which must not be kept from growing


@pytest.fixture
def sqlite_store(sqlite_url, clock):
    """A store in a SQLite file that does not wait long for another writer."""
    store = open_store(f"{sqlite_url}?timeout=0.1", clock=clock)
    yield store
    store.close()


def test_a_full_disk_loses_nothing_and_is_over_when_there_is_space(sqlite_store, new_hand, audit, noon, hour):
    hand = new_hand(sqlite_store)
    hand.see({"a": {}}, noon)
    engine = sqlite_store._database.engine
    allow_pages(engine, 60)
    big = {f"k{number}": {"text": uuid.uuid4().hex * 40} for number in range(300)}
    with pytest.raises(StoreError, match="no space left") as error:
        hand.see(big, noon + hour)
    assert "Free disk space" in error.value.hint()
    assert len(sqlite_store.head(hand.subject).contents) == 1
    allow_pages(engine, 10**9)
    hand.see(big, noon + hour)
    assert len(sqlite_store.head(hand.subject).contents) == 300
    audit(sqlite_store)


def test_a_full_disk_of_the_server_loses_nothing_and_is_over_when_there_is_space(
    own_server, clock, new_hand, audit, noon
):
    store = open_store(own_server.database(), clock=clock)
    hand = new_hand(store)
    hand.see({"a": {}}, noon)
    own_server.let_files_grow_to(LOG_FILE)
    big = {f"k{number}": {"text": random.Random(number).randbytes(20_000).hex()} for number in range(900)}
    with pytest.raises(StoreError, match="no space left") as error:
        hand.see(big, noon + HOUR)
    assert "Free disk space" in error.value.hint()
    assert len(store.head(hand.subject).contents) == 1
    audit(store)
    own_server.let_files_grow_to(None)
    hand.see(big, noon + HOUR)
    assert len(store.head(hand.subject).contents) == 900
    audit(store)
    store.close()


def test_a_server_whose_own_log_found_no_space_ends_and_comes_back_with_all_that_was_acknowledged(
    own_server, clock, new_hand, audit, noon
):
    store = open_store(own_server.database(), clock=clock)
    hand = new_hand(store)
    hand.see({"a": {}}, noon)
    later = hand.sweep(hand.saw({"a": {"v": 2}}, noon + HOUR))
    own_server.let_files_grow_to(8192)
    with pytest.raises(StoreError, match="no space left"):
        store.append(later)
    own_server.wait_for_its_end()
    with pytest.raises(StoreError, match="cannot be reached"):
        store.append(later)
    own_server.up()
    store.append(later)
    assert len(store.runs()) == 2
    audit(store)
    store.close()


def allow_pages(engine, pages):
    """Let the database grow to *pages*, as a disk that is full at that size."""
    engine.dispose()
    for listener in list(engine.pool.dispatch.connect):
        if listener.__name__ == "limit":
            event.remove(engine, "connect", listener)

    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "connect", limit)


def test_a_locked_sqlite_database_is_waited_for_then_named(sqlite_store, sqlite_url, new_hand, noon):
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process holds the write lock"):
        new_hand(sqlite_store).see({}, noon)
    assert sqlite_store.subjects() == []
    other.execute("ROLLBACK")
    other.close()
    new_hand(sqlite_store).see({}, noon)


def test_a_locked_postgresql_database_is_waited_for_then_named(postgresql_url, clock, new_hand, noon):
    store = open_store(f"{postgresql_url}&options=-c%20lock_timeout%3D100", clock=clock)
    with psycopg.connect(postgresql_url) as other:
        other.execute("SELECT * FROM log_head FOR UPDATE")
        with pytest.raises(StoreError, match="another process holds the write lock"):
            new_hand(store).see({}, noon)
    new_hand(store).see({}, noon)
    store.close()


def test_a_database_file_that_was_taken_away_takes_no_more_writes(sqlite_store, sqlite_url, new_hand, noon, hour):
    """The open file would go on taking writes, and nobody would ever read them."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    hand = new_hand(sqlite_store)
    hand.see({}, noon)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(StoreError, match="removed or replaced"):
        hand.see({}, noon + hour)
    path.write_bytes(b"")
    with pytest.raises(StoreError, match="removed or replaced"):
        hand.see({}, noon + hour)
    path.with_suffix(".away").rename(path)
    hand.see({}, noon + hour)
    assert len(sqlite_store.runs()) == 2


def test_a_damaged_file_is_named_as_such(sqlite_url, clock, new_hand, noon):
    store = open_store(sqlite_url, clock=clock)
    new_hand(store).see({f"k{number}": {"n": number} for number in range(500)}, noon)
    store.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged") as error:
        open_store(sqlite_url, clock=clock)
    assert "backup" in error.value.hint()


def test_a_place_where_nothing_can_be_written_is_named(clock):
    place = "/proc/evidence.db" if sys.platform == "linux" else "/dev/null/evidence.db"
    with pytest.raises(StoreError) as error:
        open_store(f"sqlite:///{place}", clock=clock)
    assert place.rpartition("/")[0] in error.value.message


def test_a_database_that_this_user_may_not_write_is_named_until_he_may(clock, new_hand, noon):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        url = f"sqlite:///{folder}/evidence.db"
        open_store(url, clock=clock).close()
        Path(folder, "evidence.db").chmod(0o444)
        Path(folder).chmod(0o555)
        said = as_another_user(lambda: open_store(url, clock=clock))
        assert said.startswith("StoreError")
        assert f"{folder}/evidence.db" in said
        assert "write" in said or "may" in said
        Path(folder).chmod(0o755)
        Path(folder, "evidence.db").chmod(0o644)
        store = open_store(url, clock=clock)
        new_hand(store).see({}, noon)
        store.close()


def as_another_user(action):
    """Return what *action* raised (type, message, hint) in a process without the rights of the superuser."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            action()
            said = "nothing"
        except BaseException as error:  # noqa: BLE001
            said = f"{type(error).__name__} {error} {getattr(error, 'hint', str)()}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        return answer.read()


def test_a_server_that_vanishes_is_named_and_found_again(wire, clock, new_hand, audit, noon):
    store = open_store(wire.url, clock=clock)
    hand = new_hand(store)
    hand.see({"a": {}}, noon)
    later = hand.sweep(hand.saw({"a": {"v": 2}}, noon + timedelta(hours=1)))
    wire.cut()
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be reached") as error:
            store.append(later)
        assert "PostgreSQL" in error.value.hint()
        with pytest.raises(StoreError, match="cannot be reached"):
            store.subjects()
    wire.mend()
    store.append(later)
    assert len(store.runs()) == 2
    audit(store)
    store.close()


def test_a_lost_answer_to_a_commit_can_be_asked_for_again(wire, clock, new_hand, audit, noon):
    """The commit reached the server, its answer did not reach us: trying again records nothing twice."""
    store = open_store(wire.url, clock=clock)
    sweep = new_hand(store).sweep(new_hand(store).saw({"a": {}}, noon))

    def mute(_connection):
        wire.muted = True

    event.listen(store._database.engine, "commit", mute)
    with pytest.raises(StoreError):
        store.append(sweep)
    event.remove(store._database.engine, "commit", mute)
    wire.mend()
    receipt = store.append(sweep)
    assert (receipt.sweep, receipt.leaf) == (1, 1)
    assert len(store.runs()) == 1
    audit(store)
    store.close()


def test_connections_that_the_server_ended_are_made_again(postgresql_url, clock, new_hand, noon, hour):
    store = open_store(postgresql_url, clock=clock)
    new_hand(store).see({}, noon)
    with psycopg.connect(postgresql_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    new_hand(store).see({}, noon + hour)
    assert len(store.runs()) == 2
    store.close()


def test_an_unreachable_server_is_named_without_the_password(clock):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StoreError, match="cannot be reached") as error:
        open_store(f"postgresql://ana:{PASSWORD}@127.0.0.1:{port}/evidence", clock=clock)
    assert f"127.0.0.1:{port}" in error.value.message
    assert PASSWORD not in everything_said(error.value)


@pytest.mark.parametrize("more", ["?bogus=1", "?sslmode=verify-full&sslrootcert=/nowhere", "?connect_timeout=soon"])
def test_a_wrong_option_is_named_without_the_password(clock, more):
    with pytest.raises(StoreError) as error:
        open_store(f"postgresql://ana:{PASSWORD}@127.0.0.1:1/evidence{more}", clock=clock)
    assert PASSWORD not in everything_said(error.value)


def test_a_password_given_as_an_option_is_not_shown_either(clock):
    with pytest.raises(StoreError) as error:
        open_store(f"postgresql://127.0.0.1:1/evidence?user=ana&password={PASSWORD}", clock=clock)
    assert PASSWORD not in everything_said(error.value)


def test_a_missing_database_is_named_with_how_to_create_it(postgresql_url, clock):
    with pytest.raises(StoreError, match="does not exist") as error:
        open_store(postgresql_url.replace("?", "_gone?"), clock=clock)
    assert "createdb" in error.value.hint()


def test_a_read_only_server_is_named_until_it_is_writable(postgresql_url, clock, new_hand, noon):
    store = open_store(postgresql_url, clock=clock)
    name = postgresql_url.split("/")[3].partition("?")[0]
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        store.close()
        with pytest.raises(StoreError, match="read-only") as error:
            new_hand(store).see({}, noon)
        assert "primary" in error.value.hint()
        assert store.subjects() == []
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    store.close()
    new_hand(store).see({}, noon)
    store.close()


def test_a_user_without_rights_is_told_so(postgresql_url, clock):
    role = f"weak{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN")
        try:
            with pytest.raises(StoreError, match="may not make one") as error:
                open_store(postgresql_url.replace("postgres:@", f"{role}@"), clock=clock)
            assert error.value.hint()
        finally:
            admin.execute(f"DROP ROLE {role}")


def everything_said(error):
    """Return all that a log could show of *error*, its causes included."""
    return "".join(traceback.format_exception(error)) + error.hint() + repr(error)

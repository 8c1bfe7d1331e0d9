"""The database behind the store: one engine, two kinds of transaction, and what each engine needs set.

- SQLite: WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` for writes; the file is never created by a connection.
- PostgreSQL: psycopg 3, reads in one snapshot (REPEATABLE READ), connections tried before use.
- Writes stand in line: within the process by a lock, between processes by the database's own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from collector.errors import StoreError
from collector.log.tables import log_head
from collector.store.failures import translated
from collector.store.policies import WHOLE, RowSecurity

_LOCK_WAIT_S = 30.0
_CONNECT_WAIT_S = 10
_BEGIN = "evidenced_begin"
_LOCK = select(log_head.c.id).with_for_update()
Begin = Callable[[Connection, RowSecurity], None]
"""What a transaction that reads starts with."""


class Renewable(Protocol):
    """A lock on the server."""

    def renew(self) -> None:
        """Make sure that the lock is still ours. Raises `BusyError` when somebody else took it meanwhile."""


class Database:
    """Connections to one database. Thread-safe."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.path = _sqlite_path(url)
        self.engine = _sqlite_engine(self.path, url) if self.path else _postgresql_engine(url)
        self.held: set[Renewable] = set()
        self._row_security = RowSecurity()
        self._begin: Begin = lambda conn, security: security.limit(conn, WHOLE)
        self._writing = threading.Lock()
        self._kept = threading.local()
        self._inode: tuple[int, int] | None = None

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """Let everything that this thread reads meanwhile see one state of the database. Raises `StoreError`."""
        with self.reading() as conn:
            self._kept.conn = conn
            try:
                yield
            finally:
                self._kept.conn = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and writes nothing. Raises `StoreError`."""
        kept: Connection | None = getattr(self._kept, "conn", None)
        if kept is not None:
            yield kept
            return
        with translated(self.url), self.engine.connect() as conn:
            if not self.path:
                conn.execution_options(isolation_level="REPEATABLE READ")
            with conn.begin():
                self._begin(conn, self._row_security)
                yield conn

    def beginning(self, begin: Begin) -> Database:
        """Return this database for reading through: each transaction starts with what *begin* does.

        It shares the connections. On PostgreSQL *begin* says what the transaction may see (`Limits`).
        """
        made = copy(self)
        made._begin = begin
        return made

    def record_for(self, conn: Connection, engagement: int) -> None:
        """Let the writer's transaction *conn* record at the desk for *engagement* alone."""
        self._row_security.limit(conn, replace(WHOLE, records=str(engagement)))

    @contextmanager
    def writing(self, *, lock: bool = True, one_state: bool = False) -> Iterator[Connection]:
        """The only writer's transaction: committed at the end, rolled back when anything raises. Raises `StoreError`;
        `BusyError` when a lock that was held is no longer ours.

        *lock* takes the log's head row, behind which all writers of the store stand in line. With *one_state* it sees
        one state of the database and its own changes, as `reading` does.
        """
        with self._writing, translated(self.url):
            self._require_same_file()
            for each in list(self.held):
                each.renew()
            options: dict[str, Any] = {_BEGIN: "BEGIN IMMEDIATE"}
            if one_state and not self.path:
                options["isolation_level"] = "REPEATABLE READ"
            with self.engine.connect().execution_options(**options) as conn, conn.begin():
                self._row_security.limit(conn, WHOLE)
                if lock:
                    conn.execute(_LOCK)
                yield conn

    def truncate_wal(self) -> bool:
        """Write what SQLite's write-ahead log holds into the file and empty it; False when a reader is in the way."""
        if not self.path:
            return True
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy
        finally:
            raw.close()

    def remember_file(self) -> None:
        """Note which file is open, so that one put in its place is not taken for it."""
        self._inode = _inode(self.path) if self.path else None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _require_same_file(self) -> None:
        # An open SQLite file that was removed goes on taking writes that nobody will ever read.
        if self.path and self._inode and _inode(self.path) != self._inode:
            raise StoreError(
                f"{self.path}: the database file was removed or replaced while it was open",
                hint="Put the file back, or restart to open the one that is there now.",
            )


def parse_url(text: str) -> URL:
    """Return the database URL *text* names. Raises `StoreError` when it is none, or of an engine we do not use."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError("store.url is not a database URL", hint=_URL_HINT) from None
    backend = url.get_backend_name()
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise StoreError("store.url names no file for SQLite", hint=_URL_HINT)
        return url
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"store.url: {backend} is not an engine the store runs on", hint=_URL_HINT)


_URL_HINT = "Write sqlite:///evidence.db or postgresql://USER@HOST/DATABASE."


def _sqlite_path(url: URL) -> Path | None:
    return Path(str(url.database)).absolute() if url.get_backend_name() == "sqlite" else None


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _sqlite_engine(path: Path, url: URL) -> Engine:
    wait_s = float(str(url.query.get("timeout", _LOCK_WAIT_S)))

    def connect() -> sqlite3.Connection:
        # mode=rw: were the file gone, a connection would otherwise make an empty one in its place.
        conn = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw", uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False
        )
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "trusted_schema=OFF"):
            conn.execute(f"PRAGMA {pragma}")
        return conn

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=8, max_overflow=32)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql(conn.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine


def server_options(url: URL) -> dict[str, Any]:
    """Return how to connect to a PostgreSQL at *url*: under our name and process id, and not waiting for ever."""
    options: dict[str, Any] = {"application_name": f"evidenced {os.getpid()}"}
    if "connect_timeout" not in url.query:
        options["connect_timeout"] = _CONNECT_WAIT_S
    return options


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url, connect_args=server_options(url), pool_pre_ping=True, pool_size=8, max_overflow=32, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute(
            "SELECT set_config('lock_timeout', %s, false) WHERE current_setting('lock_timeout') = '0'",
            (f"{_LOCK_WAIT_S:.0f}s",),
        )
        # A commit that is acknowledged must be on disk, whatever the server's default.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
        connection.autocommit = False

    return engine


def size(conn: Connection) -> int:
    """Return how many bytes the database of *conn* takes."""
    postgresql = conn.dialect.name == "postgresql"
    query = "SELECT pg_database_size(current_database())" if postgresql else _SQLITE_SIZE
    return int(conn.exec_driver_sql(query).scalar_one())


_SQLITE_SIZE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"

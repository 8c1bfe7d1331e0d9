"""Named locks across processes and threads, let go by the operating system or the server when the holder dies.

SQLite: ``flock`` on a file of its own in a folder beside the database. PostgreSQL: an advisory lock on a connection of
its own; should the server end that session, no write follows until the lock is ours again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from collector.errors import BusyError, StoreError
from collector.store.connection import Database, server_options
from collector.store.failures import translated


@contextmanager
def locked(database: Database, name: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock *name* of *database*; raises `BusyError` at once when it is held, unless told to *wait*."""
    held = _file_lock(_lock_file(database.path, name), name, wait) if database.path else _server_lock(database, name)
    with held:
        yield


def _lock_file(path: Path, name: str) -> Path:
    return path.with_name(path.name + ".locks") / quote(name, safe="")


@contextmanager
def _file_lock(path: Path, name: str, wait: bool) -> Iterator[None]:
    try:
        path.parent.mkdir(exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: the lock file cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise StoreError(f"{path}: the lock cannot be taken: {error.strerror}") from error
            raise _busy(name, os.pread(handle, 32, 0).decode("ascii", "replace")) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def _server_lock(database: Database, name: str) -> Iterator[None]:
    lock = _ServerLock(database, name)
    with translated(database.url):
        lock.take()
    database.held.add(lock)
    try:
        yield
    finally:
        database.held.discard(lock)
        lock.let_go()


class _ServerLock:
    """An advisory lock on a session of its own, outside the pool: the lock lives exactly as long as that session."""

    def __init__(self, database: Database, name: str) -> None:
        self._name = name
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        self._engine = create_engine(
            database.url,
            connect_args=server_options(database.url),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
        self._conn: Connection | None = None
        self._using = threading.Lock()
        self._wanted = True

    def take(self) -> None:
        """Take the lock. Raises `BusyError` when another session has it."""
        self._conn = conn = self._engine.connect()
        if conn.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar():
            return
        halves = {"high": self._key >> 32 & 0xFFFFFFFF, "low": self._key & 0xFFFFFFFF}
        holder = conn.execute(_HOLDER, halves).scalar()
        self._disconnect()
        raise _busy(self._name, str(holder or "").removeprefix("evidenced "))

    def renew(self) -> None:
        """Make sure that the lock is still ours; taken again when the server has ended the session meanwhile.

        Raises `BusyError` when somebody else took it in between. Does nothing once the lock was let go.
        """
        with self._using:
            if not self._wanted:
                return
            try:
                if self._conn is not None and self._conn.execute(text("SELECT 1")).scalar():
                    return
            except DBAPIError:
                self._disconnect()
            self.take()

    def let_go(self) -> None:
        """End the session, and with it the lock."""
        with self._using:
            self._wanted = False
            self._disconnect()

    def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


_HOLDER = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted"
    " AND classid = CAST(:high AS bigint)::oid AND objid = CAST(:low AS bigint)::oid AND objsubid = 1 LIMIT 1"
)


def _busy(name: str, process: str) -> BusyError:
    return BusyError(
        f"{name} is held by another process" + (f" (process {process})" if process else ""),
        hint="Wait for it to end, or stop it.",
    )

"""Database errors as people need them: a `StoreError` that says what to do, never a password."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import exc
from sqlalchemy.engine import URL

from collector.errors import StoreError

_SQLITE = {
    "SQLITE_FULL": ("there is no space left for the database", "Free disk space; nothing that was recorded is lost."),
    "SQLITE_BUSY": ("another process holds the write lock", "Find the process that keeps it open and end it."),
    "SQLITE_LOCKED": ("another process holds the write lock", "Find the process that keeps it open and end it."),
    "SQLITE_READONLY": ("the database cannot be written", "Give this user write access to the file and its folder."),
    "SQLITE_NOTADB": ("the file is not a SQLite database", "Name another file in store.url, or restore this one."),
    "SQLITE_CORRUPT": ("the database file is damaged", "Keep a copy of it and restore the last backup."),
    "SQLITE_CANTOPEN": (
        "the file cannot be opened",
        "Check that the folder exists and that this user may write to it.",
    ),
    "SQLITE_IOERR": ("the disk does not answer as it should", "Look at the system log for errors of this disk."),
}
_UNREACHABLE = ("the server cannot be reached", "Check that PostgreSQL is running and that host and port are right.")
_POSTGRESQL = {
    "53100": ("there is no space left for the database", "Free disk space on the server; nothing recorded is lost."),
    "58030": ("the server's disk does not answer as it should", "Look at the server's log for errors of its disk."),
    "53300": ("the server has no connections left", "Raise max_connections or end idle connections."),
    "55P03": ("another process holds the write lock", "Look at pg_stat_activity for who holds it."),
    "28P01": ("the server refused the password", "Check the password that store.url refers to."),
    "28000": ("the server refused this user", "Check the user in store.url and the server's pg_hba.conf."),
    "3D000": ("the database does not exist", "Create it: createdb NAME."),
    "42501": (
        "this user lacks a permission",
        "Use a role that has it (docs/postgresql.md: who may do what), or grant what the message names.",
    ),
    "25006": ("the server is read-only", "Name the primary in store.url, not a standby."),
}

# A quota and a limit on a file's size come as internal errors: PostgreSQL has a code for ENOSPC alone.
_NO_ROOM = ("could not extend file", "No space left on device", "Disk quota exceeded", "File too large")


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn what SQLAlchemy raises inside into a `StoreError` about the database at *url*."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise store_error(error, url) from error


def store_error(error: exc.SQLAlchemyError, url: URL) -> StoreError:
    """Return *error* in the operator's words; the database's own words follow, without the password of *url*."""
    cause = getattr(error, "orig", None) or error
    what, hint = _known(cause)
    said = hide_password(str(cause).strip().partition("\n")[0], url)
    return StoreError(f"{shown(url)}: {what} ({said})" if what else f"{shown(url)}: {said}", hint=hint)


def shown(url: URL) -> str:
    """Return *url* for people: a SQLite file as its path, a server without the password."""
    if url.get_backend_name() == "sqlite":
        return url.database or str(url)
    query = {name: "***" if "password" in name else value for name, value in url.query.items()}
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=True)


def hide_password(text: str, url: URL) -> str:
    """Return *text* with every form of the password of *url* replaced."""
    secrets: list[str] = [str(url.password)] if url.password else []
    secrets += [str(value) for name, value in url.query.items() if "password" in name]
    hide: Callable[[str, str], str] = lambda said, secret: said.replace(secret, "***")  # noqa: E731
    for secret in secrets:
        text = hide(text, secret)
    return text


def _known(cause: BaseException) -> tuple[str, str]:
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", "")
        return next((said for prefix, said in _SQLITE.items() if name.startswith(prefix)), ("", ""))
    state = getattr(cause, "sqlstate", None) or ""
    if any(words in str(cause) for words in _NO_ROOM):
        return _POSTGRESQL["53100"]
    if state.startswith(("08", "57P")) or (not state and type(cause).__name__ == "OperationalError"):
        return _from_text(str(cause))
    return _POSTGRESQL.get(state, ("", ""))


def _from_text(said: str) -> tuple[str, str]:
    # libpq reports a refused login without an SQLSTATE.
    for words, state in (("password authentication failed", "28P01"), ("does not exist", "3D000")):
        if words in said:
            return _POSTGRESQL[state]
    return _UNREACHABLE

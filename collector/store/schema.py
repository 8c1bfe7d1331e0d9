"""Bring a database to this version's tables: Alembic, configured in code, additive only, one process at a time."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing, nullcontext
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select

from collector.canonical import CANONICAL_VERSION
from collector.clock import Clock, to_ms
from collector.data import data_path
from collector.errors import IntegrityError, StoreError
from collector.log import ledger
from collector.log.tables import log_head
from collector.store.connection import Database
from collector.store.failures import shown, translated
from collector.store.locks import locked

VERSION_TABLE = "store_version"
_MIGRATION_LOCK = 0x45564431  # any number that is ours: "EVD1"


def prepare(database: Database, clock: Clock, *, create: bool) -> str:
    """Make the database ready and return the store's id. Raises `StoreError`.

    A new store is created only when *create*; an older one is always brought up to date; a newer one is refused.
    """
    scripts = _scripts()
    if database.path:
        _require_file(database.path, database, create)
    with database.reading() as conn:
        ready = _current(conn) == scripts.get_current_head()
    if not ready:
        with locked(database, "migrate", wait=True) if database.path else nullcontext():
            _upgrade(database, scripts, clock, create=create)
    database.remember_file()
    with database.reading() as conn:
        genesis = ledger.leaf(conn, 0)
    if "store" not in genesis.payload:
        raise IntegrityError("log leaf 0: it is not the beginning of a store's log")
    return str(genesis.payload["store"])


def _upgrade(database: Database, scripts: ScriptDirectory, clock: Clock, *, create: bool) -> None:
    where = shown(database.url)
    with database.writing(lock=False) as conn:
        if not database.path:
            conn.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        current = _current(conn)
        if current is None:
            _require_empty(conn, where, create)
        elif current not in {script.revision for script in scripts.walk_revisions()}:
            raise StoreError(
                f"{where}: the database was written by a newer version of evidenced (its tables are version {current})",
                hint="Install that version or a later one; an older one cannot know what it must not break.",
            )
        config = Config()
        config.set_main_option("script_location", scripts.dir.replace("%", "%%"))
        config.attributes.update(connection=conn, version_table=VERSION_TABLE)
        command.upgrade(config, "head")
        if conn.execute(select(log_head.c.id)).first() is None:
            genesis = {"store": secrets.token_hex(16), "canonical": CANONICAL_VERSION}
            ledger.create(conn, genesis, to_ms(clock.now()))


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(data_path("migrations")))


def _current(conn: Connection) -> str | None:
    return MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _require_empty(conn: Connection, where: str, create: bool) -> None:
    if not create:
        raise StoreError(f"{where}: there is no store here", hint="`evidenced run` creates it; or correct store.url.")
    tables = inspect(conn).get_table_names()
    if tables:
        raise StoreError(
            f"{where}: the database belongs to something else (it has a table {sorted(tables)[0]!r})",
            hint="Name an empty database in store.url.",
        )


def _require_file(path: Path, database: Database, create: bool) -> None:
    if path.exists() and not path.is_file():
        raise StoreError(f"{path}: this is not a file", hint="Name a file in store.url: sqlite:///evidence.db.")
    if path.exists() and path.stat().st_size:
        return
    if not create:
        raise StoreError(f"{path}: there is no store here", hint="`evidenced run` creates it; or correct store.url.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: the folder cannot be made: {error.strerror}") from error
    with locked(database, "migrate", wait=True), translated(database.url):
        _create_file(path)


def _create_file(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as conn:
            conn.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: the database cannot be created: {error}",
            hint="Check that this user may write to the folder and that the disk has space.",
        ) from error
    path.chmod(0o600)

"""Bring a database to this version's tables: Alembic, configured in code, additive only, one process at a time."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, text

from collector.canonical import CANONICAL_VERSION
from collector.clock import Clock, to_ms
from collector.data import data_path
from collector.errors import IntegrityError, StoreError
from collector.log import ledger
from collector.log.tables import log_head, log_leaf
from collector.store.connection import Database
from collector.store.failures import shown, translated
from collector.store.grants import VERSION_TABLE
from collector.store.locks import locked
from collector.store.names import Names
from collector.store.sweeps import SweepReader

MIGRATION_LOCK = 0x45564431  # any number that is ours: "EVD1"


def prepare(database: Database, clock: Clock, *, create: bool) -> str:
    """Make the database ready and return the store's id. Raises `StoreError`.

    A new store is created only when *create*; an older one is always brought up to date; a newer one is refused.
    """
    scripts = _scripts()
    if database.path:
        _require_file(database.path, database, create)
    with database.reading() as conn:
        ready = _current(conn) == scripts.get_current_head() and _has_log(conn)
    if not ready:
        _upgrade(database, clock, create=create)
    database.remember_file()
    with database.reading() as conn:
        genesis = ledger.leaf(conn, 0)
    if "store" not in genesis.payload:
        raise IntegrityError("log leaf 0: it is not the beginning of a store's log")
    return str(genesis.payload["store"])


def _upgrade(database: Database, clock: Clock, *, create: bool) -> None:
    where = shown(database.url)
    with _migrating(database) as conn:
        migrate(conn, where, create=create)
        if _has_log(conn):
            _fill(conn)
        else:
            if not create:
                raise _no_store(where)
            genesis = {"store": secrets.token_hex(16), "canonical": CANONICAL_VERSION}
            ledger.create(conn, genesis, to_ms(clock.now()))


def _fill(conn: Connection) -> None:
    """Write the pages of the slot ledger of sweeps from before there were pages."""
    names = Names()
    SweepReader(names).paging.write_all(conn)


def prepare_tables(database: Database) -> None:
    """Make the tables of a store, at this version, where there are none yet; its log is not begun. Raises `StoreError`.

    For who fills them from another store. Tables that are there are brought up to date.
    """
    if database.path:
        _require_file(database.path, database, create=True)
    with _migrating(database) as conn:
        migrate(conn, shown(database.url), create=True)
    database.remember_file()


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    """A transaction in which tables may be changed: one at a time, across processes."""
    alone = locked(database, "migrate", wait=True) if database.path else nullcontext()
    with alone, database.writing(lock=False) as conn:
        if not database.path:
            conn.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        yield conn


def migrate(conn: Connection, where: str, *, create: bool) -> None:
    """Bring the tables that *conn* sees up to date, or make them when *create*. Raises `StoreError`.

    For one process at a time. The database is called *where* in messages.
    """
    scripts = _scripts()
    current, newest = _current(conn), str(scripts.get_current_head())
    if current == newest:
        return
    if current is None:
        _require_empty(conn, where, create)
    elif current not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"{where}: the database was written by a newer version of evidenced (its tables are version {current})",
            hint="Install that version or a later one; an older one cannot know what it must not break.",
        )
    _require_right(conn, where, current, newest)
    config = Config()
    config.set_main_option("script_location", scripts.dir.replace("%", "%%"))
    config.attributes.update(connection=conn, version_table=VERSION_TABLE)
    command.upgrade(config, "head")


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(data_path("migrations")))


def _current(conn: Connection) -> str | None:
    return MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _has_log(conn: Connection) -> bool:
    # Leaves without a head are a log that somebody broke; a new one must not begin over it.
    return any(conn.execute(select(column).limit(1)).first() for column in (log_head.c.id, log_leaf.c.idx))


def _require_right(conn: Connection, where: str, current: str | None, newest: str) -> None:
    """Raise unless whom we log in as may change the tables: on PostgreSQL, their owner; for new ones, the schema's."""
    if conn.dialect.name != "postgresql":
        return
    role, may_create, owner, may_change = conn.execute(_RIGHTS, {"table": VERSION_TABLE}).one()
    if current is None and not may_create:
        raise StoreError(
            f"{where}: there is no store here that {role} sees, and {role} may not make one",
            hint="Let `evidenced db init` make the tables; if it did, docs/postgresql.md says what else a login needs.",
        )
    if current is not None and not may_change:
        raise StoreError(
            f"{where}: the tables are version {current}, this evidenced needs {newest}, and {role} may not change them",
            hint=f"Run `evidenced db migrate` as who may act for their owner {owner}, then try again.",
        )


_RIGHTS = text(
    "SELECT current_user, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), pg_get_userbyid(relowner),"
    " coalesce(pg_has_role(relowner, 'USAGE'), false)"
    " FROM (SELECT to_regclass(:table)) AS named (oid) LEFT JOIN pg_class ON pg_class.oid = named.oid"
)


def _no_store(where: str) -> StoreError:
    return StoreError(f"{where}: there is no store here", hint="`evidenced run` creates it; or correct store.url.")


def _require_empty(conn: Connection, where: str, create: bool) -> None:
    if not create:
        raise _no_store(where)
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
        raise _no_store(str(path))
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

"""What the tests of the log share: the module under test, and its bare tables on each engine.

The tables are made without the store's guards: these tests also play the administrator who took the guards away.
"""

import uuid
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import NullPool

from collector.log import checkpoint as checkpoint_module
from collector.log import leaf as leaf_module
from collector.log import ledger
from collector.log import note as note_module
from collector.log import tree as tree_module
from collector.log.leaf import LeafKind
from collector.log.tables import log_head, log_leaf, log_node, metadata

_TABLES = [log_head, log_leaf, log_node]


@pytest.fixture
def tree():
    """The module under test; the mutation test puts its mutants in this place."""
    return tree_module


@pytest.fixture
def leaf():
    """The module under test; the mutation test puts its mutants in this place."""
    return leaf_module


@pytest.fixture
def note():
    """The module under test; the mutation test puts its mutants in this place."""
    return note_module


@pytest.fixture
def checkpoint():
    """The module under test; the mutation test puts its mutants in this place."""
    return checkpoint_module


class LogDatabase:
    """A database with the log's bare tables; `writing` and `reading` are transactions as the store makes them."""

    def __init__(self, url):
        patience = {"timeout": 60} if url.startswith("sqlite") else {}
        self.engine = create_engine(url, poolclass=NullPool, connect_args=patience)
        if self.engine.dialect.name == "sqlite":
            _begin_immediately(self.engine)

    def start_again(self):
        """Make the tables anew, empty."""
        metadata.drop_all(self.engine, tables=_TABLES)
        metadata.create_all(self.engine, tables=_TABLES)

    @contextmanager
    def writing(self):
        with self.engine.begin() as conn:
            yield conn

    @contextmanager
    def reading(self):
        postgresql = self.engine.dialect.name == "postgresql"
        options = {"isolation_level": "REPEATABLE READ"} if postgresql else {}
        with self.engine.connect().execution_options(**options) as conn, conn.begin():
            yield conn

    def grow(self, leaves):
        """Create the log and append until it has that many *leaves*; return the last head."""
        with self.writing() as conn:
            ledger.create(conn, {"store": "s-1"}, 1_000)
            for number in range(1, leaves):
                ledger.append(conn, LeafKind.SWEEP, {"number": number}, 1_000 + number)
            return ledger.head(conn)

    def execute(self, sql, **values):
        """What an administrator does to the tables behind our back."""
        with self.writing() as conn:
            conn.execute(text(sql), values)

    def check(self):
        with self.reading() as conn:
            return ledger.check(conn)


def _begin_immediately(engine):
    @event.listens_for(engine, "connect")
    def connected(connection, _record):
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(conn):
        conn.exec_driver_sql("BEGIN IMMEDIATE")


@pytest.fixture(scope="session")
def log_postgresql_url(postgresql_server):
    """The URL of a PostgreSQL database that the tests of this process share: each makes the tables anew."""
    name = f"log_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    return postgresql_server.replace("/postgres?", f"/{name}?").replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def sqlite_log(tmp_path):
    """An empty SQLite database with the log's tables."""
    database = LogDatabase(f"sqlite:///{tmp_path}/log.db")
    database.start_again()
    return database


@pytest.fixture
def postgresql_log(log_postgresql_url):
    """An empty PostgreSQL database with the log's tables."""
    database = LogDatabase(log_postgresql_url)
    database.start_again()
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request):
    """An empty database of each engine with the log's tables."""
    return request.getfixturevalue(f"{request.param}_log")


@pytest.fixture
def statements(log):
    """The SQL sent to the database so far; clear it before what is to be counted."""
    sent = []
    event.listen(log.engine, "before_cursor_execute", lambda conn, cursor, sql, *_: sent.append(sql))
    return sent

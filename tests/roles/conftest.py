"""A server whose roles were set up by somebody who is no superuser, and the URLs by which each role logs in."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from collector.store.grants import LOGINS, Role
from collector.store.roles import set_up


@dataclass
class Place:
    """A fresh database, an administrator who may create roles and a schema in it, and a prefix nobody else uses."""

    url: str
    prefix: str

    @property
    def admin(self):
        return self.as_(f"{self.prefix}_admin")

    def as_(self, name):
        return self.url.replace("postgres:@", f"{name}@")

    def login(self, role):
        return self.as_(f"{self.prefix}_{role}")

    def set_up(self, **more):
        return set_up(self.admin, self.prefix, **more)

    def sql(self, statement, url=None):
        """Execute as a superuser, or as *url* says, and return the first value of every row, if there are any."""
        with psycopg.connect(url or self.url, autocommit=True) as conn:
            rows = conn.execute(statement)
            return [each[0] for each in rows] if rows.description else []


@contextmanager
def make_place(server):
    """Yield a `Place` on *server*, and leave nothing of it behind."""
    prefix = f"p{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {prefix}")
        conn.execute(f"CREATE ROLE {prefix}_admin LOGIN CREATEROLE")
        conn.execute(f"GRANT CREATE ON DATABASE {prefix} TO {prefix}_admin")
    yield Place(server.replace("/postgres?", f"/{prefix}?"), prefix)
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {prefix} WITH (FORCE)")
        for role in (*LOGINS, Role.OWNER, "admin"):
            conn.execute(f"DROP ROLE IF EXISTS {prefix}_{role}")


@pytest.fixture
def place(postgresql_server):
    """A place where nothing was set up yet."""
    with make_place(postgresql_server) as made:
        yield made


@pytest.fixture
def ready(place):
    """A place that was set up; its log is not begun."""
    place.set_up()
    return place

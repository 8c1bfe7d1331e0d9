"""A database copied as an operator does it: a SQLite file as a file, a PostgreSQL database as a template."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import psycopg


def copy_database(old, new):
    """Put a copy of the database at the URL *old* in the place of *new*, whatever is there; nobody has either open."""
    if old.startswith("sqlite"):
        source, target = (each.removeprefix("sqlite:///") for each in (old, new))
        with closing(sqlite3.connect(source)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(source, target)
        return
    drop_database(new)
    with psycopg.connect(_server(old), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {_name(new)} TEMPLATE {_name(old)}")


def drop_database(url):
    """Remove a PostgreSQL database, if it is there."""
    with psycopg.connect(_server(url), autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")


def beside(url, suffix):
    """Return the URL of a database beside that of *url*, on the same engine."""
    if url.startswith("sqlite"):
        return f"{url}.{suffix}"
    return url.replace(f"/{_name(url)}?", f"/{_name(url)}_{suffix}?")


def _name(url):
    return url.partition("?")[0].rpartition("/")[2]


def _server(url):
    return url.replace(f"/{_name(url)}?", "/postgres?")

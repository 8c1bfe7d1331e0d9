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
    create_database(new, template=_name(old))


def create_database(url, template="template1"):
    """Make a PostgreSQL database as a copy of the one named *template*."""
    with psycopg.connect(_server(url), autocommit=True) as conn:
        # Copied as files: a copy through the write-ahead log takes half as long again.
        conn.execute(f"CREATE DATABASE {_name(url)} TEMPLATE {template} STRATEGY file_copy")


def drop_database(url):
    """Remove a PostgreSQL database, if it is there."""
    with psycopg.connect(_server(url), autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")


def drop_databases(url):
    """Remove a PostgreSQL database and those that a test put `beside` it."""
    with psycopg.connect(_server(url), autocommit=True) as conn:
        like = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (each,) in conn.execute(like, (_name(url),)).fetchall():
            conn.execute(f"DROP DATABASE {each} WITH (FORCE)")


def beside(url, suffix):
    """Return the URL of a database beside that of *url*, on the same engine."""
    if url.startswith("sqlite"):
        return f"{url}.{suffix}"
    return url.replace(f"/{_name(url)}?", f"/{_name(url)}_{suffix}?")


def _name(url):
    return url.partition("?")[0].rpartition("/")[2]


def _server(url):
    return url.replace(f"/{_name(url)}?", "/postgres?")

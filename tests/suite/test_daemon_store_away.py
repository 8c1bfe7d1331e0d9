"""The store of a running daemon is full, locked or gone: what was read is kept, and all goes on by itself.

Afterwards every slot has an outcome and the store verifies; on a SQLite file and on a server, which is one's own here.
"""

from __future__ import annotations

import os
import resource
import signal
import sqlite3

import psycopg
import pytest

from collector.canonical import digest
from collector.clock import SystemClock
from collector.errors import StoreError
from collector.model import Artifact
from collector.store import open_store
from tests.fakes.aws.account import furnish
from tests.suite.site import REGION

KEPT = "the store does not take what was read; it is kept and tried again"
ENDED, AWAY = "job ended early", "the store is away; slots stay due"
LOG_FILE = 16 * 1024 * 1024  # the size of each file of the server's own log, which must not be kept from growing


class File:
    """The store in a file."""

    url, impatient = "sqlite:///evidenced.db", "?timeout=0.2"

    def __init__(self, site):
        self.path = site.folder / "evidenced.db"
        self.site = site

    def fill(self):
        _, self._most = resource.prlimit(self.site.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.site.process.pid, resource.RLIMIT_FSIZE, (4096, self._most))

    def full(self):
        # The log is a file of the same process, and cannot grow either.
        return (
            any(KEPT in line for line in self.site.log.read_text().splitlines()) or self.site.log.stat().st_size >= 4096
        )

    def free(self):
        resource.prlimit(self.site.process.pid, resource.RLIMIT_FSIZE, (self._most, self._most))

    def lock(self):
        self._other = sqlite3.connect(self.path, isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    def unlock(self):
        self._other.close()

    def vanish(self):
        self.path.rename(self.path.with_suffix(".away"))

    def come_back(self):
        self.path.with_suffix(".away").rename(self.path)


class Server:
    """The store on a server of its own."""

    impatient = "&options=-c%20lock_timeout%3D200"

    def __init__(self, site, server):
        self.site, self.server = site, server
        self.url = server.database()

    def fill(self):
        """Put contents that nothing names where new ones would go, until the table can grow no more."""
        self.server.let_files_grow_to(LOG_FILE)
        store, count = open_store(self.url, clock=SystemClock()), 3000
        while count:
            try:
                store.stage(_contents(count))
            except StoreError:
                count //= 3
        store.close()
        furnish(self.site.aws, 40, [REGION])

    def full(self):
        return any("no space left" in each["error"] for each in self.site.said(KEPT))

    def free(self):
        self.server.let_files_grow_to(None)

    def lock(self):
        self._other = psycopg.connect(self.url)
        self._other.execute("SELECT * FROM log_head FOR UPDATE")

    def unlock(self):
        self._other.close()

    def vanish(self):
        self.server.down()

    def come_back(self):
        self.server.up()


def _contents(count):
    for _ in range(count):
        data = os.urandom(1500)
        yield Artifact(digest(data), data)


@pytest.fixture(params=["sqlite", "postgresql"])
def away(request, site):
    """What ill-treats the store of the site, on each engine in turn."""
    made = File(site) if request.param == "sqlite" else Server(site, request.getfixturevalue("own_server"))
    site.store = made.url
    site.configure(options=made.impatient)
    return made


def goes_on(site, daemon):
    """Assert that *daemon* records again, ends in order, left no slot without an outcome, and a store that verifies."""
    known = len(site.said("recorded"))
    site.wait(lambda: len(site.said("recorded")) > known + 1)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(30) == 0
    coverage = str(site.answer("coverage", "--from", "2020-01-01", "--to", "2100-01-01"))
    assert "no record" not in coverage, coverage[:2000]
    assert site.answer("verify")["verification"]["verdict"] == "intact"


def test_a_full_disk_delays_what_was_read_and_the_daemon_goes_on_when_there_is_room(site, away):
    with site.daemon() as daemon:
        site.wait(lambda: site.said("recorded"))
        away.fill()
        site.wait(away.full)
        away.free()
        goes_on(site, daemon)


def test_a_locked_database_delays_what_was_read_and_loses_none_of_it(site, away):
    with site.daemon() as daemon:
        site.wait(lambda: site.said("recorded"))
        away.lock()
        # What was read is kept; a job that had yet to read finds the store locked and leaves its slots due.
        site.wait(lambda: site.said(KEPT) or site.said(ENDED))
        assert "holds the write lock" in [*site.said(KEPT), *site.said(ENDED)][0]["error"]
        away.unlock()
        goes_on(site, daemon)


def test_a_database_that_vanished_is_waited_for_and_loses_nothing(site, away):
    with site.daemon() as daemon:
        site.wait(lambda: site.said("recorded"))
        away.vanish()
        site.wait(lambda: site.said(KEPT) or site.said(ENDED) or site.said(AWAY))
        away.come_back()
        goes_on(site, daemon)

"""``kill -9`` at any moment: what was acknowledged is there whole, nothing is half there, the tree stands."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from collector.clock import SystemClock
from collector.store import open_store, tables
from collector.verify import Verdict, verify
from tests.log.rfc6962 import extends
from tests.store.mortal import CONFIG, SOURCES, live

ROUNDS = 50  # of two writers each
LEAST = 3  # deaths of each sort: before a transaction, inside of one, after a commit that was not acknowledged yet
ROOT = Path(__file__).parents[2]
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.store.mortal"])


@pytest.fixture
def killed(request, store_url, tmp_path):
    """What kills writers of a store; on PostgreSQL its own server, some of whose backends are killed too."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # shown when the test fails
    if store_url.startswith("sqlite"):
        yield Killed(tmp_path, store_url, random.Random(seed))
        return
    server = request.getfixturevalue("own_server")
    yield Killed(tmp_path, server.database(), random.Random(seed), server)


class Writer:
    """One process that writes a source, and what it said before it died."""

    def __init__(self, config, url, source, way, seed):
        self.source = source
        self.said = []
        self._end, theirs = _forks.Pipe(duplex=False)
        self._process = _forks.Process(target=live, args=(config, url, source, way, seed, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.pid = self._process.pid

    def hear(self, event, *, seconds):
        """Listen until *event* is said, from now on; no longer than *seconds*."""
        while self._end.poll(0):
            self.said.append(self._end.recv())
        end = time.monotonic() + seconds
        while self._end.poll(max(0.0, end - time.monotonic())):
            self.said.append(self._end.recv())
            if self.said[-1][0] == event:
                return

    def hear_first(self):
        self.said.append(self._end.recv())

    def kill(self):
        self._process.kill()
        self._process.join()
        assert self._process.exitcode == -9, "it died by itself"
        try:
            while True:
                self.said.append(self._end.recv())
        except EOFError:
            self._end.close()

    def acknowledged(self):
        return [each[1:] for each in self.said if each[0] == "acknowledged"]


class Killed:
    """A store and the writers that were killed while they wrote to it: `deaths` counts how each one died."""

    def __init__(self, folder, url, rng, server=None):
        self.url, self.rng, self.server = url, rng, server
        self.config = folder / "evidenced.toml"
        self.config.write_text(CONFIG.format(url=url))
        self.store = open_store(url, clock=SystemClock())
        self.deaths = Counter()
        self.acknowledged = []
        self.last = dict.fromkeys(SOURCES, 0)

    def round(self, number):
        ways = ("snapshots", "snapshots") if number % 2 else ("snapshots", "appends")
        writers = [
            Writer(self.config, self.url, source, way, self.rng.random())
            for source, way in zip(SOURCES, self.rng.sample(ways, 2), strict=True)
        ]
        if number % 10:  # else they may die while they open the store
            for writer in writers:
                writer.hear_first()
        if self.server and number % 5 == 1:
            time.sleep(self.rng.uniform(0.0, 0.1))
            self.deaths["backend"] += self.server.kill_backend(writers[0].pid)
            self.server.settle()
        time.sleep(self.rng.uniform(0.002, 0.25))
        for writer in writers:
            if number % 3:
                # Anywhere around the commit of a sweep, which a moment of no aim would seldom meet.
                writer.hear("sweeping", seconds=1.0)
                time.sleep(self.rng.uniform(0.0, 0.01))
            writer.kill()
        for writer in writers:
            self._bury(writer)

    def _bury(self, writer):
        acknowledged = writer.acknowledged()
        self.acknowledged += acknowledged
        known = max([self.last[writer.source], *(each[0] for each in acknowledged)])
        self.last[writer.source] = self.store.last_sweep(writer.source) or 0
        last = writer.said[-1][0] if writer.said else "nothing"
        if self.last[writer.source] > known:
            self.deaths["after a commit that was not acknowledged"] += 1
        elif last in ("begun", "sweeping"):
            self.deaths["inside of a transaction"] += 1
        elif last == "committing":
            self.deaths["at a commit, no sweep of which is there"] += 1
        else:
            self.deaths["before a transaction"] += 1


@pytest.mark.timeout(300)
def test_every_acknowledged_sweep_survives_the_death_of_its_writer(killed, audit):
    for number in range(ROUNDS):
        killed.round(number)
    store = killed.store
    found = verify(store)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    audit(store)
    head = store.checkpoints.head()
    for sweep, populations, size, root in killed.acknowledged:
        assert [store.run(f"{sweep}-{at}").population for at in range(len(populations))] == populations
        proof = store.checkpoints.consistency(size, head.size)
        assert (size, root) == (head.size, head.root) or extends(size, head.size, root, head.root, proof)
    assert sum(count for name, count in killed.deaths.items() if name != "backend") == 2 * ROUNDS
    for name in ("before a transaction", "inside of a transaction", "after a commit that was not acknowledged"):
        assert killed.deaths[name] >= LEAST, killed.deaths
    assert not killed.server or killed.deaths["backend"] >= LEAST
    assert unnamed(store) >= LEAST, "no writer died between staging contents and the sweep that names them"
    store.close()


def unnamed(store):
    """Return how many contents nothing in the store refers to."""
    with store._database.reading() as conn:
        referring = [
            column
            for table in tables.metadata.tables.values()
            for column in table.c
            if column.name in ("artifact", "before", "frame", "notes")
        ]
        named = {each for column in referring for each in conn.execute(select(column)).scalars()}
        return len(set(conn.execute(select(tables.artifact.c.id)).scalars()) - named)


def test_a_store_that_was_being_made_when_its_maker_died_is_made_by_the_next(empty_url, clock):
    opening = "import sys; from collector.clock import SystemClock; from collector.store import open_store\n"
    opening += "print('ready', flush=True); open_store(sys.argv[1], clock=SystemClock()); print('made', flush=True)"
    rng = random.Random(7)
    for _ in range(4):
        command = [sys.executable, "-c", opening, empty_url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        process.stdout.readline()
        threading.Event().wait(rng.uniform(0.0, 0.15))
        process.kill()
        process.communicate()
    store = open_store(empty_url, clock=clock)
    assert [str(leaf.kind) for leaf in store.leaves()] == ["genesis"]
    store.close()

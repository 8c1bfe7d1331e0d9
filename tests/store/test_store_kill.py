"""``kill -9`` at any moment: what was acknowledged is there whole, nothing is half there, the tree stands."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from collector.model import Period
from collector.store import open_store

ROUNDS = 5  # of two writers each
ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from datetime import timedelta
from collector.clock import SystemClock
from collector.model import Subject
from collector.store import open_store
from tests.store.conftest import Hand

clock = SystemClock()
store = open_store(sys.argv[1], clock=clock)
source = sys.argv[2]
hands = [Hand(store, Subject(source, "paper.users", scope)) for scope in ("north", "south")]
print("ready", flush=True)
number = 0
while True:
    now = clock.now()
    seen = {f"user{each}": {"number": number // (each + 1)} for each in range(20 + number % 5)}
    receipt = hands[0].write(*[hand.saw(seen, now) for hand in hands])
    print(receipt.sweep, len(receipt.runs), flush=True)
    number += 1
"""


@pytest.fixture
def writer(store, store_url):
    """What starts a process that writes sweeps of a source for as long as it lives."""

    def start(source):
        command = [sys.executable, "-c", WRITER, store_url, source]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    return start


def test_every_acknowledged_sweep_survives_the_death_of_its_writer(store, writer, audit, noon, hour):
    rng = random.Random(20261121)
    acknowledged = {}
    for _ in range(ROUNDS):
        processes = [writer("paper:hq"), writer("paper:annex")]
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
        threading.Event().wait(rng.uniform(0.0, 0.3))
        for process in processes:
            process.kill()
            # A line that the kill cut in two was not an acknowledgement.
            lines = process.communicate()[0].splitlines(keepends=True)
            acknowledged.update(tuple(map(int, line.split())) for line in lines if line.endswith("\n"))
    everything = Period(noon, noon + 24 * 365 * 10 * hour)
    stored = {sweep.id: len(sweep.runs) for sweep in store.sweeps(everything)}
    assert acknowledged
    assert acknowledged.items() <= stored.items()
    assert set(stored.values()) == {2}
    audit(store)


def test_a_store_that_was_being_made_when_its_maker_died_is_made_by_the_next(store_url, clock):
    opening = "import sys; from collector.clock import SystemClock; from collector.store import open_store\n"
    opening += "print('ready', flush=True); open_store(sys.argv[1], clock=SystemClock()); print('made', flush=True)"
    rng = random.Random(7)
    for _ in range(4):
        command = [sys.executable, "-c", opening, store_url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        process.stdout.readline()
        threading.Event().wait(rng.uniform(0.0, 0.15))
        process.kill()
        process.communicate()
    store = open_store(store_url, clock=clock)
    assert [str(leaf.kind) for leaf in store.leaves()] == ["genesis"]
    store.close()

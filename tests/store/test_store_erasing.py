"""Whatever is collected, erased and wrapped anew in whatever order, and whenever it is killed: nothing contradicts."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.canonical import canonical
from collector.errors import Withheld
from collector.store import open_store
from collector.verify import Verdict, verify
from tests.fakes.clock import PlayedClock
from tests.fakes.sealed import FIRST, PEOPLE, SECOND, Ring, SealedHand
from tests.store.conftest import NOON, Audit

ROOT = Path(__file__).parents[2]
PEOPLE_OF = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2), max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("see"), PEOPLE_OF),
        st.tuples(st.just("erase"), st.sampled_from("abcd")),
        st.tuples(st.just("rewrap"), st.booleans()),
        st.tuples(st.just("open"), st.none()),
    ),
    max_size=12,
)


class Oracle:
    """What must be readable: every form of every item, in memory; None for one that was erased."""

    def __init__(self):
        self.now, self.forms = {}, {}

    def see(self, people):
        for key, value in people.items():
            if self.now.get(key) != value:
                self.forms.setdefault(key, []).append(value)
        self.now = dict(people)

    def erase(self, key):
        self.forms[key] = [None] * len(self.forms[key])
        if key in self.now:
            self.now[key] = None


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_whatever_happens_what_was_not_erased_reads_back_and_all_is_intact(tmp_path_factory, steps):
    url = f"sqlite:///{tmp_path_factory.mktemp('random')}/evidence.db"
    check(url, steps)


def test_on_each_engine_a_long_random_life_is_intact(store_url):
    rng = random.Random(20261126)
    people = [{key: rng.randint(0, 2) for key in "abcd" if rng.random() < 0.7} for _ in range(30)]
    steps = []
    for each in people:
        steps += [("see", each)]
        steps += [("erase", rng.choice("abcd"))] if rng.random() < 0.3 else []
        steps += [("rewrap", rng.random() < 0.5)] if rng.random() < 0.2 else []
        steps += [("open", None)] if rng.random() < 0.2 else []
    check(store_url, steps)


def check(url, steps):
    oracle, clock, at = Oracle(), PlayedClock(), NOON
    store, ring = open_store(url, clock=clock), Ring(FIRST, SECOND)
    store.sealing.keys.use(ring)
    for word, what in steps:
        at += timedelta(hours=1)
        hand = SealedHand(store)
        if word == "see":
            # What was erased and is there is recorded anew, so for the oracle it changed.
            hand.see({key: {"v": value} for key, value in what.items()}, at, volatile=volatile(what))
            oracle.see(what)
        elif word == "erase":
            if any(each is not None for each in oracle.forms.get(what, ())):
                hand.erase(what)
                oracle.erase(what)
        elif word == "rewrap":
            ring = Ring(*((FIRST, SECOND) if what else (SECOND, FIRST)))
            store.sealing.keys.use(ring)
            store.rewrapping.rewrap()
        else:
            store.close()
            store = open_store(url, clock=clock)
            store.sealing.keys.use(ring)
    found = verify(store)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    Audit(store)
    assert {key: forms(store, key) for key in oracle.forms} == oracle.forms
    assert {key: read_together(store, key) for key in oracle.forms} == oracle.forms
    store.close()


def volatile(people):
    return canonical({key: {"used": value} for key, value in people.items()}) if people else None


def forms(store, key):
    """Return the value of every form of the item *key*, None where it is withheld."""
    found = []
    for each in store.history(PEOPLE.kind, key):
        try:
            found.append(int(store.artifact(each.artifact)[5:-1]))
        except Withheld:
            found.append(None)
    return found


def read_together(store, key):
    """Return what `forms` does, by one question."""
    found = store.artifacts(each.artifact for each in store.history(PEOPLE.kind, key))
    return [None if isinstance(each, Withheld) else int(each[5:-1]) for each in found]


ERASER = """
import sys
from collector.clock import SystemClock
from collector.store import open_store
from tests.fakes.sealed import FIRST, SECOND, Ring, SealedHand

store = open_store(sys.argv[1], clock=SystemClock(), create=False)
ring = [FIRST, SECOND]
print("ready", flush=True)
for number in range(int(sys.argv[2]), 10_000):
    store.sealing.keys.use(Ring(*ring))
    SealedHand(store).erase(f"user{number}")
    print(number, flush=True)
    ring.reverse()
    store.sealing.keys.use(Ring(*ring))
    store.rewrapping.rewrap()
"""


def test_an_eraser_that_is_killed_has_erased_an_item_whole_or_not_at_all(store, store_url):
    rng = random.Random(4711)
    store.sealing.keys.use(Ring(FIRST, SECOND))
    hand = SealedHand(store)
    hand.see({f"user{number}": {"v": number} for number in range(60)}, NOON)
    erased = 0
    for _ in range(4):
        command = [sys.executable, "-c", ERASER, store_url, str(erased)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout.readline() == "ready\n"
        threading.Event().wait(rng.uniform(0.0, 0.4))
        process.kill()
        told = [line for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = max([int(line) + 1 for line in told], default=erased)
        store.sealing.keys.use(Ring(FIRST, SECOND))
        gone = [number for number in range(60) if forms(store, f"user{number}") == [None]]
        assert gone == list(range(len(gone)))
        assert len(gone) >= acknowledged
        assert len(gone) == len(store.erasing.tombstones())
        assert verify(store).verdict is Verdict.INTACT
        erased = len(gone)
    assert erased > 0

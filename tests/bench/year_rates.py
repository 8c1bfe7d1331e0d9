"""Rates: first populations, unchanged ones beside hashing alone, and the memory of a writer of many items."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from collector.store import open_store
from tests.bench.year_measure import hashing
from tests.bench.year_reading import HOUR, Reader
from tests.bench.year_world import START, World
from tests.fakes.clock import PlayedClock


def first_rate(reader: Reader) -> tuple[float, float]:
    """Read the world for the first time; return items/s into the store, and read, redacted, hashed and stored."""
    collecting = storing = 0.0
    for number, (source, places) in enumerate(reader.world.places.items()):
        reader.clock.move(START + timedelta(seconds=37 * number) - reader.clock.at)
        for place in places:
            place_items = list(place.read(reader._rng))
            place.ready = place_items
        started = time.perf_counter()
        observations = [reader.collect(place, START) for place in places]
        collected = time.perf_counter()
        reader.sweep(source, START, observations)
        collecting += collected - started
        storing += time.perf_counter() - collected
    items = reader.world.items
    return items / storing, items / (collecting + storing)


def unchanged_ratio(reader: Reader, rounds: int = 5) -> tuple[float, float]:
    """Return unchanged items/s, from documents to the committed sweep, over canonicalise + SHA-256 alone; and the rate.

    Both sides take the same documents, parsed anew for each, in turns: the machine's load falls on both.
    """
    ratios: list[float] = []
    rates: list[float] = []
    world = reader.world
    for _ in range(rounds):
        reader.clock.move(HOUR)
        due = reader.clock.now()
        baseline = ours = 0.0
        for source, places in world.places.items():
            for place in places:
                place.ready = list(place.read(reader._rng))
            stripped = [
                {name: value for name, value in item.items() if name not in place.made.volatile}
                for place in places
                for item in place.read(reader._rng)
            ]
            baseline += hashing(stripped)
            started = time.perf_counter()
            reader.sweep(source, due, [reader.collect(place, due) for place in places])
            ours += time.perf_counter() - started
        ratios.append(baseline / ours)
        rates.append(world.items / ours)
    return statistics.median(ratios), max(rates)


def memory_mb(url: str, items: int) -> float:
    """Return the peak resident MB of a process that reads *items* items for the first time and once more."""
    command = [sys.executable, "-m", "tests.bench.year_rates", url, str(items)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _writer(url: str, items: int) -> None:
    clock = PlayedClock(START)
    store = open_store(url, clock=clock)
    world = World(items, 2, lazy=True)
    reader = Reader(world, store, clock, share=1.0)
    for hour in range(2):
        for source, places in world.places.items():
            clock.move(max(timedelta(0), START + hour * HOUR - clock.at))
            reader.sweep(source, START + hour * HOUR, [reader.collect(place, START + hour * HOUR) for place in places])
    store.close()
    # Not ru_maxrss: a process inherits that of the one that started it.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps(round(int(peak.split()[1]) / 1024, 1)))


if __name__ == "__main__":
    _writer(sys.argv[1], int(sys.argv[2]))

"""Rates: first populations, unchanged ones beside hashing alone, and the memory of a writer of many items."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import zstandard
from sqlalchemy import select

from collector.canonical import digest
from collector.store import open_store
from collector.store.bulk import insert_rows
from collector.store.connection import Database, parse_url
from collector.store.packing import LEVEL
from collector.store.tables import artifact, change, item, item_version
from tests.bench.year_measure import hashing
from tests.bench.year_reading import HOUR, Reader, swept
from tests.bench.year_world import START, World
from tests.fakes.clock import PlayedClock

_ROWS_OF_ITEMS = (artifact, item, change, item_version)


def first_rate(reader: Reader) -> tuple[float, float]:
    """Read the world for the first time; return items/s into the store, and read, redacted, hashed and stored.

    The sources are read one after the other, and their sweeps recorded by a thread for each, as the daemon does it.
    """
    for place in (place for places in reader.world.places.values() for place in places):
        place.ready = list(place.read(reader._rng))
    started = time.perf_counter()
    sweeps = []
    for number, (source, places) in enumerate(reader.world.places.items()):
        reader.clock.move(START + timedelta(seconds=37 * number) - reader.clock.at)
        sweeps.append(swept(source, START, [reader.collect(place, START) for place in places]))
    collected = time.perf_counter()
    with ThreadPoolExecutor(len(sweeps)) as pool:
        receipts = list(pool.map(reader.store.append, sweeps))
    ended = time.perf_counter()
    for sweep, receipt in zip(sweeps, receipts, strict=True):
        reader.recorded(sweep, receipt)
    items = reader.world.items
    return items / (ended - collected), items / (ended - started)


def first_floor(url: str, other: str, contents: Iterable[tuple[bytes, bytes]]) -> float:
    """Return items/s of what no first population can do without: the least that the store's own could come to.

    The SHA-256 and zstd of *contents*, (digest, bytes) of every item, and the rows of items that the store at *url* got
    of them, put into the same tables, with their guards, of an empty store at *other*, in one transaction.
    """
    open_store(other, clock=PlayedClock(START)).close()
    theirs, ours = (Database(parse_url(each)) for each in (url, other))
    with theirs.reading() as conn:
        rows = {table: [tuple(row) for row in conn.execute(select(table))] for table in _ROWS_OF_ITEMS}
    made = list(contents)
    compress = zstandard.ZstdCompressor(level=LEVEL).compress
    started = time.perf_counter()
    with ours.writing() as conn:
        for name, data in made:
            if digest(data) != name:
                raise AssertionError("a content has another digest")
            compress(data)
        for table, some in rows.items():
            insert_rows(conn, table, some)
    took = time.perf_counter() - started
    theirs.close()
    ours.close()
    return len(made) / took


def unchanged_ratio(reader: Reader, rounds: int = 5) -> tuple[float, float]:
    """Return unchanged items/s, from documents to the committed sweep, over canonicalise + SHA-256 alone; and the rate.

    Both sides take the same documents, parsed anew for each and just before, in turns: the machine's load falls on
    both, and neither finds its documents gone from the processor's cache.
    """
    ratios: list[float] = []
    rates: list[float] = []
    world = reader.world
    for _ in range(rounds):
        reader.clock.move(HOUR)
        due = reader.clock.now()
        baseline = ours = 0.0
        for source, places in world.places.items():
            stripped = [
                {name: value for name, value in item.items() if name not in place.made.volatile}
                for place in places
                for item in place.read(reader._rng)
            ]
            baseline += hashing(stripped)
            del stripped
            for place in places:
                place.ready = list(place.read(reader._rng))
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

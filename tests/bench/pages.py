"""The pages over HTTP: how long a browser waits, and how much it is sent.

    python -m tests.bench.pages [--store FILE] [--asked 20] [--days 365]

Asks a server on loopback, by the session of an auditor, for what a person at the desk opens. FILE is an SQLite store,
and is copied first: the benchmark of the store makes one of a year (`tests.bench.store_year`). Without it, a quarter of
two small audits is made.

Each line is the median and the 95th percentile in ms, and the size of the answer. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog

from collector.access import Role
from collector.ask.access import grant
from collector.ask.engagements import create
from collector.clock import SystemClock, iso
from collector.engagement import Examination, Terms
from collector.model import Period
from collector.store import Store
from collector.tag import load_controls
from tests.bench.api import opened
from tests.bench.year_measure import percentile
from tests.web.serving import Browser

NAME = "bench"
_DAY = timedelta(days=1)


def main() -> None:
    """Measure, print a table, and last one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="an SQLite store, copied first")
    parser.add_argument("--asked", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--days", type=int, default=365, help="how long the period of the engagement is, at most")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with (
        tempfile.TemporaryDirectory(prefix="bench-pages-") as folder,
        opened(Path(folder), asked.store) as (url, store),
    ):
        paths = _paths(store, _period(store, asked.days))
        browser = _browser(store, url)
        found = {name: _measured(browser, path, asked.asked) for name, path in paths.items()}
        print(json.dumps({"bytes": store.size(), "subjects": len(store.subjects()), "days": asked.days, **found}))


def _period(store: Store, days: int) -> Period:
    sources = {each.source for each in store.subjects()}
    end = max(at for each in sources if (at := store.accounted_until(each)))
    begin = min(each.valid_from for each in store.plans())
    period = Period(max(begin, end - days * _DAY), end)
    create(store, load_controls(), NAME, Terms(Examination.TYPE_II, period), actor="bench")
    return period


def _browser(store: Store, url: str) -> Browser:
    now = SystemClock().now()
    _, token = grant(store, "bench", Role.AUDITOR, NAME, now=now, lasts=_DAY, actor="bench")
    found = Browser(url)
    found.fill("/sign-in", "/sign-in", token=token)
    return found


def _paths(store: Store, period: Period) -> dict[str, str]:
    largest = max(store.subjects(), key=lambda each: len(store.head(each).contents))
    kind = f"/kinds/{largest.kind}"
    place = f"source={largest.source}&scope={largest.scope}"
    item = store.as_of(largest.kind, period.end, source=largest.source, scope=largest.scope)[0]
    middle = period.start + (period.end - period.start) / 2
    month = f"from={iso(middle)}&to={iso(min(middle + 30 * _DAY, period.end))}"
    criterion = next(
        kind["criteria"][0]
        for plan in store.plans()
        for source in plan.document["sources"]
        for kind in source["kinds"]
        if kind["criteria"]
    )
    return {
        "overview": "",
        "overview by kind": "?by=kind",
        "evidence": "/kinds",
        "gaps": "/gaps",
        "criterion": f"/criteria/{criterion}",
        "kind as of": f"{kind}?{place}&at={iso(middle)}",
        "kind diff 30 d": f"{kind}?{place}&at={iso(middle)}&{month}",
        "item": f"{kind}/item?{place}&key={item.key}",
        "search": "/search?q=a",
        "runs": "/runs",
    }


def _measured(browser: Browser, path: str, asked: int) -> dict[str, float]:
    times, size = [], 0
    for _ in range(asked + 1):
        started = time.perf_counter()
        answer = browser.get(f"/e/{NAME}{path}")
        times.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
        size = len(answer.content)
    times = sorted(times[1:])  # the first one reads what later ones have in memory
    median, p95 = times[len(times) // 2], percentile(times)
    print(f"{path or '/':<90.90} {median:>8.0f} ms {p95:>8.0f} ms {size:>9,} B", flush=True)
    return {"median_ms": round(median, 1), "p95_ms": round(p95, 1), "bytes": size}


if __name__ == "__main__":
    main()

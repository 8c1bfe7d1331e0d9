"""The API over HTTP beside the same questions in process.

    python -m tests.bench.api [--store FILE] [--asked 40]

Asks a server on loopback, by the token of an auditor, what a person at the desk asks, of the whole of the store's time;
then asks the same of `collector.ask` in this process. FILE is an SQLite store, and is copied first: the benchmark of
the store makes one of a year (`tests.bench.store_year`). Without it, a quarter of two small audits is made.

Each line is the 95th percentile in ms of both, and how many times longer HTTP takes: reading the token's grant,
finding the engagement, the answer's form, JSON and its tag come on top of the question. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from collector.access import Role
from collector.ask.access import grant
from collector.ask.calendar import calendar
from collector.ask.coverage import Question, coverage
from collector.ask.documents import population_document
from collector.ask.engagements import create
from collector.ask.populations import freeze, over_period
from collector.clock import SystemClock, from_ms, iso, to_ms
from collector.config import load_settings
from collector.engagement import Engagement, Examination, Terms
from collector.frozen import rows
from collector.model import Period
from collector.population import PopulationAt, as_of, difference
from collector.server import application
from collector.store import Store, open_store
from collector.tag import load_controls
from tests.bench.year_measure import percentile
from tests.web.serving import Visitor, running
from tests.web.world import build

NAME = "bench"
MONTH = timedelta(days=30)
GRACE = timedelta(minutes=15)
Ask = Callable[[], Any]


def main() -> None:
    """Measure, print a table, and last one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="an SQLite store, copied first")
    parser.add_argument("--asked", type=int, default=40, help="how often each question is asked")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(prefix="bench-api-") as folder, opened(Path(folder), asked.store) as (url, store):
        engagement = _engagement(store)
        found = {}
        for name, (over_http, in_process) in _questions(store, engagement, _visitor(store, url)).items():
            both = [_p95(each, asked.asked) for each in (over_http, in_process)]
            found[name] = {
                "http_ms": round(both[0], 2),
                "process_ms": round(both[1], 2),
                "ratio": round(both[0] / both[1], 2),
            }
            print(f"{name:<24} {both[0]:>9.1f} ms  {both[1]:>9.1f} ms  {both[0] / both[1]:>6.2f}", flush=True)
        print(json.dumps({"bytes": store.size(), "subjects": len(store.subjects()), **found}))


@contextmanager
def opened(folder: Path, file: Path | None) -> Iterator[tuple[str, Store]]:
    """Serve a copy of *file*, or a small world, from *folder*; give the server's URL and the store."""
    config = folder / "evidenced.toml"
    if file is None:
        build(folder, f"sqlite:///{folder}/evidence.db")
    else:
        for each in file.parent.glob(f"{file.name}*"):
            if each.is_file():
                shutil.copyfile(each, folder / each.name.replace(file.name, "evidence.db", 1))
        config.write_text(f'[store]\nurl = "sqlite:///{folder}/evidence.db"\n[web]\nrequests_a_minute = 1000000\n')
    store = open_store(f"sqlite:///{folder}/evidence.db", clock=SystemClock())
    try:
        with running(application(store, load_settings(config), SystemClock())) as url:
            yield url, store
    finally:
        store.close()


def _engagement(store: Store) -> Engagement:
    """Create an engagement over everything in the store."""
    sources = {each.source for each in store.subjects()}
    ends = [at for each in sources if (at := store.accounted_until(each))]
    terms = Terms(Examination.TYPE_II, Period(_beginning(store), max(ends)))
    return create(store, load_controls(), NAME, terms, actor="bench")


def _beginning(store: Store) -> Any:
    return min(each.valid_from for each in store.plans())


def _visitor(store: Store, url: str) -> Visitor:
    token = grant(store, "bench", Role.AUDITOR, NAME, now=SystemClock().now(), lasts=timedelta(days=1), actor="bench")[
        1
    ]
    return Visitor(url, token)


def _questions(store: Store, engagement: Engagement, visitor: Visitor) -> dict[str, tuple[Ask, Ask]]:
    rng = random.Random("questions")
    within, period, now = store.within(engagement), engagement.terms.period, SystemClock().now()
    subject = max(store.subjects(), key=lambda each: len(store.head(each).contents))
    criterion = next(each.criteria[0] for plan in store.plans() for each in _kinds(plan.document) if each.criteria)
    frozen = freeze(
        store, over_period(within, subject.kind, engagement, now=now, grace=GRACE), engagement, actor="bench"
    )
    item = store.as_of(subject.kind, period.end, source=subject.source, scope=subject.scope)[0]

    def get(path: str, **asked: object) -> object:
        answer = visitor.get(f"/api/v1/engagements/{NAME}/{path}", params=asked)
        answer.raise_for_status()
        return answer.content

    def covered(**more: str) -> object:
        return coverage(within, Question(period, terms=engagement.terms, **more), now=now, grace=GRACE)

    def instant() -> Any:
        return from_ms(rng.randrange(to_ms(period.start), to_ms(period.end)))

    def month() -> Period:
        start = from_ms(rng.randrange(to_ms(period.start), max(to_ms(period.start) + 1, to_ms(period.end - MONTH))))
        return Period(start, min(start + MONTH, period.end))

    def differs(span: Period) -> object:
        return get(f"kinds/{subject.kind}/diff", **{"from": iso(span.start), "to": iso(span.end)}, **place)

    place = {"source": subject.source, "scope": subject.scope}
    return {
        "overview": (lambda: get("coverage"), covered),
        "calendar": (
            lambda: get("calendar"),
            lambda: calendar(within, Question(period, terms=engagement.terms), now=now, grace=GRACE),
        ),
        "criterion": (
            lambda: get("coverage", criterion=criterion, by="kind", source=subject.source),
            lambda: covered(criterion=criterion, by="kind", source=subject.source),
        ),
        "as_of_item": (
            lambda: get(f"kinds/{subject.kind}/as-of", at=iso(instant()), key=item.key, **place),
            lambda: as_of(within, subject.kind, instant(), now=now, key=item.key, **place),
        ),
        "as_of_100": (
            lambda: get(f"kinds/{subject.kind}/as-of", at=iso(instant()), **place),
            lambda: _shown(within, as_of(within, subject.kind, instant(), now=now, **place)),
        ),
        "diff_30d": (
            lambda: differs(month()),
            lambda: _difference(within, subject, month(), now),
        ),
        "population_rows_100": (
            lambda: get(f"populations/{frozen.id}/rows"),
            lambda: list(rows(within.artifact(frozen.artifact or b"")))[:100],
        ),
    }


def _shown(store: Store, populations: list[PopulationAt]) -> object:
    """The first hundred items with their contents, as a page has them."""
    return [population_document(store, replace(each, items=each.items[:100])) for each in populations]


def _difference(store: Store, subject: Any, span: Period, now: Any) -> object:
    return difference(store, subject.kind, span.start, span.end, now=now, source=subject.source, scope=subject.scope)


def _kinds(document: Any) -> Iterator[Any]:
    from collector.plan import Plan

    return (kind for source in Plan.of(document, 1, None).sources for kind in source.kinds)


def _p95(ask: Ask, asked: int) -> float:
    ask()
    times = []
    for _ in range(asked):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return percentile(times)


if __name__ == "__main__":
    main()

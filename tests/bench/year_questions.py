"""The questions of the figures, asked of a store that has its year, and how long the slowest in twenty takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta

from collector.ask.coverage import Question, coverage
from collector.clock import from_ms, to_ms
from collector.model import Period
from collector.store import Store
from collector.verify import verify
from tests.bench.year_measure import percentile
from tests.bench.year_reading import HOUR
from tests.bench.year_world import START, World

DAY = timedelta(days=1)
ASKED = 120
GRACE = timedelta(minutes=15)
YEAR_HOURS = 8_760


def p95s(store: Store, world: World) -> dict[str, float]:
    """Return the 95th percentile in ms of every question; a population is that of one kind in one scope."""
    rng = random.Random("questions")
    end = START + world.hours * HOUR
    subjects = [place.subject for places in world.places.values() for place in places]
    keys = {
        place.subject: [each.key for each in store.as_of(place.subject.kind, end, source=place.subject.source)]
        for places in list(world.places.values())[:2]
        for place in places
    }
    known = [(subject, key) for subject, all_keys in keys.items() for key in all_keys]

    def instant() -> object:
        return from_ms(rng.randrange(to_ms(START), to_ms(end)))

    def period(length: timedelta) -> Period:
        length = min(length, end - START)
        start = from_ms(rng.randrange(to_ms(START), to_ms(end - length) + 1))
        return Period(start, start + length)

    def item() -> None:
        subject, key = rng.choice(known)
        store.as_of(subject.kind, instant(), source=subject.source, scope=subject.scope, key=key)

    def feed(length: timedelta) -> Callable[[], object]:
        return lambda: store.changes(period(length))

    def population(length: timedelta) -> Callable[[], object]:
        def ask() -> object:
            subject = rng.choice(subjects)
            return store.population(period(length), kind=subject.kind, source=subject.source, scope=subject.scope)

        return ask

    def gaps() -> object:
        # The whole answer: sums of every kind beside the gaps, of all that was due from one source.
        question = Question(period(365 * DAY), source=rng.choice(subjects).source, by="kind")
        return coverage(store, question, now=end, grace=GRACE)

    def control() -> object:
        return store.population(period(90 * DAY), kind=rng.choice(subjects).kind, limit=50)

    questions = {
        "p95_as_of_ms": item,
        "p95_feed_1d_ms": feed(DAY),
        "p95_feed_30d_ms": feed(30 * DAY),
        "p95_population_90d_ms": population(90 * DAY),
        "p95_population_360d_ms": population(360 * DAY),
        "p95_gaps_year_ms": gaps,
        "p95_control_page_ms": control,
    }
    return {name: round(_p95(ask), 2) for name, ask in questions.items()}


def verify_year_s(store: Store, world: World) -> tuple[float, float]:
    """Return the seconds that verifying the whole store takes, scaled to a year of it; and as measured."""
    started = time.perf_counter()
    found = verify(store)
    took = time.perf_counter() - started
    if found.count:
        raise AssertionError(f"the store of the year does not verify: {found.differences[:3]}")
    return took * YEAR_HOURS / world.hours, took


def _p95(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(ASKED):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return percentile(times)

"""The questions of the figures, asked of a store that has its year by a process that did not write it.

    python -m tests.bench.year_questions sqlite:////somewhere/evidence.db

Every question is asked `ASKED` times, each time about another item, subject or period, after a few that do not count.
Beside the time on the clock stands that of the processor, for others may use the machine too, and as a baseline that of
the same SQL by the bare driver: each statement that the question took, executed again and fetched.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event

from collector.ask.coverage import Question, coverage
from collector.clock import SystemClock, from_ms, to_ms
from collector.lasting import settle
from collector.model import Period
from collector.store import Store, open_store
from collector.verify import verify
from tests.bench.year_measure import Bench, percentile

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)
ASKED = 120
UNCOUNTED = 12
GRACE = timedelta(minutes=15)

Ask = Callable[[], Any]
Question_ = Callable[[], Ask]
"""Chooses what to ask about, and returns what asks it."""
_Statements = list[tuple[str, Any]]


@dataclass(frozen=True)
class Timed:
    """How long a question took: median and 95th percentile in ms, on the clock, of the processor, and of its SQL."""

    wall_p50: float
    wall_p95: float
    cpu_p50: float
    cpu_p95: float
    sql_p50: float
    sql_p95: float


def questions(store: Store) -> dict[str, Question_]:
    """Return every question by the name of its figure; a period is as long as the store where that is shorter."""
    rng = random.Random("questions")
    subjects = [each for each in store.subjects() if store.as_of(each.kind, _end(store), source=each.source)]
    start, end = store.plans()[0].valid_from, _end(store)
    some = sorted({each.source for each in subjects})[:2]
    known = [
        (each, version.key)
        for each in subjects
        if each.source in some
        for version in store.as_of(each.kind, end, source=each.source, scope=each.scope)
    ]

    def period(length: timedelta) -> Period:
        length = min(length, end - start)
        begin = from_ms(rng.randrange(to_ms(start), to_ms(end - length) + 1))
        return Period(begin, begin + length)

    def item() -> Ask:
        (subject, key), at = rng.choice(known), from_ms(rng.randrange(to_ms(start), to_ms(end)))
        return lambda: store.as_of(subject.kind, at, source=subject.source, scope=subject.scope, key=key)

    def feed(length: timedelta) -> Ask:
        of = period(length)
        return lambda: store.changes(of)

    def population(length: timedelta) -> Ask:
        of, subject = period(length), rng.choice(subjects)
        return lambda: store.population(of, kind=subject.kind, source=subject.source, scope=subject.scope)

    def gaps() -> Ask:
        # The whole answer: sums of every kind beside the gaps, of all that was due from one source.
        question = Question(period(YEAR), source=rng.choice(subjects).source, by="kind")
        return lambda: coverage(store, question, now=end, grace=GRACE)

    def control() -> Ask:
        of, kind = period(90 * DAY), rng.choice(subjects).kind
        return lambda: store.population(of, kind=kind, limit=50)

    return {
        "as_of": item,
        "feed_1d": lambda: feed(DAY),
        "feed_30d": lambda: feed(30 * DAY),
        "population_90d": lambda: population(90 * DAY),
        "population_360d": lambda: population(360 * DAY),
        "gaps_year": gaps,
        "control_page": control,
    }


def ask(url: str) -> dict[str, Timed]:
    """Ask the store at *url* everything, in this process, which is settled as one that serves is."""
    settle()
    store, bench = open_store(url, clock=SystemClock()), Bench(url)
    found = {name: _timed(question, bench) for name, question in questions(store).items()}
    store.close()
    return found


def ask_apart(url: str) -> dict[str, Timed]:
    """Ask the store at *url* everything, in a process that has nothing else to remember."""
    command = [sys.executable, "-m", __name__, url]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return {name: Timed(**each) for name, each in json.loads(done.stdout.splitlines()[-1]).items()}


def verify_s(store: Store) -> tuple[float, float, float]:
    """Return the seconds that verifying the whole store takes: on the clock, of the processor; and a year's share."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = verify(store)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if found.count:
        raise AssertionError(f"the store of the year does not verify: {found.differences[:3]}")
    return wall, cpu, YEAR / (_end(store) - store.plans()[0].valid_from)


def _end(store: Store) -> datetime:
    """Return the end of the last hour that was read."""
    ends = [store.accounted_until(each) for each in {subject.source for subject in store.subjects()}]
    return max(each for each in ends if each is not None) + HOUR


def _timed(question: Question_, bench: Bench) -> Timed:
    for _ in range(UNCOUNTED):
        question()()
    walls, cpus, bare = [], [], []
    with bench.connected() as execute:
        for _ in range(ASKED):
            asking = question()
            wall, cpu = time.perf_counter(), time.process_time()
            asking()
            cpus.append(time.process_time() - cpu)
            walls.append(time.perf_counter() - wall)
            with _statements() as statements:
                asking()
            cpu = time.process_time()
            for statement, parameters in statements:
                execute(statement, parameters)
            bare.append(time.process_time() - cpu)
    shares = [round(percentile(each, share) * 1000, 2) for each in (walls, cpus, bare) for share in (0.5, 0.95)]
    return Timed(*shares)


@contextmanager
def _statements() -> Iterator[_Statements]:
    """Note every query that is sent meanwhile."""
    found: _Statements = []

    def note(*sent: Any) -> None:
        _, _, statement, parameters, *_ = sent
        if statement.startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def main(arguments: Sequence[str]) -> None:
    """Ask the store at the URL given, and print one JSON object."""
    print(json.dumps({name: asdict(each) for name, each in ask(arguments[0]).items()}))


if __name__ == "__main__":
    main(sys.argv[1:])

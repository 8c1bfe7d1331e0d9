"""Reading the made-up world by the daemon's own code: `collect` on a session in memory, `Heads`, `Store.append`.

No HTTP and no waiting: the clock is moved by what a call would have taken. An hour in which nothing of a subject
changed gives the observation of the hour before but for times and request ids; `Reader` reads every item anyway in a
share of those hours (all of them with a share of 1) and elsewhere writes that observation itself.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from collector.collect import Task, collect
from collector.connector import Reading
from collector.errors import Denied, ReadError, Throttled, Unavailable
from collector.heads import Heads
from collector.model import (
    Detail,
    Json,
    Missed,
    Observation,
    Period,
    Principal,
    Provenance,
    Scope,
    Subject,
    Sweep,
    Trigger,
)
from collector.procedure import Kind
from collector.source import Visit
from collector.store import Receipt, Store
from tests.bench.year_world import SCOPE, START, Place, World, request_id
from tests.fakes.clock import PlayedClock

PAGE = 100
HOUR = timedelta(hours=1)
_ERRORS: dict[str, ReadError] = {
    "unavailable": Unavailable("the source answered 503 four times", hint="Nothing to do: it is tried again."),
    "denied": Denied("AccessDenied: not authorized to perform the listing", hint="Grant it to the reader's role."),
    "throttled": Throttled("Rate exceeded, five times in a row", hint="Lower requests_per_second."),
}


@dataclass
class Source:
    """A session on one place: yields its items, and counts the calls that they would have taken."""

    place: Place
    rng: random.Random
    clock: PlayedClock
    trouble: str = ""

    def read(self, kind: Kind, scope: Scope, reading: Reading) -> Iterator[dict[str, Json]]:
        """See `collector.connector.Session.read`."""
        operation = kind.calls[0].op
        if self.trouble:
            self._call(reading, operation, page=False)
            raise _ERRORS[self.trouble]
        for at, item in enumerate(self.place.read(self.rng)):
            if at % PAGE == 0:
                self._call(reading, operation)
            yield item
        reading.calls.listed(operation, len(self.place.documents))

    def _call(self, reading: Reading, operation: str, *, page: bool = True) -> None:
        self.clock.move(timedelta(milliseconds=self.rng.randrange(40, 400)))
        reading.calls.answered(
            operation, request_id=request_id(self.rng), date=self.clock.now().replace(microsecond=0), page=page
        )

    def visit(self) -> Visit:
        """Return what `collect` opens."""
        return lambda: (self, Principal("arn:aws:sts::1:assumed-role/evidenced/reader", self.place.account))  # type: ignore[return-value]

    def principal(self) -> Principal: ...
    def scopes(self) -> list[Scope]: ...
    def close(self) -> None: ...


def swept(source: str, due: datetime, observations: list[Observation]) -> Sweep:
    """Return the scheduled sweep of *observations*."""
    return Sweep(source, due, Trigger.SCHEDULE, 1, tuple(sorted(observations, key=lambda each: each.run.subject)))


@dataclass
class Reader:
    """Reads *world* hour by hour into *store*; *share* of the unchanged hours of a subject are read item by item."""

    world: World
    store: Store
    clock: PlayedClock
    share: float
    heads: Heads = field(init=False)
    sweeps: int = 0
    runs: int = 0
    observed: int = 0
    read: int = 0

    def __post_init__(self) -> None:
        self.heads = Heads(self.store)
        self._rng = random.Random("reader")
        self._asleep: datetime | None = None
        self._blank: dict[Subject, Observation] = {}
        self._provenance = {
            place.subject.kind: Provenance(
                "cloud", "1.4.0", "0.1.0", "sha256:" + place.made.kind.digest.hex(), "sha256:" + "c" * 64, 1,
                ("CC6.1", "CC6.2"), ("AC-1",), (place.subject.kind + ":Read",),
            )
            for places in self.world.places.values() for place in places
        }  # fmt: skip

    def hour(self, hour: int, changed: set[Subject]) -> None:
        """Make the sweeps of one hour, or note that the daemon was down."""
        due = START + hour * HOUR
        trouble = self.world.trouble(hour)
        if trouble.asleep:
            self._asleep = self._asleep or due
            return
        if self._asleep is not None:
            for source in self.world.places:
                self.store.append_missed(Missed(source, Period(self._asleep, due), "the daemon was not running", 1))
            self._asleep = None
        for number, (source, places) in enumerate(self.world.places.items()):
            self.clock.move(due + timedelta(seconds=37 * number) - self.clock.at)
            self.sweep(source, due, [self._observe(each, due, trouble.failing, changed) for each in places])

    def sweep(self, source: str, due: datetime, observations: list[Observation]) -> None:
        """Append one sweep as the daemon does, and follow it."""
        sweep = swept(source, due, observations)
        self.recorded(sweep, self.store.append(sweep))

    def recorded(self, sweep: Sweep, receipt: Receipt) -> None:
        """Follow *sweep*, which the store has recorded."""
        self.heads.recorded(sweep.source, receipt.sweep, sweep.observations)
        self.sweeps += 1
        self.runs += len(sweep.observations)
        self.observed += sum(each.run.counts.items for each in sweep.observations)

    def _observe(self, place: Place, due: datetime, failing: dict[Subject, str], changed: set[Subject]) -> Observation:
        head = self.heads.get(place.subject)
        trouble = failing.get(place.subject, "")
        if trouble:
            changed.add(place.subject)  # what changed meanwhile is seen by the next good run
        day = self.clock.now().date().isoformat()
        kept = bool(place.made.kind.volatile) and head.volatile_day != day
        settled = not trouble and place.subject not in changed and head.population and not kept
        if settled and self._rng.random() >= self.share:
            return self.repeated(place, due)
        observation = self.collect(place, due, trouble)
        if not trouble:
            changed.discard(place.subject)
            self.read += observation.run.counts.items
        return observation

    def collect(self, place: Place, due: datetime, trouble: str = "") -> Observation:
        """Read *place* with the daemon's own code."""
        source = Source(place, self._rng, self.clock, trouble)
        task = Task(place.subject, place.made.kind, SCOPE, due, Trigger.SCHEDULE, self._provenance[place.subject.kind])
        return collect(
            source.visit(),
            task,
            self.heads.get(place.subject),
            clock=self.clock,
            limit=HOUR,
            stage=self.store.stage,
            stopping=threading.Event(),
        )

    def repeated(self, place: Place, due: datetime) -> Observation:
        """Return what reading *place* gives when nothing has changed."""
        source = Source(place, self._rng, self.clock)
        reading = Reading(self.clock, float("inf"))
        started = self.clock.now()
        count = len(place.documents)
        for _ in range(0, count, PAGE):
            source._call(reading, place.made.kind.calls[0].op)
        reading.calls.listed(place.made.kind.calls[0].op, count)
        blank = self._blank.get(place.subject)
        if blank is None or blank.run.population != self.heads.get(place.subject).population:
            blank = self._blank[place.subject] = self.collect(place, due)
            if blank.changes or blank.run.detail not in (Detail.UNCHANGED, Detail.EMPTY):
                raise AssertionError(f"{place.subject} changed although nothing did")
        run = replace(
            blank.run,
            due=due,
            started=started,
            finished=self.clock.now(),
            operations=reading.calls.operations(),
            skew_ms=reading.calls.skew_ms,
        )
        return Observation(run)

"""The outside world of the year's workload: ten sources whose items change, come and go, and which are down at times.

Everything follows from the seed. A `Place` is what one subject holds at the moment: its documents as the source would
send them, without their volatile fields, which are made up anew at every reading.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson

from collector.model import Json, Scope, Subject
from tests.bench.year_kinds import MADE, Made

START = datetime(2025, 1, 1, tzinfo=UTC)
SOURCES = tuple(f"cloud:account-{number}" for number in range(10))
CHANGED_A_DAY = 0.01
SCOPE = Scope("main", "account")
_HOLE = re.compile(r"\{(\w+)\}")
_WORDS = [
    "atlas",
    "bravo",
    "cedar",
    "delta",
    "ember",
    "falcon",
    "gamma",
    "harbor",
    "iris",
    "juniper",
    "kepler",
    "lumen",
    "mason",
    "nova",
    "orbit",
    "pixel",
    "quartz",
    "raven",
    "sigma",
    "tundra",
    "umbra",
    "vertex",
    "willow",
    "xenon",
    "yonder",
    "zephyr",
    "billing",
    "ledger",
    "payroll",
    "search",
    "index",
    "reports",
    "media",
]
_PEOPLE = [
    "ana",
    "bo",
    "cy",
    "di",
    "eva",
    "finn",
    "gus",
    "hana",
    "ivo",
    "jo",
    "kai",
    "lena",
    "max",
    "nora",
    "otto",
    "pia",
    "quinn",
    "rosa",
    "sven",
    "tara",
    "uli",
    "vera",
]
_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2")


def make(template: Json, rng: random.Random, account: str, number: int) -> Json:
    """Return a document after *template* (see `year_kinds`)."""
    if isinstance(template, dict):
        return {key: make(value, rng, account, number) for key, value in template.items()}
    if isinstance(template, list):
        if template[:1] == ["?"]:
            return make(rng.choice(template[1:]), rng, account, number)
        if template[:1] == ["*"]:
            return [make(template[3], rng, account, number) for _ in range(rng.randint(template[1], template[2]))]
        return [make(each, rng, account, number) for each in template]
    if not isinstance(template, str) or "{" not in template:
        return template
    return _HOLE.sub(lambda hole: _fill(hole[1], rng, account, number), template)


def _fill(name: str, rng: random.Random, account: str, number: int) -> str:
    if name.startswith("hex"):
        return f"{rng.getrandbits(64):016x}"[: int(name[3:])]
    if name == "uuid":
        return request_id(rng)
    if name == "date":
        return (START - timedelta(seconds=rng.randrange(40_000_000))).strftime("%Y-%m-%dT%H:%M:%SZ")
    if name == "ip":
        return f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
    simple = {"account": account, "n": str(number), "number": str(rng.randrange(1, 100))}
    if name in simple:
        return simple[name]
    return rng.choice({"word": _WORDS, "person": _PEOPLE, "region": _REGIONS}[name])


def request_id(rng: random.Random) -> str:
    """Return a random id of the form most vendors use."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass
class Place:
    """What one subject holds. *documents* are JSON bytes by item number; a *lazy* place makes them at each reading.

    *ready* holds what the next reading yields, made ahead where making it is not to be measured.
    """

    subject: Subject
    made: Made
    account: str
    documents: dict[int, bytes] = field(default_factory=dict)
    next_number: int = 0
    lazy: bool = False
    ready: list[dict[str, Json]] | None = None

    def fill(self, count: int) -> None:
        """Put *count* items in."""
        for _ in range(count):
            if self.lazy:
                self.documents[self.next_number] = b""
                self.next_number += 1
            else:
                self.add(self._first(self.next_number))

    def add(self, rng: random.Random) -> None:
        """Put in one item."""
        self.documents[self.next_number] = orjson.dumps(make(self.made.document, rng, self.account, self.next_number))
        self.next_number += 1

    def change(self, rng: random.Random) -> bool:
        """Change one item in one field, or once in a while add or remove one; tell whether a new content came of it."""
        dice = rng.random()
        if dice < 0.05 or not self.documents:
            self.add(rng)
            return True
        number = rng.choice(list(self.documents))
        if dice < 0.1:
            del self.documents[number]
            return False
        before = self.documents[number]
        document = orjson.loads(before)
        fields = [name for name in self.made.document if name != self.made.kind.key]
        while orjson.dumps(document) == before:
            name = rng.choice(fields)
            document[name] = make(self.made.document[name], rng, self.account, number)
        self.documents[number] = orjson.dumps(document)
        return True

    def read(self, rng: random.Random) -> Iterator[dict[str, Json]]:
        """Yield every item as the source sends it now, volatile fields included."""
        if self.ready is not None:
            ready, self.ready = self.ready, None
            yield from ready
            return
        for number, data in self.documents.items():
            item = orjson.loads(data) if data else make(self.made.document, self._first(number), self.account, number)
            for name, template in self.made.volatile.items():
                item[name] = make(template, rng, self.account, number)
            yield item

    def _first(self, number: int) -> random.Random:
        return random.Random(f"{self.subject}/{number}")


@dataclass
class Trouble:
    """What goes wrong in an hour: subjects that fail, with the words of the source; sources that nobody asks."""

    failing: dict[Subject, str] = field(default_factory=dict)
    asleep: bool = False


class World:
    """Ten sources of twelve kinds with *items* items together, over *hours* hours.

    *contents* counts the documents there ever were: the first ones and one for every change that made another. With
    *at_once* all changes of a day come in its first hour.
    """

    def __init__(self, items: int, hours: int, seed: int = 7, *, lazy: bool = False, at_once: bool = False) -> None:
        self.hours = hours
        self._at_once = at_once
        self.places: dict[str, list[Place]] = defaultdict(list)
        for number, source in enumerate(SOURCES):
            account = f"{100_000_000_000 + number * 11_111_111}"
            for made in MADE:
                place = Place(Subject(source, made.kind.name, SCOPE.name), made, account, lazy=lazy)
                place.fill(max(1, round(items * made.share / len(SOURCES))))
                self.places[source].append(place)
        self._all = [place for places in self.places.values() for place in places]
        self._weights = [len(place.documents) for place in self._all]
        self._seed = seed
        self.contents = self.items
        self._down = self._plan_trouble()

    @property
    def items(self) -> int:
        """How many items there are now."""
        return sum(len(place.documents) for place in self._all)

    def step(self, hour: int) -> set[Subject]:
        """Let an hour pass and return the subjects in which something changed."""
        rng = random.Random(f"{self._seed}/step/{hour}")
        expected = sum(self._weights) * CHANGED_A_DAY / 24
        if self._at_once:
            expected *= 0 if hour % 24 else 24
        count = int(expected) + (rng.random() < expected % 1)
        chosen = rng.choices(self._all, self._weights, k=count)
        self.contents += sum(place.change(rng) for place in chosen)
        return {place.subject for place in chosen}

    def trouble(self, hour: int) -> Trouble:
        """Return what goes wrong in *hour*: outages, refusals that last for days, throttling here and there."""
        rng = random.Random(f"{self._seed}/trouble/{hour}")
        found = Trouble(asleep=("", hour) in self._down)
        for place in self._all:
            subject = place.subject
            if (subject.source, hour) in self._down:
                found.failing[subject] = "unavailable"
            elif (subject.source + subject.kind, hour) in self._down:
                found.failing[subject] = "denied"
            elif rng.random() < 0.001:
                found.failing[subject] = "throttled"
        return found

    def _plan_trouble(self) -> set[tuple[str, int]]:
        """Return the hours in which a source (its name), a subject (source and kind) or the daemon ("") is down."""
        rng = random.Random(f"{self._seed}/down")
        down: set[tuple[str, int]] = set()
        whom = [("", 60, 6), *((source, 40, 8) for source in SOURCES)]
        whom += [(place.subject.source + place.subject.kind, 200, 72) for place in self._all]
        for name, every_days, longest in whom:
            hour = rng.randrange(every_days * 48)
            while hour < self.hours:
                down |= {(name, each) for each in range(hour, hour + rng.randint(1, longest))}
                hour += rng.randrange(1, every_days * 48)
        return down

"""What the index, the summaries and the OSCAL document of a bundle say, as records: each of them words it by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collector.act import Act, ActKind
from collector.ask.coverage import Coverage, covered
from collector.ask.plans import recorded_plans
from collector.ask.slots import Question, criteria_of_kinds, slots_of
from collector.criteria import criteria
from collector.engagement import Engagement
from collector.tag import ControlSet

if TYPE_CHECKING:
    from collector.store import Store

GROUPED = ("criterion", "control", "kind", "source", "day")


@dataclass(frozen=True, slots=True)
class Head:
    """Up to where a bundle goes: *size* leaves of the log *origin*, the last of which came at *at*.

    *checkpoint* is the number of the one that signs it, None when nobody has; *uncovered* leaves came later.
    """

    size: int
    origin: str
    checkpoint: int | None
    at: datetime
    uncovered: int


@dataclass(frozen=True, slots=True)
class Serves:
    """What a kind is evidence of: criteria by its newest plan, controls by the newest set that was in force."""

    criteria: tuple[str, ...]
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to say of a bundle: *covered* by each of `GROUPED`, what kinds *serve*, what people recorded.

    *versions* of items existed in the period; *sealed* and *erased* count contents.
    """

    engagement: Engagement
    head: Head
    covered: Mapping[str, Coverage]
    serves: Mapping[str, Serves]
    acts: Sequence[Act]
    versions: int
    sealed: int
    erased: int

    @property
    def coverage(self) -> Coverage:
        """The coverage by criterion; gaps and sums are the same by whatever it is grouped."""
        return self.covered["criterion"]


def coverages(store: Store, engagement: Engagement, *, now: datetime, grace: timedelta) -> dict[str, Coverage]:
    """Return the coverage of *engagement* by each of `GROUPED`, as it stood at *now*."""
    terms = engagement.terms
    slots = slots_of(store, Question(terms.period, terms=terms), now=now, grace=grace)
    return {by: covered(slots.grouped(by)) for by in GROUPED}


def served(store: Store, engagement: Engagement) -> dict[str, Serves]:
    """Return what each kind ever planned is evidence of, before the end of the period of *engagement*."""
    end = engagement.terms.period.end
    sets = [ControlSet.of(each.document) for each in store.controls() if each.valid_from < end]
    kinds = criteria_of_kinds(recorded_plans(store))
    return {
        name: Serves(tuple(asked), tuple(each.id for each in sets[-1].showing(name)) if sets else ())
        for name, asked in kinds.items()
    }


def criterion_titles() -> dict[str, str]:
    """Return our own short title of every criterion, by id."""
    return {each.id: each.title for each in criteria().values()}


@dataclass(frozen=True, slots=True)
class Frozen:
    """A population as it was frozen: *rows* (SHA-256 in hex) are its items, *count* of them."""

    number: int
    kind: str
    count: int | None
    joined: int | None
    left: int | None
    at: datetime
    by: str
    rows: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample as it was drawn: *size* of *among*, by *method*, from *seed*."""

    number: int
    population: int | None
    method: str
    seed: str
    size: str
    among: str
    at: datetime
    by: str


def populations(acts: Sequence[Act]) -> Iterator[Frozen]:
    """Yield the populations that *acts* froze."""
    for each in acts:
        if each.kind is ActKind.POPULATION:
            count, joined, left = (
                _number(each.document, *path) for path in (("rows", "count"), ("items", "joined"), ("items", "left"))
            )
            kind, rows = str(each.document.get("kind", "")), each.artifact.hex() if each.artifact else ""
            yield Frozen(each.id, kind, count, joined, left, each.at, each.actor, rows)


def samples(acts: Sequence[Act]) -> Iterator[Drawn]:
    """Yield the samples that *acts* drew."""
    for each in acts:
        if each.kind is ActKind.SAMPLE:
            method, seed, size, among = (
                str(each.document.get(name, "")) for name in ("method", "seed", "size", "among")
            )
            yield Drawn(each.id, each.about, method, seed, size, among, each.at, each.actor)


def _number(document: Mapping[str, object], part: str, name: str) -> int | None:
    found = document.get(part)
    number = found.get(name) if isinstance(found, dict) else None
    return number if isinstance(number, int) else None

"""Samples of frozen populations: drawn, recorded, shown, and drawn again to compare.

A sample never replaces another: each is recorded, and every one shows what else was drawn from its population.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from collector.act import Act, ActKind, NewAct
from collector.ask.engagements import act_named
from collector.ask.expressions import compiled
from collector.ask.populations import frozen
from collector.canonical import canonical
from collector.errors import IntegrityError, QueryError
from collector.frozen import Row, rows
from collector.model import Json
from collector.population import documents
from collector.sample import (
    Method,
    Stratum,
    checked_seed,
    date_label,
    dates_sample,
    random_sample,
    size_of,
    stratified_sample,
    systematic_sample,
)

if TYPE_CHECKING:
    from collector.config_desk import SampleSettings
    from collector.store import Store

_DAY_COUNTS = ("due", "collected", "changed", "unchanged", "empty", "failed", "missed", "excluded")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to draw. *size* is as typed (empty: the configured one); *stratum* is a JMESPath expression over an item."""

    method: Method
    seed: str
    size: str = ""
    stratum: str = ""
    minimum: int = 1
    every: str = "daily"


@dataclass(frozen=True, slots=True)
class DrawnDate:
    """A date that was drawn, and what became of the slots that were due on it: counts by outcome."""

    label: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as recorded, with its population and every other sample of it.

    *items* are the rows drawn, in the order of the draw, or *dates* in theirs. *number* counts the samples of the
    population up to this one. *reproduced* tells whether drawing again gives the same.
    """

    act: Act
    population: Act
    items: tuple[Row, ...]
    dates: tuple[DrawnDate, ...]
    number: int
    others: tuple[Act, ...]
    reproduced: bool


def draw(store: Store, name: str, wanted: Wanted, sizes: SampleSettings, *, actor: str) -> Act:
    """Draw from the frozen population *name* and record it; return the act.

    Raises `QueryError` for an unknown population or an empty one, a seed nobody could type again, a size that is none,
    an expression that is none.
    """
    population = frozen(store, name)
    checked_seed(wanted.seed)
    among = _among(population, wanted)
    if not among:
        raise QueryError(f"population:{population.id} has nothing to draw from")
    size = size_of(wanted.size or str(_usual(population, wanted, sizes)), among)
    labels = list(_labels(store, population, wanted.stratum)) if wanted.method is Method.STRATIFIED else []
    said: dict[str, Json] = {
        "form": 1,
        "method": wanted.method.value,
        "seed": wanted.seed,
        "size": size,
        "among": among,
        "population": {"act": population.id, "rows": population.document["rows"]["sha256"]},
    }
    if wanted.method is Method.DATES:
        said["every"] = wanted.every
    if wanted.method is Method.STRATIFIED:
        said |= {"stratum": wanted.stratum, "minimum": wanted.minimum}
    drawn, strata = _drawn(store, population, said, labels)
    said["drawn"] = drawn
    if strata:
        said["strata"] = [{"name": each.name, "of": each.of, "drawn": each.drawn} for each in strata]
    data = b"".join(canonical({"id": each, "stratum": label}) + b"\n" for each, label in labels) if labels else None
    act = NewAct(ActKind.SAMPLE, said, actor, population.engagement, population.id, data)
    return store.desk.record([act])[0]


def sample_of(store: Store, name: str) -> Sample:
    """Return the sample *name* (``sample:9`` or ``9``). Raises `QueryError` when there is none."""
    act = act_named(store, ActKind.SAMPLE, name)
    population = store.desk.act(act.about or 0, ActKind.POPULATION)
    same = [each for each in store.desk.acts(ActKind.SAMPLE, act.engagement) if each.about == act.about]
    again, _ = _drawn(store, population, act.document, list(_recorded_labels(store, act)))
    return Sample(
        act,
        population,
        tuple(_items(store, population, act)),
        tuple(_dates(population, act)),
        1 + sum(each.id < act.id for each in same),
        tuple(each for each in same if each.id != act.id),
        again == act.document["drawn"],
    )


def _among(population: Act, wanted: Wanted) -> int:
    if wanted.method is Method.DATES:
        return len({date_label(day, wanted.every) for day in _days(population)})
    return int(population.document["rows"]["count"])


def _usual(population: Act, wanted: Wanted, sizes: SampleSettings) -> int:
    if wanted.method is Method.DATES:
        return int(getattr(sizes, wanted.every))
    return sizes.event if population.document["event_time"] else sizes.item


def _drawn(
    store: Store, population: Act, said: dict[str, Json], labels: Sequence[tuple[str, str]]
) -> tuple[list[str], list[Stratum]]:
    """Return what the draw that *said* describes gives, and its strata if it has any."""
    method, size, seed = Method(said["method"]), said["size"], said["seed"]
    if method is Method.DATES:
        return dates_sample(_days(population), said["every"], size, seed), []
    if method is Method.STRATIFIED:
        return stratified_sample(labels, size, seed, said["minimum"])
    found = rows(_bytes(store, population))
    if method is Method.SYSTEMATIC:
        ordered = sorted(row.order for row in found)
        return systematic_sample([name for _, name in ordered], size, seed), []
    return random_sample((row.id for row in found), size, seed), []


def _labels(store: Store, population: Act, expression: str) -> Iterator[tuple[str, str]]:
    """Yield the id of every row, and what *expression* finds in the item's last form."""
    if not expression:
        raise QueryError("strata need an expression over an item", hint="Name it: --stratum EXPR, e.g. --stratum team.")
    found = compiled(expression)
    every = list(rows(_bytes(store, population)))
    contents = documents(store, (bytes.fromhex(row.artifacts[-1]) for row in every))
    for row, content in zip(every, contents, strict=True):
        value = found.search(content)
        yield row.id, value if isinstance(value, str) else canonical(value).decode("utf-8")


def _recorded_labels(store: Store, act: Act) -> Iterator[tuple[str, str]]:
    for line in store.artifact(act.artifact).splitlines() if act.artifact else ():
        said = orjson.loads(line)
        yield said["id"], said["stratum"]


def _items(store: Store, population: Act, act: Act) -> Iterator[Row]:
    drawn = act.document["drawn"] if act.document["method"] != Method.DATES.value else []
    wanted = set(drawn)
    found = {row.id: row for row in rows(_bytes(store, population)) if row.id in wanted} if wanted else {}
    yield from (found[each] for each in drawn)


def _dates(population: Act, act: Act) -> Iterator[DrawnDate]:
    if act.document["method"] != Method.DATES.value:
        return
    counts: dict[str, Counter[str]] = {}
    for day, *numbers in population.document["days"]:
        of = counts.setdefault(date_label(day, act.document["every"]), Counter())
        of.update(dict(zip(_DAY_COUNTS, numbers, strict=True)))
    yield from (DrawnDate(label, dict(counts[label])) for label in act.document["drawn"])


def _days(population: Act) -> list[str]:
    """Return the days on which a slot was due that was to be read."""
    return [day for day, due, *_, excluded in population.document["days"] if due > excluded]


def _bytes(store: Store, population: Act) -> bytes:
    if population.artifact is None:
        raise IntegrityError(f"population:{population.id} was recorded without rows")
    return store.artifact(population.artifact)

"""Reconciling two populations, frozen ones or as they were at an instant; recorded only when asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any

from collector.act import Act, ActKind, NewAct
from collector.ask.expressions import compiled
from collector.ask.populations import frozen
from collector.canonical import canonical
from collector.errors import QueryError
from collector.frozen import rows
from collector.model import Json
from collector.population import as_of, documents
from collector.reconciliation import Keyed, Reconciliation, key_value, normaliser, reconcile

if TYPE_CHECKING:
    from collector.store import Store


@dataclass(frozen=True, slots=True)
class Side:
    """One side: a frozen population (``population:7``) or a kind; *key* and *where* are JMESPath over an item.

    Without *key* it is the item's own. Of a kind, the population as it was at the instant asked about.
    """

    of: str
    key: str = ""
    where: str = ""

    @property
    def is_frozen(self) -> bool:
        """Whether it names a frozen population."""
        return self.of.removeprefix("population:").isdigit()


def reconciled(
    store: Store, left: Side, right: Side, *, normalise: str = "", at: datetime, now: datetime
) -> Reconciliation:
    """Return how *left* and *right* compare. Items are named by source, scope and key.

    Raises `QueryError` for an unknown population, kind, expression or normaliser, and for a kind not observed at *at*.
    """
    clean = normaliser(normalise)
    sides = (_keyed(store, each, clean, at=at, now=now) for each in (left, right))
    return reconcile(*sides)


def record(store: Store, left: Side, right: Side, normalise: str, found: Reconciliation, *, actor: str) -> Act:
    """Record that *left* and *right* were reconciled, with what was *found*; return the act.

    Raises `QueryError` unless both are frozen populations of one engagement: others cannot be looked at again.
    """
    if not (left.is_frozen and right.is_frozen):
        raise QueryError(
            "only frozen populations are reconciled on record",
            hint="Freeze both: evidenced population KIND --engagement NAME --freeze.",
        )
    acts = [frozen(store, each.of) for each in (left, right)]
    if acts[0].engagement != acts[1].engagement:
        raise QueryError("the two populations are of different engagements")
    said: dict[str, Json] = {"form": 1, "normalise": normalise, "agree": found.agree}
    for name, side, act, counts in zip(("left", "right"), (left, right), acts, (found.left, found.right), strict=True):
        population = {"act": act.id, "rows": act.document["rows"]["sha256"], "kind": act.document["kind"]}
        said[name] = {"population": population, "key": side.key, "where": side.where, "counts": asdict(counts)}
    new = NewAct(ActKind.RECONCILIATION, said, actor, acts[0].engagement, acts[0].id, _lines(found))
    return store.desk.record([new])[0]


def _lines(found: Reconciliation) -> bytes:
    """Return everything that was found as JSON Lines: one key a line, and where it was."""
    groups = ("matched", "only_left", "only_right", "duplicates")
    said = [{"outcome": name, **asdict(each)} for name in groups for each in getattr(found, name)]
    for side in ("left", "right"):
        said += [
            {"outcome": "without_key", "value": None, "left": [], "right": []} | {side: [name]}
            for name in getattr(found, f"without_key_{side}")
        ]
    return b"".join(canonical(each) + b"\n" for each in said)


def _keyed(store: Store, side: Side, clean: Any, *, at: datetime, now: datetime) -> Iterator[Keyed]:
    key, where = (compiled(each) if each else None for each in (side.key, side.where))
    every = list(_items(store, side, at=at, now=now))
    contents = documents(store, (each[2] for each in every)) if key or where else repeat(None, len(every))
    for (name, own, _), content in zip(every, contents, strict=True):
        if where and not where.search(content):
            yield Keyed(name, None, out=True)
        else:
            yield Keyed(name, key_value(key.search(content) if key else own, clean))


def _items(store: Store, side: Side, *, at: datetime, now: datetime) -> Iterator[tuple[str, str, bytes]]:
    if side.is_frozen:
        act = frozen(store, side.of)
        for row in rows(store.artifact(act.artifact or b"")):
            yield f"{row.source} {row.scope} {row.key}", row.key, bytes.fromhex(row.artifacts[-1])
        return
    for population in as_of(store, side.of, at, now=now):
        subject = population.subject
        if population.run is None:
            raise QueryError(
                f"{subject.kind} of {subject.source} {subject.scope} was not observed yet at that time",
                hint="What is not known cannot be reconciled; ask about a later time: --at TIME.",
            )
        for item in population.items:
            yield f"{subject.source} {subject.scope} {item.key}", item.key, item.artifact

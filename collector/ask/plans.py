"""Questions to the recorded plans: which one ruled when, and what changed from version to version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from collector.clock import iso
from collector.errors import QueryError
from collector.plan import Plan, PlannedSource, changes

if TYPE_CHECKING:
    from collector.engagement import Terms
    from collector.store import Store


@dataclass(frozen=True, slots=True)
class Version:
    """A recorded version of the plan, since when it rules, and in words how it differs from the one before."""

    version: int
    valid_from: datetime | None
    changes: tuple[str, ...]


def recorded_plans(store: Store, terms: Terms | None = None) -> list[Plan]:
    """Return every plan ever recorded, oldest first; with *terms*, only what is in scope of them.

    Raises `IntegrityError` for one that is not a plan.
    """
    found = [Plan.of(each.document, each.version, each.valid_from) for each in store.plans()]
    return (
        [replace(each, sources=Plan.of(terms.planned(each.document())).sources) for each in found] if terms else found
    )


def in_force(plans: Sequence[Plan], at: datetime) -> Plan:
    """Return which of *plans* ruled at *at*. Raises `QueryError` when none did."""
    ruling = [each for each in plans if each.valid_from is not None and each.valid_from <= at]
    if not plans:
        raise QueryError(
            "no plan is recorded yet",
            hint="`evidenced run` records it; `evidenced plan show --configured` shows what it would be.",
        )
    if not ruling:
        raise QueryError(f"no plan was in force at {iso(at)}", hint=f"The first is of {_since(plans[0])}.")
    return max(ruling, key=lambda each: each.version)


def versions(plans: Sequence[Plan]) -> list[Version]:
    """Return what each recorded plan changed, oldest first."""
    before: list[Plan | None] = [None, *plans[:-1]]
    return [
        Version(plan.version, plan.valid_from, tuple(changes(old, plan)))
        for old, plan in zip(before, plans, strict=True)
    ]


def sources_of(plan: Plan, name: str) -> tuple[PlannedSource, ...]:
    """Return the source *name* of *plan*, or all for an empty name. Raises `QueryError` for an unknown one."""
    if not name:
        return plan.sources
    source = plan.source(name)
    if source is None:
        known = ", ".join(each.name for each in plan.sources) or "none"
        raise QueryError(f"the plan has no source {name!r}", hint=f"It has: {known}.")
    return (source,)


def _since(plan: Plan) -> str:
    return iso(plan.valid_from) if plan.valid_from else "always"

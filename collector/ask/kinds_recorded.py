"""The kinds that are planned or on record: what they serve, and where they are read. Loads no connector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.ask.plans import recorded_plans
from collector.ask.slots import criteria_of_kinds
from collector.model import Subject
from collector.tag import ControlSet, controls_for

if TYPE_CHECKING:
    from datetime import datetime

    from collector.engagement import Terms
    from collector.store import Store


@dataclass(frozen=True, slots=True)
class RecordedKind:
    """A kind, the criteria it serves by the newest plan that has it, the controls it shows, and its subjects."""

    kind: str
    criteria: tuple[str, ...]
    controls: tuple[str, ...]
    places: tuple[Subject, ...]


def recorded_kinds(store: Store, controls: ControlSet, terms: Terms, now: datetime) -> list[RecordedKind]:
    """Return the kinds in scope of *terms*, by name; controls are those of the newest set on record, in force now.

    Without a set on record they are those of *controls*.
    """
    recorded = store.controls()
    newest = ControlSet.of(recorded[-1].document) if recorded else controls
    criteria = criteria_of_kinds(recorded_plans(store, terms))
    places: dict[str, list[Subject]] = {}
    for subject in store.subjects():
        if terms.holds(subject):
            places.setdefault(subject.kind, []).append(subject)
    return [
        RecordedKind(kind, criteria.get(kind, ()), controls_for(kind, now, newest), tuple(places[kind]))
        for kind in sorted(places)
    ]

"""Who had access on a day: what every kind that serves a control showed at an instant, across kinds and sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from collector.ask.engagements import require_control
from collector.ask.populations import event_field
from collector.clock import iso
from collector.errors import QueryError
from collector.population import PopulationAt, as_of
from collector.tag import Control, ControlSet

if TYPE_CHECKING:
    from collector.engagement import Terms
    from collector.store import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """What a control's kinds showed at an instant.

    *populations* has one for every subject in scope of a kind that serves the control, by kind, source and scope; one
    without a run was not observed yet, and says nothing. *events* are the kinds that serve it and list what happened,
    not what was there; *unseen* the patterns of the control that no kind on record fits. Within terms that leave out
    sources or scopes none is named: what is out of scope is not told from what is nowhere.
    """

    control: Control
    at: datetime
    populations: tuple[PopulationAt, ...]
    events: tuple[str, ...]
    unseen: tuple[str, ...]


def standing(
    store: Store, controls: ControlSet, name: str, at: datetime, *, now: datetime, terms: Terms | None = None
) -> Standing:
    """Return what the kinds that serve the control *name* showed at *at*, of what *terms* have in scope.

    By the control set that was in force then; before the first on record by that, and without any by *controls*.
    Raises `QueryError` for an unknown control, one that was not in force at *at*, and an instant after *now*.
    """
    if at > now:
        raise QueryError(f"{iso(at)} has not come yet", hint=f"It is {iso(now)}; nobody can have looked later.")
    control = _in_force(ruling(store, controls, at), name, at)
    subjects = [each for each in store.subjects() if terms is None or terms.holds(each)]
    kinds = sorted({each.kind for each in subjects if control.shown_by(each.kind)})
    events = {kind for kind in kinds if event_field(store, [each for each in subjects if each.kind == kind], now)}
    populations = (
        each
        for kind in kinds
        if kind not in events
        for each in as_of(store, kind, at, now=now)
        if terms is None or terms.holds(each.subject)
    )
    narrowed = terms is not None and (terms.sources or terms.scopes)
    unseen = [each for each in control.kinds if not any(fnmatchcase(kind, each) for kind in kinds)]
    return Standing(control, at, tuple(populations), tuple(sorted(events)), () if narrowed else tuple(unseen))


def ruling(store: Store, controls: ControlSet, at: datetime) -> ControlSet:
    """Return the control set in force at *at*: before the first on record that, and without any *controls*."""
    recorded = sorted(store.controls(), key=lambda each: (each.valid_from, each.version))
    if not recorded:
        return controls
    begun = [each for each in recorded if each.valid_from <= at]
    return ControlSet.of((begun[-1] if begun else recorded[0]).document)


def _in_force(controls: ControlSet, name: str, at: datetime) -> Control:
    require_control(controls, name)
    control = controls.at(at).get(name)
    if control is None:
        raise QueryError(
            f"the control {name!r} was not in force at {iso(at)}", hint="Ask about a time at which it was in force."
        )
    return control

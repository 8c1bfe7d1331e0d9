"""Reviews: a named person looked at a population or a control for a period, and decided. Recorded, never weighed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from collector.act import Act, ActKind, NewAct
from collector.ask.engagements import engagement_of, require_control
from collector.ask.notes import note_of
from collector.ask.populations import frozen
from collector.clock import iso
from collector.errors import QueryError
from collector.model import Json, Period
from collector.tag import ControlSet

if TYPE_CHECKING:
    from collector.store import Store


class Decision(StrEnum):
    """What a reviewer decided, in the reviewer's own words for it."""

    APPROVED = "approved"
    EXCEPTIONS_NOTED = "exceptions-noted"
    CHANGES_REQUESTED = "changes-requested"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class NewReview:
    """A decision on *target*: a frozen population (``population:7``) or a control's id.

    A population is reviewed for its own period, a control for *period*, or without one that of *engagement*, which a
    population brings along.
    """

    target: str
    decision: str
    note: str
    engagement: str = ""
    period: Period | None = None


def review(store: Store, controls: ControlSet, new: NewReview, *, actor: str) -> Act:
    """Record *new* by the reviewer *actor*, and return the act.

    Raises `QueryError` for an unknown target, decision or engagement, and a missing note.
    """
    if new.decision not in list(Decision):
        raise QueryError(f"a review does not end in {new.decision!r}", hint=f"It ends in: {', '.join(Decision)}.")
    note = note_of(new.note, "a review says what was looked at", "--note")
    said: dict[str, Json] = {"form": 1, "decision": new.decision, "note": note}
    about = None
    if new.target.removeprefix("population:").isdigit():
        population = frozen(store, new.target)
        _require_of(store, population, new.engagement)
        period = population.document["period"]
        said |= {
            "of": f"population:{population.id}",
            "rows": population.document["rows"]["sha256"],
            "period": {"start": period["start"], "end": period["end"]},
        }
        engagement, about = population.engagement, population.id
    else:
        require_control(controls, new.target)
        if not new.engagement:
            raise QueryError("the review of a control is for an engagement", hint="Name it: --engagement NAME.")
        found = engagement_of(store, new.engagement)
        span = new.period or found.terms.period
        said |= {"of": new.target, "period": {"start": iso(span.start), "end": iso(span.end)}}
        engagement = found.id
    return store.desk.record([NewAct(ActKind.REVIEW, said, actor, engagement, about)])[0]


def _require_of(store: Store, population: Act, engagement: str) -> None:
    if engagement and engagement_of(store, engagement).id != population.engagement:
        raise QueryError(f"population:{population.id} is not of the engagement {engagement!r}")

"""The coverage of a period: of what was expected, what was collected, and what is missing and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collector.ask.slots import GROUPINGS, Question, Slots, criteria_of_kinds, slots_of
from collector.coverage import LOST, Gap, Tally, tally
from collector.criteria import criteria
from collector.grouping import tally_by
from collector.model import Outcome, Subject

if TYPE_CHECKING:
    from collector.store import Store

__all__ = ["GROUPINGS", "Coverage", "Lost", "Question", "Row", "coverage"]


@dataclass(frozen=True, slots=True)
class Row:
    """The sums of one group; *title* is our own short title where the group has one."""

    name: str
    title: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Lost:
    """Events that *run* came too late for; *message* says which. No later run can read them."""

    subject: Subject
    run: str
    message: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The answer. *until* is the period's end, or the present where that is sooner: later slots are not due yet.

    *pending* counts slots that are due but whose time to be read has not passed. *unserved* names the criteria or
    controls that nothing planned serves, when asked by them. *lost* are the events that were found lost in the
    period: no gap shows them, for the run that found it out did collect.
    """

    question: Question
    until: datetime
    rows: tuple[Row, ...]
    total: Tally
    gaps: tuple[Gap, ...]
    pending: int
    unserved: tuple[str, ...]
    lost: tuple[Lost, ...]


def coverage(store: Store, question: Question, *, now: datetime, grace: timedelta) -> Coverage:
    """Return the coverage that *question* asks for, as it stands at *now*; raises what `slots_of` does."""
    return covered(slots_of(store, question, now=now, grace=grace))


def covered(slots: Slots) -> Coverage:
    """Return the coverage that *slots* come to."""
    question = slots.question
    counted = list(slots.counted(by_day=question.by == "day"))
    tallies = tally_by(slots.groups, counted, slots.gaps)
    return Coverage(
        question=question,
        until=slots.until,
        rows=tuple(Row(name, slots.title(name), tallies[name]) for name in slots.in_order(tallies)),
        total=tally(counted, slots.gaps),
        gaps=tuple(slots.gaps),
        pending=slots.pending,
        unserved=tuple(_unserved(slots)),
        lost=tuple(_lost(slots)),
    )


def _lost(slots: Slots) -> Iterator[Lost]:
    period = slots.question.period
    for run in slots.recorded:
        inside = run.outcome is Outcome.COLLECTED and period.start <= run.finished < period.end
        if inside and LOST in run.message and any(True for _ in slots.wanted(run.subject, run.due)):
            yield Lost(run.subject, run.id, run.message)


def _unserved(slots: Slots) -> Iterator[str]:
    """Yield the criteria, or the controls of the newest set, that no kind ever planned serves."""
    question = slots.question
    if question.by not in ("criterion", "control") or question.criterion or question.control or question.kind:
        return
    kinds = criteria_of_kinds(slots.plans)
    if question.by == "criterion":
        served = {name for names in kinds.values() for name in names}
        asked = (question.terms.criteria if question.terms else ()) or criteria()
        yield from (name for name in asked if name not in served)
    elif slots.controls:
        for each in slots.controls[-1][1].controls:
            if not any(each.shown_by(kind) for kind in kinds):
                yield each.id

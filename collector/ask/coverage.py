"""The coverage of a period: what was expected of the plans, what is recorded, and what is missing.

Expectation comes from the plans on record and outcomes from sweeps and missed intervals, so the answer for a past
period does not depend on today's configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from collector.ask.plans import recorded_plans
from collector.coverage import LOST, Gap, Recorded, SlotOutcome, Tally, gaps, outcomes, tally
from collector.criteria import criteria
from collector.engagement import Terms
from collector.errors import QueryError
from collector.grouping import Groups, by_control, by_criterion, by_day, by_kind, by_scope, by_source, tally_by
from collector.model import Outcome, Period, Slot, Subject
from collector.plan import Plan
from collector.schedule import exclusions, slots_through
from collector.tag import ControlSet

if TYPE_CHECKING:
    from collector.store import RunOutcome, Store

GROUPINGS = ("criterion", "control", "kind", "source", "scope", "day")

# A gap that reaches into the period began at a slot before it; the longest usual cadence is a month.
_LEAD_IN = timedelta(days=35)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What to cover: a period, and only the slots that fit. *kind* may be a pattern; empty means any.

    With the *terms* of an engagement, only what is in scope of it.
    """

    period: Period
    source: str = ""
    kind: str = ""
    criterion: str = ""
    control: str = ""
    by: str = "criterion"
    terms: Terms | None = None


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
    controls that nothing planned serves, when asked by them. *slots* is what became of each due slot. *lost* are the
    events that were found lost in the period: no gap shows them, for the run that found it out did collect.
    """

    question: Question
    until: datetime
    rows: tuple[Row, ...]
    total: Tally
    gaps: tuple[Gap, ...]
    pending: int
    unserved: tuple[str, ...]
    slots: tuple[SlotOutcome, ...]
    lost: tuple[Lost, ...]


def coverage(store: Store, question: Question, *, now: datetime, grace: timedelta) -> Coverage:
    """Return the coverage that *question* asks for, as it stands at *now*.

    A slot without a record is missed once it is more than *grace* old. Raises `QueryError` for a source, kind,
    criterion or control that nothing on record knows, and for a period that has not begun.
    """
    if question.period.start >= now:
        raise QueryError("the period has not begun", hint="Coverage is about slots that were due.")
    plans = recorded_plans(store)
    controls = [(each.valid_from, ControlSet.of(each.document)) for each in store.controls()]
    groupings = _groupings(plans, controls)
    wanted = _wanted(question, plans, controls, groupings)
    span = Period(question.period.start - _LEAD_IN, min(question.period.end, now + _MS))
    due = _due(plans, span, question, wanted)
    recorded = [run for sweep in store.sweeps(span, question.source or None) for run in sweep.runs]
    missed = store.missed(span, question.source or None)
    found = outcomes(due, map(_recorded, recorded), missed, exclusions(plans), now=now, grace=grace)
    inside = [each for each in found if each.slot.due >= question.period.start]
    seen = ((run.subject, run.finished, run.id) for run in recorded if run.outcome is Outcome.COLLECTED)
    missing = gaps(found, seen, question.period, now=now)
    groups = _with_none(_asked_for(question, groupings[question.by]), question.by)
    return Coverage(
        question=question,
        until=min(question.period.end, now),
        rows=tuple(_rows(question, controls, tally_by(groups, inside, missing))),
        total=tally(inside, missing),
        gaps=tuple(missing),
        pending=len(due) - len(found),
        unserved=tuple(_unserved(question, plans, controls)),
        slots=tuple(inside),
        lost=tuple(_lost(recorded, question.period, wanted)),
    )


def _due(plans: Sequence[Plan], period: Period, question: Question, wanted: Groups) -> list[Slot]:
    every = slots_through(plans, period, question.source or None)
    return [slot for slot in every if any(True for _ in wanted(slot.subject, slot.due))]


def _recorded(run: RunOutcome) -> Recorded:
    slot = Slot(run.subject, run.due)
    return Recorded(slot, run.outcome, run.detail, run.reason, run.id, run.message, run.trigger)


def _lost(recorded: Iterable[RunOutcome], period: Period, wanted: Groups) -> Iterator[Lost]:
    for run in recorded:
        inside = run.outcome is Outcome.COLLECTED and period.start <= run.finished < period.end
        if inside and LOST in run.message and any(True for _ in wanted(run.subject, run.due)):
            yield Lost(run.subject, run.id, run.message)


def _groupings(plans: Sequence[Plan], controls: Sequence[tuple[datetime, ControlSet]]) -> dict[str, Groups]:
    return {
        "criterion": by_criterion(_criteria_of_kinds(plans)),
        "control": by_control(controls),
        "kind": by_kind,
        "source": by_source,
        "scope": by_scope,
        "day": by_day,
    }


def _with_none(groups: Groups, by: str) -> Groups:
    """Return *groups* with a group for what belongs to none, so that nothing that was due is left out of the rows."""
    return lambda subject, at: tuple(groups(subject, at)) or (f"(no {by})",)


def _asked_for(question: Question, groups: Groups) -> Groups:
    """Return *groups* without the criteria or controls that the engagement does not name: they are no row of it."""
    terms = question.terms
    names = {"criterion": terms.criteria, "control": terms.controls}.get(question.by, ()) if terms else ()
    return (lambda subject, at: [each for each in groups(subject, at) if each in names]) if names else groups


def _criteria_of_kinds(plans: Sequence[Plan]) -> dict[str, tuple[str, ...]]:
    """Return the criteria of each kind ever planned, as the newest plan that has it says."""
    return {kind.name: kind.criteria for plan in plans for source in plan.sources for kind in source.kinds}


def _wanted(
    question: Question,
    plans: Sequence[Plan],
    controls: Sequence[tuple[datetime, ControlSet]],
    groupings: dict[str, Groups],
) -> Groups:
    """Return groups that are empty for a slot that is not asked about; raise `QueryError` for unknown names."""
    kinds = _criteria_of_kinds(plans)
    _known("source", question.source, {source.name for plan in plans for source in plan.sources})
    _known("criterion", question.criterion, criteria())
    _known("control", question.control, {each.id for _, found in controls for each in found.controls})
    chosen = {name for name in kinds if fnmatchcase(name, question.kind or "*")}
    if question.kind and not chosen:
        _known("kind", question.kind, kinds)
    serving, terms = (groupings["criterion"], groupings["control"]), question.terms

    def wanted(subject: Subject, due: datetime) -> Iterable[str]:
        if subject.kind not in chosen or (terms and not terms.holds(subject)):
            return ()
        for name, groups in zip((question.criterion, question.control), serving, strict=True):
            if name and name not in groups(subject, due):
                return ()
        for names, groups in zip((terms.criteria, terms.controls) if terms else (), serving, strict=False):
            if names and not set(names).intersection(groups(subject, due)):
                return ()
        return ("wanted",)

    return wanted


def _known(what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name and name not in names:
        near = ", ".join(get_close_matches(name, names, n=3)) or ", ".join(sorted(names)[:12]) or "none"
        raise QueryError(f"no {what} on record is called {name!r}", hint=f"Nearest: {near}.")


def _rows(
    question: Question, controls: Sequence[tuple[datetime, ControlSet]], tallies: dict[str, Tally]
) -> Iterator[Row]:
    titles = _titles(question.by, controls)
    # The standard's own order, and the control set's, which the alphabet does not know; "(no ...)" comes last.
    order = {name: place for place, name in enumerate(titles)}
    for name in sorted(tallies, key=lambda name: (order.get(name, len(order)), name)):
        yield Row(name, titles.get(name, ""), tallies[name])


def _titles(by: str, controls: Sequence[tuple[datetime, ControlSet]]) -> dict[str, str]:
    if by == "criterion":
        return {each.id: each.title for each in criteria().values()}
    if by == "control":
        return {each.id: each.title for _, found in controls for each in found.controls}
    return {}


def _unserved(
    question: Question, plans: Sequence[Plan], controls: Sequence[tuple[datetime, ControlSet]]
) -> Iterator[str]:
    """Yield the criteria, or the controls of the newest set, that no kind ever planned serves."""
    if question.by not in ("criterion", "control") or question.criterion or question.control or question.kind:
        return
    kinds = _criteria_of_kinds(plans)
    if question.by == "criterion":
        served = {name for names in kinds.values() for name in names}
        asked = (question.terms.criteria if question.terms else ()) or criteria()
        yield from (name for name in asked if name not in served)
    elif controls:
        for each in controls[-1][1].controls:
            if not any(each.shown_by(kind) for kind in kinds):
                yield each.id

"""What became of the slots of a period: what the plans expected, what is recorded of it, and the gaps.

Expectation comes from the plans on record and outcomes from sweeps and missed intervals, so the answer for a past
period does not depend on today's configuration. `collector.ask.coverage` and `collector.ask.calendar` sum it up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from collector.ask.dues import Dues, dues
from collector.ask.fitting import Fit
from collector.ask.plans import recorded_plans
from collector.clock import to_ms
from collector.coverage import Counted, Gap, RunOutcome, SlotOutcome, gaps, outcomes
from collector.criteria import criteria
from collector.engagement import Terms
from collector.errors import QueryError
from collector.grouping import Groups, by_control, by_criterion, by_day, by_kind, by_scope, by_source
from collector.model import Detail, Outcome, Period, Subject
from collector.plan import Plan
from collector.schedule import exclusions
from collector.tag import ControlSet

if TYPE_CHECKING:
    from collector.store import Held, Store

GROUPINGS = ("criterion", "control", "kind", "source", "scope", "day")

# A gap that reaches into the period began at a slot before it; the longest usual cadence is a month.
_LEAD_IN = timedelta(days=35)
_MS = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_WHOLE = 2  # a period that nothing cuts has its two ends


@dataclass(frozen=True, slots=True)
class Question:
    """What to cover: a period, and only the slots that fit. *kind* may be a pattern; empty means any.

    With the *terms* of an engagement, only what is in scope of it: nothing else is known then, planned or not.
    """

    period: Period
    source: str = ""
    kind: str = ""
    criterion: str = ""
    control: str = ""
    by: str = "criterion"
    terms: Terms | None = None


@dataclass(frozen=True)
class Slots:
    """What became of the slots of the period that *question* asks about, up to *until*.

    *found* are the slots that were looked at one by one and *settled* those that pages of the slot ledger settle; no
    slot is in both. *recorded* are the runs that were opened for it. *pending* counts slots that are due but whose time
    to be read has not passed.
    """

    question: Question
    until: datetime
    plans: Sequence[Plan]
    controls: Sequence[tuple[datetime, ControlSet]]
    wanted: Groups
    recorded: Sequence[RunOutcome]
    found: Sequence[SlotOutcome]
    settled: Sequence[Held]
    gaps: Sequence[Gap]
    pending: int

    def grouped(self, by: str) -> Slots:
        """Return the same slots for the same question, summed up by *by*: what became of them does not depend on it."""
        return replace(self, question=replace(self.question, by=by))

    @property
    def groups(self) -> Groups:
        """The groups that the question asks for; what belongs to none is in a group that says so."""
        question = self.question
        return _with_none(_asked_for(question, _groupings(self.plans, self.controls)[question.by]), question.by)

    def counted(self, *, by_day: bool, in_detail: bool = True) -> Iterator[Counted]:
        """Yield all the slots, those together that are in the same groups, and with *by_day* due on one UTC day.

        Unless *in_detail*, what was collected is counted without what it came to, which takes a fifth of the time.
        """
        period = Period(self.question.period.start, min(self.question.period.end, self.until + _MS))
        cuts = _cuts(period, _edges(self.controls), by_day=by_day)
        yield from _counted(self.settled, cuts, in_detail=in_detail)
        yield from _counted_singly(self.found, cuts)

    def title(self, name: str) -> str:
        """Return our own short title of the group *name*, empty where it has none."""
        return self._titles.get(name, "")

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return *names* in the standard's own order, or the control set's, which the alphabet does not know."""
        order = {name: place for place, name in enumerate(self._titles)}
        return sorted(names, key=lambda name: (order.get(name, len(order)), name))  # "(no ...)" comes last

    @property
    def _titles(self) -> dict[str, str]:
        return _titles(self.question.by, self.controls)


def slots_of(store: Store, question: Question, *, now: datetime, grace: timedelta) -> Slots:
    """Return what became, as it stands at *now*, of the slots that *question* asks about.

    A slot without a record is missed once it is more than *grace* old. Raises `QueryError` for a source, kind,
    criterion or control that nothing on record knows, and for a period that has not begun.
    """
    if question.period.start >= now:
        raise QueryError("the period has not begun", hint="Coverage is about slots that were due.")
    plans = recorded_plans(store, question.terms)
    controls = [(each.valid_from, ControlSet.of(each.document)) for each in store.controls()]
    wanted = _wanted(question, plans, controls, _groupings(plans, controls))
    span = Period(question.period.start - _LEAD_IN, min(question.period.end, now + _MS))
    due = dues(plans, span, question.source, wanted, _edges(controls))
    recorded, fit = _recorded(store, span, question, due)
    found = outcomes(
        fit.left,
        [run for run in recorded if run.subject in fit.doubted] if fit.doubted else (),
        store.missed(span, question.source or None),
        exclusions(plans),
        now=now,
        grace=grace,
    )
    seen = [(run.subject, run.finished, run.id) for run in recorded if run.outcome is Outcome.COLLECTED]
    return Slots(
        question=question,
        until=min(question.period.end, now),
        plans=plans,
        controls=controls,
        wanted=wanted,
        recorded=recorded,
        found=[each for each in (*fit.found, *found) if each.slot.due >= question.period.start],
        settled=fit.settled,
        gaps=gaps([*fit.found, *found], [*seen, *fit.ends], question.period, now=now),
        pending=len(fit.left) - len(found),
    )


def _recorded(
    store: Store, span: Period, question: Question, due: Mapping[Subject, Sequence[Dues]]
) -> tuple[list[RunOutcome], Fit]:
    """Return the runs that the pages of the slot ledger do not settle, and what they do settle of the slots *due*."""
    held: dict[Subject, list[Held]] = defaultdict(list)
    others: dict[Subject, dict[int, SlotOutcome | None]] = defaultdict(dict)
    recorded: list[RunOutcome] = []
    for pages in store.slot_pages(span, question.source or None).values():
        for page in pages:
            for subject, found in page.held.items():
                held[subject] += found
            for subject, said in page.outcomes.items():
                mine = others[subject]
                twice = mine.keys() & said.keys()
                mine.update(said)
                mine.update(dict.fromkeys(twice))
            recorded += page.others
    fit = Fit()
    for subject, pieces in due.items():
        fit.add(subject, pieces, held[subject], others[subject])
    return [*recorded, *store.outcomes(fit.opened)], fit


def _edges(controls: Sequence[tuple[datetime, ControlSet]]) -> set[datetime]:
    """Return when subjects may begin or cease to belong to a control: with a set, or by a control's own dates."""
    dates = {at for _, found in controls for each in found.controls for at in (each.valid_from, each.valid_to)}
    return {valid_from for valid_from, _ in controls} | {at for at in dates if at is not None}


def _cuts(period: Period, edges: Iterable[datetime], *, by_day: bool) -> list[datetime]:
    """Return the ends of *period*, and between them what is inside of *edges* and, *by_day*, of the UTC midnights."""
    days = (period.end - period.start) // _DAY + 2 if by_day else 0
    midnight = period.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    inside = {each for each in edges if period.start < each < period.end}
    midnights = (midnight + number * _DAY for number in range(days))
    inside |= {each for each in midnights if period.start < each < period.end}
    return [period.start, *sorted(inside), period.end]


def _counted(settled: Iterable[Held], cuts: Sequence[datetime], *, in_detail: bool) -> Iterator[Counted]:
    ends = [to_ms(each) for each in cuts]
    details: Sequence[Detail | None] = tuple(Detail) if in_detail else (None,)
    for subject, group in groupby(settled, key=attrgetter("subject")):
        sums: dict[int, list[tuple[int, ...]]] = defaultdict(list)
        for slots in group:
            first = max(0, bisect_right(ends, slots.first) - 1)
            for at in range(first, min(bisect_right(ends, slots.last), len(ends) - 1)):
                between = ends[at], ends[at + 1]
                sums[at].append(slots.between(*between) if in_detail else (slots.due_in(*between),))
        for at, counts in sums.items():
            for detail, each in zip(details, map(sum, zip(*counts, strict=True)), strict=True):
                if each:  # a piece that a stretch only spans is in no group for it
                    yield subject, cuts[at], Outcome.COLLECTED, detail, each


def _counted_singly(found: Iterable[SlotOutcome], cuts: Sequence[datetime]) -> Iterator[Counted]:
    for (subject, outcome, detail), alike in groupby(found, key=attrgetter("slot.subject", "outcome", "detail")):
        if len(cuts) == _WHOLE:
            yield subject, cuts[0], outcome, detail, sum(1 for _ in alike)
        else:
            numbers = Counter(bisect_right(cuts, each.slot.due) - 1 for each in alike)
            yield from ((subject, cuts[at], outcome, detail, count) for at, count in numbers.items())


def _groupings(plans: Sequence[Plan], controls: Sequence[tuple[datetime, ControlSet]]) -> dict[str, Groups]:
    return {
        "criterion": by_criterion(criteria_of_kinds(plans)),
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


def criteria_of_kinds(plans: Sequence[Plan]) -> dict[str, tuple[str, ...]]:
    """Return the criteria of each kind ever planned, as the newest plan that has it says."""
    return {kind.name: kind.criteria for plan in plans for source in plan.sources for kind in source.kinds}


def _wanted(
    question: Question,
    plans: Sequence[Plan],
    controls: Sequence[tuple[datetime, ControlSet]],
    groupings: dict[str, Groups],
) -> Groups:
    """Return groups that are empty for a slot that is not asked about; raise `QueryError` for unknown names."""
    kinds = criteria_of_kinds(plans)
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


def _titles(by: str, controls: Sequence[tuple[datetime, ControlSet]]) -> dict[str, str]:
    if by == "criterion":
        return {each.id: each.title for each in criteria().values()}
    if by == "control":
        return {each.id: each.title for _, found in controls for each in found.controls}
    return {}

"""Coverage: what became of every slot that was due, and where a period has gaps. Pure arithmetic, no I/O.

The outcome of a slot is, in this order: what the first scheduled run recorded for it says; that the plan excluded it;
that it was recorded as missed; and where nothing at all is recorded, missed. It is never guessed to be collected.

Later runs of the same slot do not rewrite its outcome. A catch-up, ad hoc or backfill run gives evidence, so it ends a
gap, but it does not make a late slot punctual. A record outranks an exclusion and a record of slots missed, because it
is the positive fact: a sweep that was cut short leaves runs behind, and the slots it left out are recorded as missed
together with those it had read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from collector.model import Detail, Missed, Outcome, Period, Reason, Slot, Subject, Trigger
from collector.passed import Passed

NO_RECORD = "no record"
LOST = "are lost: the source no longer keeps them"
"""How the message of a collected run ends when it came too late for some events."""
_UNCOLLECTED = (Outcome.FAILED, Outcome.MISSED)
# Subjects come many times in a row, and hashing one takes longer than most of what is done with it.
_subject_of = attrgetter("subject")
_RUN_ID = re.compile(r"(\d+)-(\d+)")

WORST_FIRST = (
    Reason.INTERNAL,
    Reason.MISCONFIGURED,
    Reason.DENIED,
    Reason.NOT_ENABLED,
    Reason.INVALID,
    Reason.TRUNCATED,
    Reason.UNAVAILABLE,
    Reason.THROTTLED,
)
"""Reasons from the worst: first our own fault, then what stays until a person acts, last what passes by itself."""


class RunOutcome(NamedTuple):
    """What coverage needs of a run. *id* opens the whole sheet; ids are numbered in the order of recording."""

    id: str
    subject: Subject
    due: datetime
    finished: datetime
    outcome: Outcome
    detail: Detail | None
    reason: Reason | None
    message: str
    trigger: Trigger


class SlotOutcome(NamedTuple):
    """What became of a due slot. *cause* says why it was not collected; *run* is empty where none was made for it."""

    slot: Slot
    outcome: Outcome
    detail: Detail | None
    reason: Reason | None
    cause: str
    run: str


class Gap(NamedTuple):
    """An interval in which a subject's due slots were not collected.

    *outcome* is ``missed`` if any of its slots was, else ``failed``; *reason* is the worst of the failures and *cause*
    that of its worst slot (a missed one is worst), the earliest of equals. *slots* counts those due in the period
    asked about, none for a gap that only reaches into it. *runs* failed in it; *ended_by* is the run that ended it,
    empty when it was still open at its end or the plan gave the subject up.
    """

    subject: Subject
    period: Period
    outcome: Outcome
    reason: Reason | None
    cause: str
    slots: int
    runs: tuple[str, ...]
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Slots by outcome and detail, and the gaps among them.

    ``due = collected + failed + missed + excluded`` and ``collected = changed + unchanged + empty``.
    """

    due: int = 0
    collected: int = 0
    changed: int = 0
    unchanged: int = 0
    empty: int = 0
    failed: int = 0
    missed: int = 0
    excluded: int = 0
    longest_gap: timedelta = timedelta(0)
    gaps: int = 0

    @classmethod
    def of(cls, slots: Counter[tuple[Outcome, Detail | None]], gaps: Iterable[Gap]) -> Tally:
        """Return the sums over *slots*, counted by outcome and detail, and *gaps*."""
        outcomes: Counter[Outcome] = Counter()
        for (outcome, _), count in slots.items():
            outcomes[outcome] += count
        lengths = [gap.period.end - gap.period.start for gap in gaps]
        return cls(
            due=outcomes.total(),
            collected=outcomes[Outcome.COLLECTED],
            changed=slots[Outcome.COLLECTED, Detail.CHANGED],
            unchanged=slots[Outcome.COLLECTED, Detail.UNCHANGED],
            empty=slots[Outcome.COLLECTED, Detail.EMPTY],
            failed=outcomes[Outcome.FAILED],
            missed=outcomes[Outcome.MISSED],
            excluded=outcomes[Outcome.EXCLUDED],
            longest_gap=max(lengths, default=timedelta(0)),
            gaps=len(lengths),
        )


def outcomes(
    due: Iterable[Slot],
    recorded: Iterable[RunOutcome],
    missed: Iterable[Missed],
    excluded: Callable[[Slot], str],
    *,
    now: datetime | None = None,
    grace: timedelta = timedelta(0),
) -> list[SlotOutcome]:
    """Return what became of every slot in *due*: exactly one outcome each, in the order given, repeats dropped.

    *recorded* and *missed* may come in any order, repeat themselves and name slots that are not due. *excluded* says
    why the plan in force when a slot fell due did not have it read, "" if it did (`collector.schedule.exclusions`).
    With *now*, a slot without record that is due after ``now - grace`` is left out: its time has not passed.
    """
    first = _first_scheduled(recorded)
    passed = Passed(missed)
    latest = None if now is None else now - grace
    found: list[SlotOutcome] = []
    known: dict[Subject, set[datetime]] = defaultdict(set)
    for subject, slots in groupby(due, key=_subject_of):
        records, done = first.get(subject, {}), known[subject]
        for slot in slots:
            at = slot.due
            if at not in done:
                done.add(at)
                each = _outcome(slot, records.get(at), excluded, passed, latest)
                if each is not None:
                    found.append(each)
    return found


def _outcome(
    slot: Slot,
    record: RunOutcome | None,
    excluded: Callable[[Slot], str],
    passed: Passed,
    latest: datetime | None,
) -> SlotOutcome | None:
    if record is not None:
        return SlotOutcome(slot, record.outcome, record.detail, record.reason, record.message, record.id)
    if why := excluded(slot):
        return SlotOutcome(slot, Outcome.EXCLUDED, None, None, why, "")
    cause = passed.cause(slot)
    if cause is None and latest is not None and slot.due > latest:
        return None
    return SlotOutcome(slot, Outcome.MISSED, None, None, NO_RECORD if cause is None else cause, "")


def _first_scheduled(recorded: Iterable[RunOutcome]) -> dict[Subject, dict[datetime, RunOutcome]]:
    first: dict[Subject, dict[datetime, RunOutcome]] = defaultdict(dict)
    for subject, runs in groupby(recorded, key=_subject_of):
        mine = first[subject]
        for each in runs:
            if each.trigger is Trigger.SCHEDULE:
                before = mine.setdefault(each.due, each)
                if before is not each and _order(each.id) < _order(before.id):
                    mine[each.due] = each
    return first


def _order(run: str) -> tuple[int, int, str]:
    parts = _RUN_ID.fullmatch(run)
    return (int(parts[1]), int(parts[2]), run) if parts else (-1, -1, run)


def gaps(
    outcomes: Iterable[SlotOutcome],
    observed: Iterable[tuple[Subject, datetime, str]],
    period: Period,
    *,
    now: datetime | None = None,
) -> list[Gap]:
    """Return the intervals of *period* in which a due slot was not collected, by subject, then time.

    A gap begins when the slot was due and ends before the next slot that was collected or excluded, or with the next
    good run in *observed* (subject, finished, run id; of any trigger), or with the period (or *now*, if that is
    sooner). It is half-open, in UTC, clipped to the period; gaps of one subject do not overlap, and together they hold
    exactly the failed and missed slots. Outcomes and observations may come in any order and overlap the period's edges:
    a gap that began before it is shown, if its slots are given. Time before the first slot is no gap, nor is time after
    a good run until the next slot is due. An empty result means every due slot was collected, not that none was due.
    """
    limit = period.end if now is None else min(period.end, now)
    by_subject: dict[Subject, list[SlotOutcome]] = defaultdict(list)
    for subject, slots in groupby(outcomes, key=attrgetter("slot.subject")):
        by_subject[subject] += (each for each in slots if each.slot.due < limit)
    wanting = [subject for subject, each in by_subject.items() if any(one.outcome in _UNCOLLECTED for one in each)]
    seen: dict[Subject, list[tuple[datetime, str]]] = {subject: [] for subject in wanting}
    for subject, at, run in observed:
        if subject in seen:
            seen[subject].append((at, run))
    found: list[Gap] = []
    for subject in sorted(wanting):
        ordered = sorted(by_subject[subject], key=attrgetter("slot.due"))
        found += _gaps_of(ordered, sorted(seen[subject]), Period(period.start, limit))
    return found


def _gaps_of(slots: Sequence[SlotOutcome], seen: Sequence[tuple[datetime, str]], period: Period) -> list[Gap]:
    found: list[Gap | None] = []
    opened: list[SlotOutcome] = []
    end, run = period.end, ""
    for each in slots:
        due, uncollected = each.slot.due, each.outcome in _UNCOLLECTED
        if opened and (end <= due or not uncollected):
            found.append(_gap(opened, end, run, period) if end <= due else _gap(opened, due, each.run, period))
            opened = []
        if uncollected:
            if not opened:
                end, run = _next(seen, due, period.end)
            opened.append(each)
    if opened:
        found.append(_gap(opened, end, run, period))
    return [each for each in found if each is not None]


def _next(seen: Sequence[tuple[datetime, str]], after: datetime, limit: datetime) -> tuple[datetime, str]:
    """Return the first observation later than *after*, or (*limit*, "")."""
    at = bisect_right(seen, after, key=lambda each: each[0])
    return min(seen[at], (limit, "")) if at < len(seen) else (limit, "")


def _gap(opened: Sequence[SlotOutcome], end: datetime, run: str, period: Period) -> Gap | None:
    """Return the gap of *opened* slots; None when it ends before the period."""
    start = max(opened[0].slot.due, period.start)
    if start >= end:
        return None
    if len(opened) == 1:
        [only] = opened
        runs = (only.run,) if only.run else ()
        within = int(only.slot.due >= period.start)
        return Gap(only.slot.subject, Period(start, end), only.outcome, only.reason, only.cause, within, runs, run)
    reasons = [each.reason for each in opened if each.reason is not None]
    reason = min(reasons, key=WORST_FIRST.index, default=None)
    worst = _worst(opened, reason)
    return Gap(
        subject=worst.slot.subject,
        period=Period(start, end),
        outcome=worst.outcome,
        reason=reason,
        cause=worst.cause,
        slots=sum([each.slot.due >= period.start for each in opened]),
        runs=tuple([each.run for each in opened if each.run]),
        ended_by=run,
    )


def _worst(opened: Sequence[SlotOutcome], reason: Reason | None) -> SlotOutcome:
    """Return the first that nobody looked at; if somebody always did, the first that failed for *reason*."""
    missed = (each for each in opened if each.outcome is Outcome.MISSED)
    return next(missed, None) or next(each for each in opened if each.reason is reason)


Counted = tuple[Subject, datetime, Outcome, Detail | None, int]
"""Several slots of a subject with one outcome and detail, that belong to the same groups: one due time, their count."""


def tally(counted: Iterable[Counted], gaps: Iterable[Gap] = ()) -> Tally:
    """Return the sums over *counted* slots and *gaps*; by group it is `collector.grouping.tally_by`."""
    sums: Counter[tuple[Outcome, Detail | None]] = Counter()
    for _, _, outcome, detail, count in counted:
        sums[outcome, detail] += count
    return Tally.of(sums, gaps)

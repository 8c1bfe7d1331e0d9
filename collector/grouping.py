"""Sums of coverage by group: source, kind, scope, criterion, control or day."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from collector.coverage import Counted, Gap, SlotOutcome, Tally
from collector.model import Detail, Outcome, Subject
from collector.tag import ControlSet, controls_for

Groups = Callable[[Subject, datetime], Iterable[str]]
"""Names the groups that a subject belongs to at an instant; none, one or several."""

_MS = timedelta(milliseconds=1)


def tally_by(
    groups: Groups, outcomes: Iterable[SlotOutcome], gaps: Iterable[Gap] = (), counted: Iterable[Counted] = ()
) -> dict[str, Tally]:
    """Return the sums of every group that has a slot or a gap, by name.

    A slot counts in the groups its subject belongs to when it is due, a gap in those at its start and at its end. What
    belongs to several groups counts in each, so sums over criteria or controls exceed the whole.
    """
    counts: dict[str, Counter[tuple[Outcome, Detail | None]]] = defaultdict(Counter)
    for each in outcomes:
        for name in groups(each.slot.subject, each.slot.due):
            counts[name][each.outcome, each.detail] += 1
    for subject, at, outcome, detail, count in counted:
        for name in groups(subject, at):
            counts[name][outcome, detail] += count
    among: dict[str, list[Gap]] = defaultdict(list)
    for gap in gaps:
        edges = (gap.period.start, gap.period.end - _MS)
        for name in {name for at in edges for name in groups(gap.subject, at)}:
            among[name].append(gap)
    return {name: Tally.of(counts[name], among[name]) for name in sorted({*counts, *among})}


def by_source(subject: Subject, _: datetime) -> tuple[str]:
    """Group by source."""
    return (subject.source,)


def by_kind(subject: Subject, _: datetime) -> tuple[str]:
    """Group by kind."""
    return (subject.kind,)


def by_scope(subject: Subject, _: datetime) -> tuple[str]:
    """Group by source and scope, as ``source scope``."""
    return (f"{subject.source} {subject.scope}",)


def by_day(_: Subject, at: datetime) -> tuple[str]:
    """Group by UTC day, as ``2026-03-14``: the cells of a calendar."""
    return (at.astimezone(UTC).date().isoformat(),)


def by_criterion(criteria: Mapping[str, Iterable[str]]) -> Groups:
    """Group by the criteria that *criteria* gives each kind; a kind it does not know belongs to none."""
    known = {kind: tuple(names) for kind, names in criteria.items()}
    return lambda subject, _: known.get(subject.kind, ())


def by_control(history: Sequence[tuple[datetime, ControlSet]]) -> Groups:
    """Group by the controls in force that a kind shows; *history* is the sets on record with the time each began."""
    ordered = sorted(history, key=lambda each: each[0])
    starts = [start for start, _ in ordered]

    def groups(subject: Subject, at: datetime) -> tuple[str, ...]:
        ruling = bisect_right(starts, at) - 1
        return controls_for(subject.kind, at, ordered[ruling][1]) if ruling >= 0 else ()

    return groups

"""Coverage by group: sums by source, kind, scope, criterion, control or day, and gaps by what began together."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collector.coverage import Counted, Gap, Tally
from collector.model import Detail, Outcome, Period, Subject
from collector.tag import ControlSet, controls_for

Groups = Callable[[Subject, datetime], Iterable[str]]
"""Names the groups that a subject belongs to at an instant; none, one or several."""

_MS = timedelta(milliseconds=1)


def tally_by(groups: Groups, counted: Iterable[Counted], gaps: Iterable[Gap] = ()) -> dict[str, Tally]:
    """Return the sums of every group that has a slot or a gap, by name.

    A slot counts in the groups its subject belongs to when it is due, a gap in those at its start and at its end. What
    belongs to several groups counts in each, so sums over criteria or controls exceed the whole.
    """
    counts: dict[str, Counter[tuple[Outcome, Detail | None]]] = defaultdict(Counter)
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


@dataclass(frozen=True, slots=True)
class Outage:
    """The *gaps* of one source that began together for one cause: what people would call one failure."""

    gaps: tuple[Gap, ...]

    @property
    def first(self) -> Gap:
        """One of them: all have its source, its beginning, its outcome, its reason and its cause."""
        return self.gaps[0]

    @property
    def period(self) -> Period:
        """From the beginning to the end of the last of them."""
        return Period(self.first.period.start, max(gap.period.end for gap in self.gaps))

    @property
    def length(self) -> timedelta:
        """How long the longest of them lasted."""
        return self.period.end - self.period.start

    @property
    def slots(self) -> int:
        """How many slots were not collected."""
        return sum(gap.slots for gap in self.gaps)

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that failed in them."""
        return tuple(run for gap in self.gaps for run in gap.runs)

    @property
    def ended_by(self) -> tuple[str, ...]:
        """The runs that ended them; fewer than there are gaps where some were still open."""
        return tuple(gap.ended_by for gap in self.gaps if gap.ended_by)

    @property
    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The scopes of each kind that was not collected."""
        found: dict[str, list[str]] = {}
        for gap in self.gaps:
            found.setdefault(gap.subject.kind, []).append(gap.subject.scope)
        return {kind: tuple(scopes) for kind, scopes in found.items()}


def outages(gaps: Iterable[Gap]) -> list[Outage]:
    """Return *gaps* by what began together for one cause, in the order in which they began."""
    together: dict[tuple[object, ...], list[Gap]] = {}
    for gap in gaps:
        alike = (gap.period.start, gap.subject.source, gap.outcome, gap.reason or "", gap.cause)
        together.setdefault(alike, []).append(gap)
    return [Outage(tuple(together[alike])) for alike in sorted(together, key=str)]

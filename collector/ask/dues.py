"""When the slots of a subject fall due, without listing them: a year of hourly slots is a step and two ends.

Everything here is in milliseconds since 1970, half-open.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.clock import from_ms, to_ms
from collector.grouping import Groups
from collector.model import Period, Subject
from collector.plan import Plan, PlannedSource
from collector.schedule import Cadence, reigns

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Every:
    """The instants of ``[start, end)`` that are *phase* and whole *steps* from there."""

    start: int
    end: int
    step: int
    phase: int

    def between(self, start: int, end: int) -> Sequence[int]:
        """Return the instants in ``[start, end)``."""
        start, end = max(start, self.start), min(end, self.end)
        return range(start + (self.phase - start) % self.step, end, self.step)

    def holds(self, first: int, step: int, count: int) -> bool:
        """Return whether *first* and the *count* - 1 instants after it, *step* apart, are here with none between."""
        if count > 1 and step != self.step:
            return False
        return self.start <= first and first + step * (count - 1) < self.end and (first - self.phase) % self.step == 0

    def joined(self, other: Dues) -> Every | None:
        """Return both as one where *other* goes on as this one does."""
        if not isinstance(other, Every) or (other.start, other.step) != (self.end, self.step):
            return None
        same = (other.phase - self.phase) % self.step == 0
        return Every(self.start, other.end, self.step, self.phase) if same else None


@dataclass(frozen=True, slots=True)
class Listed:
    """The instants *times*, ascending, of ``[start, end)``."""

    start: int
    end: int
    times: Sequence[int]

    def between(self, start: int, end: int) -> Sequence[int]:
        """See `Every.between`."""
        return self.times[bisect_left(self.times, start) : bisect_left(self.times, end)]

    def holds(self, first: int, step: int, count: int) -> bool:
        """See `Every.holds`."""
        at = bisect_left(self.times, first)
        return list(self.times[at : at + count]) == [first + step * number for number in range(count)]

    def joined(self, _: Dues) -> None:
        """See `Every.joined`: lists are never joined."""


Dues = Every | Listed


def dues(
    plans: Sequence[Plan], period: Period, source: str, wanted: Groups, edges: Iterable[datetime]
) -> dict[Subject, list[Dues]]:
    """Return when slots of *period* are due by *plans*, for each subject in ascending pieces that do not overlap.

    The slots are those of `schedule.slots_through` for which *wanted* names a group; between two of *edges* it names
    the same for all instants. An empty *source* is any.
    """
    found: dict[Subject, list[Dues]] = {}
    cuts = sorted(set(edges))
    for plan, reign in reigns(plans, period):
        for planned in plan.sources:
            if source in ("", planned.name):
                for cadence, subjects in planned.by_cadence.items():
                    for piece in _pieces(reign, cuts):
                        _add(found, planned, cadence, piece, [each for each in subjects if _is(wanted, each, piece)])
    return found


def _pieces(period: Period, cuts: Sequence[datetime]) -> list[Period]:
    inside = [each for each in cuts if period.start < each < period.end]
    starts = [period.start, *inside]
    return [Period(start, end) for start, end in zip(starts, [*inside, period.end], strict=True)]


def _is(wanted: Groups, subject: Subject, piece: Period) -> bool:
    return any(True for _ in wanted(subject, piece.start))


def _add(
    found: dict[Subject, list[Dues]], source: PlannedSource, cadence: str, piece: Period, subjects: Iterable[Subject]
) -> None:
    times = None
    for subject in subjects:
        # Reckoned once for all subjects that fall due together.
        times = times or _dues(Cadence.parse(cadence, source.timezone, source.daily_at), piece, source.offset)
        before = found.setdefault(subject, [])
        joined = before[-1].joined(times) if before else None
        if joined is not None:
            before[-1] = joined
        else:
            before.append(times)


def _dues(cadence: Cadence, period: Period, offset: timedelta) -> Dues:
    # A cadence names whole milliseconds, so an edge between two of them may as well be the next one.
    start, end = (to_ms(each) + (from_ms(to_ms(each)) < each) for each in (period.start, period.end))
    if cadence.step is not None:
        return Every(start, end, cadence.step // _MS, to_ms(from_ms(0) + offset))
    return Listed(start, end, [to_ms(each) for each in cadence.occurrences(period, offset)])

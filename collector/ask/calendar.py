"""A period day by day (UTC): what became of the slots of each criterion, control, kind, source or scope on each day.

One pass over the slots, whatever the number of rows; each cell counts what `coverage` by day counts of that row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from collector.ask.slots import Question, Slots, slots_of
from collector.coverage import Counted
from collector.errors import QueryError
from collector.grouping import Groups
from collector.model import Outcome, Period

if TYPE_CHECKING:
    from collector.store import Store

_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)
_WORST_FIRST = (Outcome.MISSED, Outcome.FAILED, Outcome.COLLECTED, Outcome.EXCLUDED)


@dataclass(frozen=True, slots=True)
class Cell:
    """The slots of one row that were due on one day; ``due`` is the sum of the others."""

    due: int = 0
    collected: int = 0
    failed: int = 0
    missed: int = 0
    excluded: int = 0

    @property
    def worst(self) -> Outcome | None:
        """The worst that became of any of them, from missed to excluded; None when nothing was due."""
        return next((each for each in _WORST_FIRST if getattr(self, each.value)), None)


_NOTHING = Cell()


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """The days of one group, as many *cells* as the calendar has days; *title* as in a row of coverage."""

    name: str
    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The answer: *days* are all those that the period touches, also those still to come (whose cells are empty).

    *until* is the period's end, or the present where that is sooner. A slot may serve several criteria or controls, so
    the rows add up to more than was due.
    """

    question: Question
    until: datetime
    days: tuple[date, ...]
    rows: tuple[CalendarRow, ...]


def calendar(store: Store, question: Question, *, now: datetime, grace: timedelta) -> Calendar:
    """Return the calendar of the groups that *question* asks for, as it stands at *now*.

    Raises `QueryError` as `coverage` does, and for rows that would be days themselves.
    """
    if question.by == "day":
        raise QueryError(
            "the columns of a calendar are days already",
            hint="Its rows are by criterion, control, kind, source or scope.",
        )
    return day_by_day(slots_of(store, question, now=now, grace=grace))


def day_by_day(slots: Slots) -> Calendar:
    """Return the calendar that *slots* come to."""
    question = slots.question
    days = _days(question.period)
    cells = _cells(slots.groups, slots.counted(by_day=True, in_detail=False))
    rows = (
        CalendarRow(name, slots.title(name), tuple(cells[name].get(each, _NOTHING) for each in days))
        for name in slots.in_order(cells)
    )
    return Calendar(question, slots.until, days, tuple(rows))


def _days(period: Period) -> tuple[date, ...]:
    first, last = (each.astimezone(UTC).date() for each in (period.start, period.end - _MS))
    return tuple(first + number * _DAY for number in range((last - first).days + 1))


def _cells(groups: Groups, counted: Iterable[Counted]) -> dict[str, dict[date, Cell]]:
    counts: dict[tuple[str, date], Counter[Outcome]] = defaultdict(Counter)
    days: dict[datetime, date] = {}
    for subject, at, outcome, _, count in counted:
        day = days.get(at) or days.setdefault(at, at.astimezone(UTC).date())
        for name in groups(subject, at):
            counts[name, day][outcome] += count
    cells: dict[str, dict[date, Cell]] = defaultdict(dict)
    for (name, day), sums in counts.items():
        cells[name][day] = Cell(sums.total(), *(sums[each] for each in _IN_ORDER))
    return cells


_IN_ORDER = (Outcome.COLLECTED, Outcome.FAILED, Outcome.MISSED, Outcome.EXCLUDED)

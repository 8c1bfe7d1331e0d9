"""Where the days of a period stand in a heat map: pure arithmetic, which templates draw as SVG without a script.

A *strip* is one row of a table: a bar for each stretch of days that went alike, measured in per cent of its width, so
that it fits any table. A *sheet* is a calendar of one row with a square a day, and weeks as columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from collector.ask.calendar import Calendar, CalendarRow, Cell
from collector.model import Outcome, Period

_DAY = timedelta(days=1)
_STEPS = 4
_WEEK = 7
MOST_DAYS_APART = 130
"""Up to how many days a strip shows each by itself."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Days ``[first, last]`` that went alike: *state* is an outcome, *share* how much of what was due is not there.

    *x* and *width* are per cent of the strip; *share* is in quarters, above 0 where anything is missing.
    """

    x: float
    width: float
    state: Outcome
    share: float
    first: date
    last: date
    cell: Cell

    @property
    def missing(self) -> bool:
        """Whether anything that was due is not there."""
        return self.state in (Outcome.MISSED, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Square:
    """One day of a sheet: in *column* (a week) and *row* (a day of it, Monday is 0); no *state*: nothing was due.

    *ahead* is a day that had not come when the calendar was asked for.
    """

    day: date
    column: int
    row: int
    state: Outcome | None
    share: float
    cell: Cell
    ahead: bool


@dataclass(frozen=True, slots=True)
class Month:
    """The sums of one month of a row, and the days (first, last) of each stretch on which something is missing."""

    first: date
    cell: Cell
    missing: tuple[tuple[date, date], ...]


def strip(days: Sequence[date], row: CalendarRow) -> list[Bar]:
    """Return the bars of *row*, in the order of *days*; days on which nothing was due have none."""
    found = []
    places = enumerate(zip(days, row.cells, strict=True))
    for (state, share), group in groupby(places, key=lambda each: (each[1][1].worst, share_of(each[1][1]))):
        alike = list(group)
        if state is not None:
            x, width = 100 * alike[0][0] / len(days), 100 * len(alike) / len(days)
            sums = total(cell for _, (_, cell) in alike)
            found.append(Bar(x, width, state, share, alike[0][1][0], alike[-1][1][0], sums))
    return found


def share_of(cell: Cell) -> float:
    """Return how much of what was due and not excluded is missing: 0, or in quarters rounded up."""
    due = cell.due - cell.excluded
    missing = cell.failed + cell.missed
    return -(-_STEPS * missing // due) / _STEPS if due else 0.0


def total(cells: Iterable[Cell]) -> Cell:
    """Return the sums of *cells*."""
    sums: Counter[str] = Counter()
    for cell in cells:
        sums.update({name: getattr(cell, name) for name in _COUNTS})
    return Cell(**{name: sums[name] for name in _COUNTS})


def elapsed(period: Period, until: datetime) -> float:
    """Return how much of *period* is over at *until*, in per cent."""
    return max(0.0, min(100.0, 100 * (until - period.start) / (period.end - period.start)))


def ticks(days: Sequence[date]) -> list[tuple[float, str]]:
    """Return where the months begin on a strip, in per cent, and what they are called; of a short one, the Mondays."""
    monthly = len(days) > 6 * _WEEK
    begins = [at for at, day in enumerate(days) if (day.day == 1 if monthly else day.weekday() == 0)]
    return [(100 * at / len(days), f"{days[at]:%b}" if monthly else f"{days[at].day} {days[at]:%b}") for at in begins]


def squares(days: Sequence[date], row: CalendarRow, until: datetime) -> list[Square]:
    """Return the days of *row* as squares of a sheet."""
    monday = days[0] - days[0].weekday() * _DAY
    found = []
    for day, cell in zip(days, row.cells, strict=True):
        column, place = divmod((day - monday).days, _WEEK)
        ahead = datetime(day.year, day.month, day.day, tzinfo=until.tzinfo) >= until
        found.append(Square(day, column, place, cell.worst, share_of(cell), cell, ahead))
    return found


def columns(days: Sequence[date]) -> list[tuple[int, str]]:
    """Return over which columns of a sheet its months stand, and their names; a first one that has no room is left."""
    monday = days[0] - days[0].weekday() * _DAY
    found = [((day - monday).days // _WEEK, f"{day:%b}") for day in days if day.day == 1 or day == days[0]]
    return [each for each, after in zip(found, [*found[1:], (99_999, "")], strict=True) if after[0] - each[0] > 1]


def months(days: Sequence[date], row: CalendarRow) -> list[Month]:
    """Return the sums of *row* month by month: what a sheet shows, for those who cannot see it."""
    found = []
    for _, group in groupby(zip(days, row.cells, strict=True), key=lambda each: (each[0].year, each[0].month)):
        pairs = list(group)
        found.append(Month(pairs[0][0], total(cell for _, cell in pairs), tuple(_missing(pairs))))
    return found


def altogether(calendar: Calendar) -> CalendarRow:
    """Return the sums of all rows of *calendar*, day by day; right where no slot is in two rows."""
    cells = zip(*(each.cells for each in calendar.rows), strict=True)
    empty = (Cell() for _ in calendar.days)
    return CalendarRow("", "", tuple(total(each) for each in cells) if calendar.rows else tuple(empty))


def _missing(pairs: Iterable[tuple[date, Cell]]) -> Iterator[tuple[date, date]]:
    for wanting, group in groupby(pairs, key=lambda each: bool(each[1].failed or each[1].missed)):
        if wanting:
            days = [day for day, _ in group]
            yield days[0], days[-1]


_COUNTS = ("due", "collected", "failed", "missed", "excluded")

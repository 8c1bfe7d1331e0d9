"""A period as a calendar: how each UTC day went, week by week. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from enum import StrEnum
from itertools import groupby

from collector.ask.coverage import Coverage
from collector.coverage import Tally

_DAY = timedelta(days=1)


class Level(StrEnum):
    """How a day went."""

    NONE = "nothing due"
    FULL = "all collected"
    PART = "some not collected"
    LOST = "none collected"
    EXCLUDED = "excluded by the plan"


@dataclass(frozen=True, slots=True)
class Week:
    """Up to seven days of the week that begins on *monday*, in order."""

    monday: date
    days: tuple[tuple[date, Level], ...]


def level_of(tally: Tally) -> Level:
    """Return how a day of that *tally* went."""
    if not tally.due:
        return Level.NONE
    if tally.failed + tally.missed:
        return Level.PART if tally.collected else Level.LOST
    return Level.FULL if tally.collected else Level.EXCLUDED


def calendar(by_day: Coverage) -> Iterator[tuple[date, Level]]:
    """Yield every day of the period that *by_day* (a coverage by day) is of, as far as it has passed."""
    levels = {row.name: level_of(row.tally) for row in by_day.rows}
    day = by_day.question.period.start.astimezone(UTC).date()
    last = (by_day.until.astimezone(UTC) - timedelta.resolution).date()
    while day <= last:
        yield day, levels.get(day.isoformat(), Level.NONE)
        day += _DAY


def weeks(days: Iterable[tuple[date, Level]]) -> Iterator[Week]:
    """Yield *days*, which are in order, week by week."""
    for monday, several in groupby(days, key=lambda each: each[0] - timedelta(days=each[0].weekday())):
        yield Week(monday, tuple(several))

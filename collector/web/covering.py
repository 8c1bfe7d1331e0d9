"""What pages show of coverage: sums, calendar and outages of one question, from one reading of the slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from collector.ask.calendar import Calendar, CalendarRow, Cell, day_by_day
from collector.ask.coverage import Coverage, Row, covered
from collector.ask.slots import Question, slots_of
from collector.ask.standing import ruling
from collector.ask.uploads import uploads_due
from collector.gate import Engaged, Visit
from collector.grouping import Outage, outages
from collector.tag import ControlSet, load_controls
from collector.upload import Expected
from collector.web import heat

FIRST_OUTAGES = 6
"""How many outages a page shows that is not about them."""


@dataclass(frozen=True)
class Covering:
    """A question about an engagement that has begun, answered."""

    coverage: Coverage
    calendar: Calendar

    @cached_property
    def rows(self) -> Sequence[tuple[Row, list[heat.Bar]]]:
        """The rows of the coverage, each with the bars of its strip."""
        by_name = {each.name: each for each in self.calendar.rows}
        empty = CalendarRow("", "", (Cell(),) * len(self.calendar.days))
        return [(each, heat.strip(self.calendar.days, by_name.get(each.name, empty))) for each in self.coverage.rows]

    @cached_property
    def ticks(self) -> list[tuple[float, str]]:
        """Where months begin on the strips."""
        return heat.ticks(self.calendar.days)

    @cached_property
    def sheet(self) -> CalendarRow:
        """Every row together, day by day."""
        return heat.altogether(self.calendar)

    @cached_property
    def outages(self) -> list[Outage]:
        """Every outage, those first that are worth looking at first: the longest, and of equals that of most slots."""
        return sorted(outages(self.coverage.gaps), key=lambda each: (-each.length, -each.slots, each.period.start))

    @property
    def elapsed(self) -> float:
        """How much of the period is over, in per cent."""
        return heat.elapsed(self.coverage.question.period, self.coverage.until)


def covering(visit: Visit, engaged: Engaged, question: Question) -> Covering | None:
    """Return the answer to *question*; None where its period has not begun. Raises `QueryError` as `slots_of` does."""
    if question.period.start >= visit.now:
        return None
    slots = slots_of(engaged.store, question, now=visit.now, grace=visit.grace)
    return Covering(covered(slots), day_by_day(slots))


def controls_at(visit: Visit, engaged: Engaged, at: datetime) -> ControlSet:
    """Return the control set that was in force at *at*, as `ruling` has it."""
    return ruling(engaged.store, load_controls(visit.config.controls_path), at)


def uploads_expected(visit: Visit, engaged: Engaged) -> list[Expected]:
    """Return what people must add for the engagement, and whether it is there."""
    controls = load_controls(visit.config.controls_path)
    return uploads_due(engaged.store, controls, engaged.engagement, now=visit.now)

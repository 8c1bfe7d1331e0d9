"""Coverage, gaps and calendars."""

from __future__ import annotations

from pydantic import Field

from collector.api.models.shared import Day, Form, Instant, OutcomeWord, Paged, ReasonWord, Seconds, Span, SubjectForm


class TallyForm(Form):
    """Slots by outcome: `due = collected + failed + missed + excluded`, `collected = changed + unchanged + empty`."""

    due: int
    collected: int
    changed: int
    unchanged: int
    empty: int
    failed: int
    missed: int
    excluded: int
    longest_gap: Seconds
    gaps: int


class CoverageRow(Form):
    """The sums of one group."""

    name: str = Field(examples=["CC6.1"])
    title: str = Field(description="Our own short title, empty where the group has none.")
    tally: TallyForm


class LostForm(Form):
    """Events that a run came too late for: no later run can read them."""

    subject: SubjectForm
    run: str
    message: str


class AskedForm(Form):
    """What the answer is narrowed to, and by what it is grouped; null means any."""

    source: str | None
    kind: str | None
    criterion: str | None
    control: str | None
    by: str


class CoverageForm(Form):
    """What became of the slots of a period."""

    period: Span
    until: Instant = Field(description="The period's end, or the present where that is sooner.")
    asked: AskedForm
    rows: list[CoverageRow]
    total: TallyForm
    lost: list[LostForm]
    pending: int = Field(description="Slots due just now, and not counted: the time to read them has not passed.")
    unserved: list[str] = Field(description="Criteria, or controls, that nothing planned serves.")


class GapForm(Form):
    """An interval in which due slots of a subject were not collected."""

    subject: SubjectForm
    period: Span
    outcome: OutcomeWord
    reason: ReasonWord | None
    cause: str
    slots: int = Field(description="Those due in the period; none for a gap that only reaches into it.")
    runs: list[str] = Field(description="Which failed in it.")
    ended_by: str = Field(description="The run that ended it; empty when it was still open.")


class Gaps(Paged):
    """Gaps by subject, then time."""

    period: Span
    until: Instant
    gaps: list[GapForm]


class CellForm(Form):
    """A row's slots that were due on one day."""

    day: Day
    worst: OutcomeWord = Field(description="The worst that became of any of them.")
    due: int
    collected: int
    failed: int
    missed: int
    excluded: int


class CalendarRowForm(Form):
    """The days of one group on which anything was due."""

    name: str
    title: str
    cells: list[CellForm]


class CalendarForm(Form):
    """A period day by day, in UTC."""

    period: Span
    until: Instant
    asked: AskedForm
    days: list[Day] = Field(description="Every day that the period touches.")
    rows: list[CalendarRowForm]


class ExpectedForm(Form):
    """Evidence that only people can add: what no API gives."""

    control: str = Field(description="Empty: no control names it.")
    title: str
    criteria: list[str]
    period: Span = Field(description="What it must speak of; it is due by its end.")
    uploads: list[int] = Field(description="Those that speak of some of it.")
    state: str = Field(description="`there`, `missing` when overdue, else `awaited`.")

"""The geometry of heat maps, on calendars of any shape."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.ask.calendar import CalendarRow, Cell
from collector.model import Outcome
from collector.web import heat

DAY = timedelta(days=1)


@st.composite
def calendars(draw):
    """Return consecutive days and a row over them; days that went alike often stand together."""
    first = draw(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
    stretches = draw(st.lists(st.tuples(cells(), st.integers(1, 40)), min_size=1, max_size=8))
    found = [cell for cell, count in stretches for _ in range(count)]
    return tuple(first + number * DAY for number in range(len(found))), CalendarRow("CC6.1", "", tuple(found))


@st.composite
def cells(draw):
    collected, failed, missed, excluded = draw(st.tuples(*[st.integers(0, 3)] * 4))
    return Cell(collected + failed + missed + excluded, collected, failed, missed, excluded)


@given(calendars())
def test_the_bars_of_a_strip_are_the_days_on_which_anything_was_due(calendar):
    days, row = calendar
    shown = [
        bar.first + number * DAY for bar in heat.strip(days, row) for number in range((bar.last - bar.first).days + 1)
    ]
    assert shown == [day for day, cell in zip(days, row.cells, strict=True) if cell.due]


@given(calendars())
def test_the_bars_of_a_strip_lie_side_by_side_within_it_where_their_days_are(calendar):
    days, row = calendar
    end = 0.0
    for bar in heat.strip(days, row):
        assert bar.x >= end - 1e-9
        assert abs(bar.x - 100 * days.index(bar.first) / len(days)) < 1e-9
        end = bar.x + bar.width
    assert end <= 100 + 1e-9


@given(calendars())
def test_a_bar_counts_what_its_days_count(calendar):
    days, row = calendar
    assert heat.total(bar.cell for bar in heat.strip(days, row)) == heat.total(row.cells)


@given(cells())
def test_a_day_with_anything_missing_is_never_drawn_as_whole(cell):
    missing = cell.failed + cell.missed
    assert (heat.share_of(cell) > 0) == (missing > 0)
    assert (heat.share_of(cell) == 1) == (missing > 0 and 4 * missing > 3 * (cell.due - cell.excluded))


def test_a_missed_slot_outranks_a_failed_one_and_that_a_collected_one():
    cells = (Cell(3, 1, 1, 1), Cell(2, 1, 1), Cell(2, 1, 0, 0, 1), Cell())
    days = tuple(date(2025, 3, 1) + number * DAY for number in range(len(cells)))
    states = [bar.state for bar in heat.strip(days, CalendarRow("", "", cells))]
    assert states == [Outcome.MISSED, Outcome.FAILED, Outcome.COLLECTED]


@given(calendars())
def test_every_day_has_a_square_of_its_own_in_the_column_of_its_week(calendar):
    days, row = calendar
    squares = heat.squares(days, row, datetime(2100, 1, 1, tzinfo=UTC))
    assert [each.day for each in squares] == list(days)
    assert len({(each.column, each.row) for each in squares}) == len(days)
    weeks = {each.column: each.day.isocalendar()[:2] for each in squares}
    assert all(weeks[each.column] == each.day.isocalendar()[:2] for each in squares)
    assert all(each.row == each.day.weekday() for each in squares)


def test_a_day_that_has_not_come_is_told_from_one_on_which_nothing_was_due():
    days = (date(2025, 3, 1), date(2025, 3, 2), date(2025, 3, 3))
    squares = heat.squares(days, CalendarRow("", "", (Cell(),) * 3), datetime(2025, 3, 2, 12, tzinfo=UTC))
    assert [each.ahead for each in squares] == [False, False, True]


@given(calendars())
def test_the_months_add_up_and_name_every_day_with_something_missing(calendar):
    days, row = calendar
    months = heat.months(days, row)
    assert heat.total(each.cell for each in months) == heat.total(row.cells)
    named = [
        first + number * DAY
        for each in months
        for first, last in each.missing
        for number in range((last - first).days + 1)
    ]
    assert named == [day for day, cell in zip(days, row.cells, strict=True) if cell.failed or cell.missed]


@given(calendars())
def test_labels_of_months_leave_each_other_room(calendar):
    days, _ = calendar
    columns = [column for column, _ in heat.columns(days)]
    assert all(after - before > 1 for before, after in pairwise(columns))

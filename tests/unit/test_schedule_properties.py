"""What holds for every cadence, zone, offset and period."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.clock import from_ms, parse_instant, to_ms
from collector.model import Period
from collector.schedule import Cadence

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
         "America/Sao_Paulo", "Asia/Beirut", "Pacific/Kiritimati", "America/St_Johns", "Antarctica/Troll")  # fmt: skip
CADENCES = ("daily", "weekly", "monthly", "hourly", "15m", "7h", "*/20 * * * *", "30 2 * * *", "0 0 31 * *",
            "5 1,2,3 29 2 *", "0 0 1 * mon", "10,50 0-3 * * sat,sun", "45 23 last * *")  # fmt: skip
PREDICATES: dict[str, Callable[[datetime], bool]] = {
    "daily": lambda wall: True,
    "weekly": lambda wall: wall.isoweekday() == 1,
    "monthly": lambda wall: wall.day == 1,
    "*/20 * * * *": lambda wall: True,
    "30 2 * * *": lambda wall: True,
    "0 0 31 * *": lambda wall: wall.day == 31,
    "5 1,2,3 29 2 *": lambda wall: (wall.month, wall.day) == (2, 29),
    "0 0 1 * mon": lambda wall: wall.day == 1 or wall.isoweekday() == 1,
    "10,50 0-3 * * sat,sun": lambda wall: wall.isoweekday() >= 6,
    "45 23 last * *": lambda wall: (wall + DAY).day == 1,
}
cadences = st.builds(
    Cadence.parse,
    st.sampled_from(CADENCES),
    st.sampled_from(ZONES),
    st.times().map(lambda each: f"{each:%H:%M}"),
)
instants = st.integers(to_ms(parse_instant("2005-01-01")), to_ms(parse_instant("2037-01-01"))).map(from_ms)
offsets = st.integers(0, 2 * 86_400_000).map(lambda ms: timedelta(milliseconds=ms))
lengths = st.integers(0, 120 * 86_400_000).map(lambda ms: timedelta(milliseconds=ms))


@settings(deadline=None)
@given(cadences, instants, lengths, lengths, offsets)
def test_a_period_split_anywhere_has_the_slots_of_the_whole(
    cadence: Cadence, start: datetime, first: timedelta, second: timedelta, offset: timedelta
) -> None:
    middle, end = start + first, start + first + second
    whole = list(cadence.occurrences(Period(start, end), offset))
    before = list(cadence.occurrences(Period(start, middle), offset))
    after = list(cadence.occurrences(Period(middle, end), offset))
    assert before + after == whole


@settings(deadline=None)
@given(cadences, instants, lengths, offsets)
def test_due_times_are_ascending_each_once_in_utc_and_inside_the_period(
    cadence: Cadence, start: datetime, length: timedelta, offset: timedelta
) -> None:
    within = Period(start, start + length)
    times = list(cadence.occurrences(within, offset))
    assert all(before < after for before, after in pairwise(times))
    assert all(within.start <= each < within.end and each.tzinfo is UTC for each in times)
    assert times == list(cadence.occurrences(within, offset))


@settings(deadline=None)
@given(cadences, instants, offsets)
def test_a_period_holds_its_start_and_not_its_end(cadence: Cadence, start: datetime, offset: timedelta) -> None:
    first = next(cadence.occurrences(Period(start, start + timedelta(days=3000)), offset))
    assert list(cadence.occurrences(Period(first, first + timedelta(microseconds=1)), offset)) == [first]
    assert list(cadence.occurrences(Period(first - timedelta(microseconds=1), first), offset)) == []
    assert list(cadence.occurrences(Period(first, first), offset)) == []


@settings(deadline=None)
@given(cadences, instants, lengths, offsets)
def test_an_offset_moves_every_due_time_and_changes_nothing_else(
    cadence: Cadence, start: datetime, length: timedelta, offset: timedelta
) -> None:
    unmoved = cadence.occurrences(Period(start, start + length), timedelta(0))
    moved = cadence.occurrences(Period(start + offset, start + length + offset), offset)
    if cadence.step is None or not offset % cadence.step:
        assert [each - offset for each in moved] == list(unmoved)


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(2005, 1, 1), date(2036, 1, 1)), st.times(), st.integers(1, 90))
def test_daily_is_once_on_every_local_day_that_exists(zone: str, first: date, at: datetime, days: int) -> None:
    """A time in a gap lands later on the same day: of these zones' gaps only Samoa's reaches over midnight."""
    place = ZoneInfo(zone)
    wall = f"{at:%H:%M}"
    start = datetime.combine(first, datetime.min.time(), place).astimezone(UTC)
    end = datetime.combine(first + timedelta(days=days), datetime.min.time(), place).astimezone(UTC)
    local = [
        each.astimezone(place).date() for each in Cadence.parse("daily", zone, wall).occurrences(Period(start, end))
    ]
    every_day = [first + timedelta(days=number) for number in range(days)]
    exists = [day for day in every_day if (zone, day) != ("Pacific/Apia", date(2011, 12, 30))]
    assert local == exists


# Where clocks were put forward or back: by an hour, by half an hour, at midnight, for Ramadan, by a day.
CHANGES = (
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-10-04"), ("Australia/Lord_Howe", "2027-04-04"),
    ("Africa/Casablanca", "2026-02-15"), ("Africa/Casablanca", "2026-03-22"), ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2019-02-17"), ("Asia/Beirut", "2026-03-29"), ("Pacific/Apia", "2011-12-30"),
    ("Antarctica/Troll", "2026-03-29"), ("America/St_Johns", "2007-03-11"), ("UTC", "2028-02-29"),
)  # fmt: skip


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@settings(deadline=None, max_examples=20)
@given(text=st.sampled_from([each for each in CADENCES if each in PREDICATES]), minutes=st.integers(-1440, 1440))
def test_around_a_change_of_the_clocks_a_cadence_is_what_watching_the_clock_finds(
    zone: str, day: str, text: str, minutes: int
) -> None:
    start = parse_instant(day) + minutes * MINUTE
    within = Period(start, start + 2 * DAY)
    cadence = Cadence.parse(text, zone)
    shown = _watched(Period(start - 26 * HOUR, within.end), ZoneInfo(zone))
    expected = {at for at, wall in shown if wall.time() in cadence.times and PREDICATES[text](wall)}
    assert list(cadence.occurrences(within)) == sorted(each for each in expected if within.start <= each < within.end)


def _watched(within: Period, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Watch a wall clock minute by minute: when it first shows each time, and when it would have shown skipped ones."""
    at, found, seen = within.start, [], set()
    expected = at.astimezone(zone).replace(tzinfo=None)
    while at < within.end:
        wall = at.astimezone(zone).replace(tzinfo=None)
        skipped = range((wall - expected) // MINUTE)
        found += [(at + number * MINUTE, expected + number * MINUTE) for number in skipped]
        if wall not in seen:
            found.append((at, wall))
            seen.add(wall)
        at, expected = at + MINUTE, wall + MINUTE
    return found

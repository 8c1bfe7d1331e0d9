"""When a cadence falls due, on clocks that are put forward and back."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from collector.cadence import jitter_offset
from collector.clock import parse_instant, to_ms
from collector.errors import ConfigError
from collector.model import Period
from collector.schedule import Cadence, parse_duration

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def period(start: str, end: str) -> Period:
    return Period(parse_instant(start), parse_instant(end))


def due(text: str, within: Period, zone: str = "UTC", at: str = "03:00", offset: timedelta = timedelta(0)) -> list[str]:
    """The due times as the clocks of *zone* show them, the second of two equal times marked."""
    times = Cadence.parse(text, zone, at).occurrences(within, offset)
    local = [each.astimezone(ZoneInfo(zone)) for each in times]
    return [f"{each:%m-%d %H:%M}" + ("'" if each.fold else "") for each in local]


class TestIntervals:
    def test_count_from_the_epoch_whenever_one_starts_to_look(self) -> None:
        assert due("6h", period("2026-03-14T05:59", "2026-03-15")) == ["03-14 06:00", "03-14 12:00", "03-14 18:00"]
        assert due("7h", period("1970-01-01", "1970-01-02")) == [
            "01-01 00:00",
            "01-01 07:00",
            "01-01 14:00",
            "01-01 21:00",
        ]

    def test_do_not_notice_the_clocks_changing(self) -> None:
        spring = due("hourly", period("2026-03-29T00:00", "2026-03-29T03:00"), "Europe/Berlin")
        assert spring == ["03-29 01:00", "03-29 03:00", "03-29 04:00"]
        autumn = due("hourly", period("2026-10-25T00:00", "2026-10-25T02:00"), "Europe/Berlin")
        assert autumn == ["10-25 02:00", "10-25 02:00'"]

    def test_are_moved_by_the_offset_of_their_source(self) -> None:
        assert due("hourly", period("2026-03-14", "2026-03-14T02:00"), offset=5 * MINUTE) == [
            "03-14 00:05",
            "03-14 01:05",
        ]

    def test_longer_offsets_than_the_interval_only_turn_it(self) -> None:
        day = period("2026-03-14", "2026-03-15")
        assert due("15m", day, offset=20 * MINUTE) == due("15m", day, offset=5 * MINUTE)

    @pytest.mark.parametrize("text", ["90s", "every 90s", " every  90s "])
    def test_may_be_written_with_every(self, text: str) -> None:
        assert Cadence.parse(text).step == timedelta(seconds=90)

    def test_are_found_for_a_year_by_arithmetic_alone(self) -> None:
        year = list(Cadence.parse("1s").occurrences(period("2026-12-31T23:59:58", "2027-01-01")))
        assert [to_ms(each) % 60_000 for each in year] == [58_000, 59_000]


class TestTheWall:
    def test_named_cadences_fall_at_the_daily_time_on_the_day_their_name_says(self) -> None:
        march = period("2026-03-01", "2026-04-01")
        assert due("daily", march, "Asia/Tokyo", "09:30")[:2] == ["03-01 09:30", "03-02 09:30"]
        assert due("weekly", march, at="06:00") == [f"03-{day:02} 06:00" for day in (2, 9, 16, 23, 30)]
        assert due("monthly", period("2026-01-15", "2026-04-15")) == ["02-01 03:00", "03-01 03:00", "04-01 03:00"]

    def test_a_time_that_does_not_exist_moves_forward_by_the_gap(self) -> None:
        night = period("2026-03-28", "2026-03-30")
        assert due("daily", night, "Europe/Berlin", "02:30") == ["03-28 02:30", "03-29 03:30"]
        assert due("daily", period("2026-03-08", "2026-03-09"), "America/New_York", "02:00") == ["03-08 03:00"]
        assert due("daily", period("2026-10-03T12:00", "2026-10-04"), "Australia/Lord_Howe", "02:10") == ["10-04 02:40"]

    def test_a_time_that_happens_twice_is_taken_once_the_first_time(self) -> None:
        assert due("daily", period("2026-10-25", "2026-10-26"), "Europe/Berlin", "02:30") == ["10-25 02:30"]
        assert due("daily", period("2026-04-04T12:00", "2026-04-05"), "Australia/Lord_Howe", "01:45") == ["04-05 01:45"]

    def test_two_times_that_come_to_one_instant_are_one(self) -> None:
        night = period("2026-03-29T00:00", "2026-03-29T02:00")
        assert due("*/30 * * * *", night, "Europe/Berlin") == [
            "03-29 01:00",
            "03-29 01:30",
            "03-29 03:00",
            "03-29 03:30",
        ]

    def test_times_within_a_gap_stay_in_order_with_those_after_it(self) -> None:
        night = period("2026-03-29T00:30", "2026-03-29T02:00")
        assert due("45 2 * * *", night, "Europe/Berlin") == ["03-29 03:45"]
        assert due("15,45 2,3 * * *", night, "Europe/Berlin") == ["03-29 03:15", "03-29 03:45"]

    def test_a_day_that_does_not_exist_has_no_slot_of_its_own(self) -> None:
        """Samoa went from 29 to 31 December 2011."""
        assert due("daily", period("2011-12-29", "2012-01-02"), "Pacific/Apia", "12:00") == [
            "12-29 12:00",
            "12-31 12:00",
            "01-01 12:00",
            "01-02 12:00",
        ]

    def test_a_long_period_that_starts_on_a_due_time_has_every_one(self) -> None:
        year = list(Cadence.parse("daily").occurrences(period("2026-01-01T03:00", "2027-01-01T03:00")))
        assert [each - DAY for each in year[1:]] == year[:-1]
        assert len(year) == 365

    def test_clocks_that_change_around_ramadan_are_followed(self) -> None:
        """Morocco goes back an hour for Ramadan, in 2026 from 15 February to 22 March."""
        days = Cadence.parse("daily", "Africa/Casablanca", "02:30").occurrences(period("2026-02-14", "2026-02-16"))
        assert [each.hour for each in days] == [1, 1]
        days = Cadence.parse("daily", "Africa/Casablanca", "02:30").occurrences(period("2026-02-16", "2026-03-24"))
        assert [each.hour for each in days] == [2] * 34 + [2] + [1]

    def test_the_daily_time_is_on_the_wall_and_the_offset_is_not(self) -> None:
        nights = period("2026-03-28", "2026-03-30")
        assert due("daily", nights, "Europe/Berlin", "01:55", offset=10 * MINUTE) == ["03-28 02:05", "03-29 03:05"]


class TestCron:
    def test_leap_days_come_in_leap_years(self) -> None:
        years = period("2023-01-01", "2030-01-01")
        assert due("0 3 29 2 *", years) == ["02-29 03:00", "02-29 03:00"]
        assert due("0 3 29 2 *", period("2097-01-01", "2104-01-01")) == []

    def test_the_31st_comes_in_months_that_have_one(self) -> None:
        assert [each[:2] for each in due("0 3 31 * *", period("2026-01-01", "2027-01-01"))] == [
            "01", "03", "05", "07", "08", "10", "12",
        ]  # fmt: skip

    def test_the_last_day_of_a_month_can_be_asked_for(self) -> None:
        assert due("0 3 last * *", period("2028-02-01", "2028-04-01")) == ["02-29 03:00", "03-31 03:00"]

    @pytest.mark.parametrize("field", ["0", "7", "sun", "SUN"])
    def test_sunday_is_0_and_7_as_in_every_crontab(self, field: str) -> None:
        assert due(f"0 3 * * {field}", period("2026-03-09", "2026-03-16")) == ["03-15 03:00"]

    @pytest.mark.parametrize(
        ("field", "days"),
        [
            ("1-5", 5),
            ("mon-fri", 5),
            ("*/2", 4),
            ("6-7", 2),
            ("fri-mon", 4),
            ("0-6", 7),
            ("1,3", 2),
            ("2/2", 3),
            ("*", 7),
        ],
    )
    def test_days_of_the_week_may_be_lists_ranges_and_steps(self, field: str, days: int) -> None:
        assert len(due(f"0 3 * * {field}", period("2026-03-09", "2026-03-16"))) == days

    def test_where_both_days_are_restricted_either_suffices(self) -> None:
        assert due("0 3 13 * fri", period("2026-03-10", "2026-03-21")) == ["03-13 03:00", "03-20 03:00"]
        assert due("0 3 11 * fri", period("2026-03-10", "2026-03-14")) == ["03-11 03:00", "03-13 03:00"]

    @pytest.mark.parametrize(
        "text",
        [
            "", "never", "every", "daily daily", "0s", "every 0m", "-1h", "1.5h", "15", "15min", "1h30m", "500ms",
            "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8",
            "* * * * funday", "* * * * mon-", "5-1 * * * *", "*/0 * * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *",
            "a b c d e", "99999999999w",
        ],
    )  # fmt: skip
    def test_what_is_no_cadence_is_an_error_that_says_what_is(self, text: str) -> None:
        with pytest.raises(ConfigError, match="not a cadence"):
            Cadence.parse(text)

    def test_a_zone_or_a_time_of_day_that_is_none_is_an_error(self) -> None:
        with pytest.raises(ConfigError, match="no time zone 'Europe/Berln'") as caught:
            Cadence.parse("daily", "Europe/Berln")
        assert "Europe/Berlin" in caught.value.hint()
        for text in ("24:00", "3:00", "03:60", "03:00:00", ""):
            with pytest.raises(ConfigError, match="not a time of day"):
                Cadence.parse("daily", "UTC", text)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", 15 * MINUTE),
        ("1h", HOUR),
        ("30d", 30 * DAY),
        (" 2w ", 14 * DAY),
        ("0s", 0 * DAY),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "-1h", "1.5h", "1H", "1y", "1h30m", "999999999w", "٣h"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="not a duration"):
        parse_duration(text)


def test_the_offset_of_a_source_is_always_the_same_and_spreads_sources_over_the_window() -> None:
    offsets = [jitter_offset(f"aws:{number}", 10 * MINUTE) for number in range(1000)]
    assert jitter_offset("aws:prod", 10 * MINUTE) == timedelta(milliseconds=345_190)
    assert all(timedelta(0) <= each < 10 * MINUTE and not each.microseconds % 1000 for each in offsets)
    assert min(Counter(each // MINUTE for each in offsets).values()) > 70
    assert jitter_offset("aws:prod", timedelta(0)) == timedelta(0)

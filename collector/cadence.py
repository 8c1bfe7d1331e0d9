"""When a kind falls due: intervals on the UTC clock, cron fields on a wall clock. Pure arithmetic.

An interval counts from 1970-01-01T00:00Z, so it does not matter when a daemon was started. ``daily``, ``weekly``
(Mondays), ``monthly`` (the 1st) and cron name times on the wall of the plan's time zone. Where that clock is put
forward, a time that does not exist moves forward by the gap; where it is put back, a time that happens twice is
taken once, the first time; two times that come to the same instant are one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from apscheduler.triggers.cron import CronTrigger

from collector.errors import ConfigError
from collector.model import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_CHUNK = timedelta(days=31)
_SHORTEST = timedelta(seconds=1)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED = {"daily": "* * *", "weekly": "* * mon", "monthly": "1 * *"}
_CADENCES = "Write hourly, daily, weekly, monthly, an interval like 15m or 6h, or five cron fields like '30 3 * * mon'."


def parse_duration(text: str) -> timedelta:
    """Return the length that *text* names: a whole number and s, m, h, d or w (``90s``, ``15m``, ``30d``).

    Raises `ConfigError` for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip())
    if not match:
        raise ConfigError(f"not a duration: {text!r}", hint="Write a whole number and s, m, h, d or w: 90s, 15m, 30d.")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise ConfigError(f"not a duration: {text!r} is too long") from None


def parse_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone *name* (``Europe/Berlin``). Raises `ConfigError` with the nearest names."""
    try:
        # "localtime" is whatever this machine is set to: a plan must mean the same everywhere.
        if name == "localtime":
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(name, sorted(available_timezones()), n=3)
        hint = f"Did you mean: {', '.join(near)}?" if near else "Write UTC or an IANA name like Europe/Berlin."
        raise ConfigError(f"no time zone {name!r}", hint=hint) from None


def parse_daily_at(text: str) -> time:
    """Return the wall time ``HH:MM`` (00:00 to 23:59). Raises `ConfigError`."""
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text.strip())
    if not match:
        raise ConfigError(f"not a time of day: {text!r}", hint="Write hours and minutes: 03:00.")
    return time(int(match[1]), int(match[2]))


def jitter_offset(source: str, window: timedelta) -> timedelta:
    """Return by how much every slot of *source* is moved: whole milliseconds in ``[0, window)``, always the same.

    One offset for all kinds of a source keeps them falling due together; the hash spreads the sources.
    """
    window_ms = window // timedelta(milliseconds=1)
    if not window_ms:
        return timedelta(0)
    number = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big")
    return timedelta(milliseconds=number % window_ms)


@dataclass(frozen=True)
class Cadence:
    """How often a kind falls due: every *step*, or at wall *times* of the *zone* on the days that *days* match.

    *days* are alternatives, each the cron fields (day of month, month, day of week in APScheduler's numbers).
    """

    text: str
    step: timedelta | None = None
    days: tuple[tuple[str, str, str], ...] = ()
    times: tuple[time, ...] = ()
    zone: ZoneInfo | None = None

    @classmethod
    def parse(cls, text: str, timezone: str = "UTC", daily_at: str = "03:00") -> Cadence:
        """Return the cadence that *text* names; wall-clock ones are in *timezone*, named ones at *daily_at*.

        ``hourly``, ``daily``, ``weekly``, ``monthly``, an interval (``15m``, ``every 15m``, at least 1 s) or five
        cron fields with cron's own rules: 0 and 7 are Sunday, and where both day fields are restricted either
        suffices. Raises `ConfigError`, also for a cron expression that never falls.
        """
        return _parse(" ".join(text.split()), timezone, daily_at)

    def occurrences(self, period: Period, offset: timedelta = timedelta(0)) -> Iterator[datetime]:
        """Yield the due times in *period* (half-open), aware UTC, ascending, each once; each is moved by *offset*."""
        if self.step is not None:
            return _every(self.step, period, offset)
        return self._on_the_wall(period, offset)

    def _on_the_wall(self, period: Period, offset: timedelta) -> Iterator[datetime]:
        start, end = period.start - offset, period.end - offset
        while start < end:
            stop = min(start + _CHUNK, end)
            yield from (instant + offset for instant in sorted(self._instants(start, stop)))
            start = stop

    def _instants(self, start: datetime, stop: datetime) -> set[datetime]:
        # No zone is, and no gap was, more than a day wide: the wall dates that can come to an instant of the
        # interval are its own in UTC and one more on either side.
        first, last = start.astimezone(UTC).date() - _DAY, stop.astimezone(UTC).date() + _DAY
        found = set()
        for day in {day for fields in self.days for day in _matching_days(fields, first, last)}:
            for at in self.times:
                # fold=0 is all the rules of the module's docstring at once: PEP 495 reads a time in a gap with the
                # offset before it (so it lands after the gap), and of two equal times takes the first.
                instant = datetime.combine(day, at, self.zone).astimezone(UTC)
                if start <= instant < stop:
                    found.add(instant)
        return found


def _every(step: timedelta, period: Period, offset: timedelta) -> Iterator[datetime]:
    origin = _EPOCH + offset
    due = origin - (origin - period.start) // step * step
    while due < period.end:
        yield due
        due += step


@lru_cache(maxsize=1024)
def _parse(text: str, timezone: str, daily_at: str) -> Cadence:
    zone, at = parse_zone(timezone), parse_daily_at(daily_at)
    if text in _NAMED:
        return Cadence(text, days=(_day_fields(_NAMED[text]),), times=(at,), zone=zone)
    if text.count(" ") == 4:  # noqa: PLR2004
        return _parse_cron(text, zone)
    try:
        step = parse_duration("1h" if text == "hourly" else text.removeprefix("every "))
    except ConfigError:
        raise ConfigError(f"not a cadence: {text!r}", hint=_CADENCES) from None
    if step < _SHORTEST:
        raise ConfigError(f"not a cadence: {text!r} is shorter than a second")
    return Cadence(text, step=step)


def _parse_cron(text: str, zone: ZoneInfo) -> Cadence:
    minute, hour, *rest = text.lower().split(" ")
    try:
        times = _matching_times(minute, hour)
        day, month, weekday = _day_fields(" ".join(rest))
        either = not rest[0].startswith("*") and not rest[2].startswith("*")
        days = ((day, month, "*"), ("*", month, weekday)) if either else ((day, month, weekday),)
        if not any(_falls(fields) for fields in days):
            raise ValueError("no such day ever comes")
    except ValueError as error:
        raise ConfigError(f"not a cadence: {text!r}: {error}", hint=_CADENCES) from None
    return Cadence(text, days=days, times=times, zone=zone)


def _day_fields(text: str) -> tuple[str, str, str]:
    day, month, weekday = text.split(" ")
    return day, month, weekday if weekday == "*" else ",".join(map(str, sorted(_weekdays(weekday))))


def _weekdays(field: str) -> set[int]:
    """Return the days a cron day-of-week field names, as APScheduler numbers them: from Monday, which cron calls 1."""
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(\*|[a-z]{3}|[0-7])(?:-([a-z]{3}|[0-7]))?(?:/([1-7]))?", part)
        if not match or (match[1] == "*" and match[2]):
            raise ValueError(f"{part!r} is not a day of the week")
        first = 0 if match[1] == "*" else _weekday(match[1])
        last = 6 if match[1] == "*" or (match[3] and not match[2]) else _weekday(match[2] or match[1])
        last += 7 if last < first else 0
        found.update((number - 1) % 7 for number in range(first, last + 1, int(match[3] or 1)))
    return found


def _weekday(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text not in _WEEKDAYS:
        raise ValueError(f"{text!r} is not a day of the week")
    return _WEEKDAYS.index(text)


# APScheduler only matches fields, and in UTC, where every wall time exists once: its own handling of clock changes
# is not the one documented above.
@lru_cache(maxsize=256)
def _day_trigger(fields: tuple[str, str, str]) -> CronTrigger:
    day, month, weekday = fields
    return CronTrigger(day=day, month=month, day_of_week=weekday, hour=0, minute=0, second=0, timezone=UTC)


def _matching_days(fields: tuple[str, str, str], first: date, last: date) -> Iterator[date]:
    trigger, at = _day_trigger(fields), datetime.combine(first, time(), UTC)
    while (match := trigger.get_next_fire_time(None, at)) is not None and match.date() <= last:
        yield match.date()
        at = match + _DAY


def _matching_times(minute: str, hour: str) -> tuple[time, ...]:
    trigger, at = CronTrigger(hour=hour, minute=minute, second=0, timezone=UTC), _EPOCH
    times = []
    while (match := trigger.get_next_fire_time(None, at)).date() == _EPOCH.date():
        times.append(match.time())
        at = match + timedelta(minutes=1)
    return tuple(times)


def _falls(fields: tuple[str, str, str]) -> bool:
    # 29 February falls on a given weekday once in 28 years, once in 40 across the turn of a century.
    return any(True for _ in _matching_days(fields, date(2000, 1, 1), date(2040, 1, 1)))

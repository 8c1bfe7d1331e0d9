"""What existed at any time in a period: first and last seen, joiners, leavers, how often changed. Pure arithmetic.

An item is there from the good observation that first saw it to the first that no longer did; between two observations
nobody looked, so it counts as there. What was there when a subject was first observed did not join then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from collector.errors import Invalid
from collector.model import Json, Period

_SECONDS_BELOW = 100_000_000_000  # as seconds the year 5138, as milliseconds March 1973


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an item, *artifact*, observed in ``[start, end)``; *end* is None while it is the last."""

    start: datetime
    end: datetime | None
    artifact: bytes


@dataclass(frozen=True, slots=True)
class Presence:
    """An item in a period. *first_seen* may lie before it; *last_seen* is the last good observation of it in there.

    *joined* and *left* are the times in the period at which it appeared and was found gone; *changes* counts its new
    forms in it. *artifacts* are the forms that it had in the period, in order.
    """

    first_seen: datetime
    last_seen: datetime
    joined: tuple[datetime, ...]
    left: tuple[datetime, ...]
    changes: int
    artifacts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sightings:
    """When a subject was observed well: *first* ever, and *times*, ascending, from the last one before the period."""

    first: datetime
    times: Sequence[datetime]

    def last_before(self, instant: datetime, *, otherwise: datetime) -> datetime:
        """Return the last observation before *instant*, or *otherwise* when none is known."""
        place = bisect_left(self.times, instant)
        return self.times[place - 1] if place else otherwise


def presence(forms: Sequence[Form], period: Period, sightings: Sightings) -> Presence | None:
    """Return how an item was there in *period*, of all its *forms* (ascending); None when it was not."""
    there = [form for form in forms if form.start < period.end and (form.end is None or form.end > period.start)]
    if not there:
        return None
    firsts = [form for before, form in pairwise([None, *forms]) if form and not _continues(before, form)]
    lasts = [form.end for form, after in pairwise([*forms, None]) if form and not _continues(form, after) and form.end]
    last = there[-1]
    end = period.end if last.end is None else min(last.end, period.end)
    return Presence(
        first_seen=forms[0].start,
        last_seen=max(last.start, sightings.last_before(end, otherwise=last.start)),
        joined=tuple(each.start for each in firsts if _within(each.start, period) and each.start > sightings.first),
        left=tuple(each for each in lasts if _within(each, period)),
        changes=sum(_within(form.start, period) and form not in firsts for form in there),
        artifacts=tuple(form.artifact for form in there),
    )


def event_time(value: Json) -> datetime | None:
    """Return when an event happened, of the *value* of its event time field; None when there is none.

    ISO text (without zone: UTC) or a number: seconds since 1970, or milliseconds where it is too large for that.
    Raises `Invalid` for anything else.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value if abs(value) < _SECONDS_BELOW else value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise Invalid(f"the time of an event is no time: {value!r}")


def _continues(before: Form | None, after: Form | None) -> bool:
    return before is not None and after is not None and before.end == after.start


def _within(instant: datetime, period: Period) -> bool:
    return period.start <= instant < period.end

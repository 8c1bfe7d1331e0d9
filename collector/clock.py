"""Time: aware UTC instants of millisecond precision, and the one clock the daemon reads."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from collector.errors import QueryError

_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What tells the time; tests play another one."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime, whole milliseconds."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, for deadlines."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for about *seconds*."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return from_ms(time.time_ns() // 1_000_000)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(seconds)


def to_ms(at: datetime) -> int:
    """Return *at* (aware) as whole milliseconds since 1970-01-01T00:00Z, the form in which the store keeps time."""
    return (at - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """Return the aware UTC datetime *ms* milliseconds after 1970-01-01T00:00Z."""
    return _EPOCH + _MS * ms


def iso(at: datetime) -> str:
    """Return *at* (aware) as RFC 3339 in UTC with ``Z``; milliseconds are shown only when there are any."""
    at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """Return the instant that an ISO date (midnight UTC) or an ISO date-time names; a time without zone is UTC.

    Raises `QueryError` when *text* is neither.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        # An hour of the first or the last year may lie in none, seen from UTC.
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(
            f"not a date or time: {text!r}", hint="Write 2026-03-14, 2026-03-14T03:00 or 2026-03-14T03:00:00Z."
        ) from None
    return from_ms(to_ms(at))

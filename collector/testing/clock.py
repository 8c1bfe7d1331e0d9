"""A clock for tests in which nobody waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector.clock import SystemClock


class HurriedClock(SystemClock):
    """Goes as the machine's, from *at* on (UTC; None: the present), but whoever sleeps is at once as much later."""

    def __init__(self, at: datetime | None = None) -> None:
        present = super().now()
        self._ahead = timedelta() if at is None else at - present
        self._slept = 0.0

    def now(self) -> datetime:
        """See `collector.clock.Clock.now`. Sleeping does not show in it: sources compare it with their own time."""
        return super().now() + self._ahead

    def monotonic(self) -> float:
        """See `collector.clock.Clock.monotonic`."""
        return super().monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        """See `collector.clock.Clock.sleep`."""
        self._slept += seconds

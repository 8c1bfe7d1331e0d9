"""A clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class PlayedClock:
    """Shows *at* until it is moved; sleeping moves it."""

    def __init__(self, at: datetime = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)) -> None:
        self.at = at
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.move(timedelta(seconds=seconds))

    def move(self, by: timedelta) -> datetime:
        """Let *by* pass and return the new time."""
        self.at += by
        self._monotonic += by.total_seconds()
        return self.at

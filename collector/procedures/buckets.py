"""Token buckets: how fast each service of each source and place may be asked. Pure; the caller tells the time."""

from __future__ import annotations

import threading
from collections.abc import Mapping

BURST_S = 2.0  # a bucket that has rested holds this many seconds' worth of requests


class Bucket:
    """*rate* tokens a second, up to *rate* x `BURST_S` saved; safe to use from many threads.

    Times are seconds of one monotonic clock.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._tokens = self._most
        self._at = now

    @property
    def _most(self) -> float:
        return max(1.0, self.rate * BURST_S)

    def take(self, now: float, tokens: float = 1.0) -> float:
        """Take *tokens* and return how many seconds to wait before using them; 0 when they were there.

        Takers queue up: each waits behind the tokens promised before.
        """
        with self._lock:
            self._tokens = min(self._most, self._tokens + max(0.0, now - self._at) * self.rate)
            self._at = max(self._at, now)
            self._tokens -= tokens
            return max(0.0, -self._tokens / self.rate)

    def throttled(self, now: float) -> None:
        """Note that the source asked us to slow down: what was saved is gone and a second passes without requests."""
        with self._lock:
            self._tokens = min(self._tokens, 0.0) - self.rate
            self._at = max(self._at, now)

    def rest(self, now: float, seconds: float) -> None:
        """Note that the source wants no request for *seconds*: who takes next waits at least so long."""
        with self._lock:
            self._tokens = min(self._tokens, -seconds * self.rate)
            self._at = max(self._at, now)


class Buckets:
    """The process's buckets, by (source, place, service): sessions of one source share them."""

    def __init__(self, defaults: Mapping[str, float]) -> None:
        self._defaults = defaults
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def of(self, source: str, place: str, service: str, rates: Mapping[str, float], now: float) -> Bucket:
        """Return the bucket for *service*, refilled at the rate that *rates*, then our defaults, give it."""
        rate = _rate(service, rates) or _rate(service, self._defaults) or 1.0
        key = (source, place, service)
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = Bucket(rate, now)
            bucket.rate = rate
            return bucket


def _rate(service: str, rates: Mapping[str, float]) -> float | None:
    return rates.get(service, rates.get("*"))

"""How often somebody may ask: a token bucket for each, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from collector.clock import Clock

_MOST = 20_000
_HOME = 64


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """*a_minute* for each, all at once or spread. Thread-safe. The least recent of very many are forgotten."""

    def __init__(self, clock: Clock, a_minute: int) -> None:
        self._clock = clock
        self._most = float(a_minute)
        self._each_second = a_minute / 60
        self._lock = Lock()
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def wait(self, who: Hashable) -> float:
        """Return in how many seconds *who* may ask again, 0 for now. Nothing is taken."""
        with self._lock:
            return self._missing(self._level(who))

    def take(self, who: Hashable) -> float:
        """Take one of *who*'s, and return 0; or take nothing, and return in how many seconds there is one again."""
        with self._lock:
            level = self._level(who)
            missing = self._missing(level)
            self._buckets[who] = _Bucket(level if missing else level - 1, self._clock.monotonic())
            self._buckets.move_to_end(who)
            if len(self._buckets) > _MOST:
                self._buckets.popitem(last=False)
            return missing

    def _level(self, who: Hashable) -> float:
        found = self._buckets.get(who)
        if found is None:
            return self._most
        return min(self._most, found.left + (self._clock.monotonic() - found.at) * self._each_second)

    def _missing(self, level: float) -> float:
        return 0.0 if level >= 1 else (1 - level) / self._each_second


def neighbourhood(address: str) -> str:
    """Return what *address* is counted as: itself, or for IPv6 the network that one customer is given."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, _HOME), strict=False))
    return str(found)

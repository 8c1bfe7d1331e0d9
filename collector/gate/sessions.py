"""Sessions of people who signed in: kept in memory by the digest of their id, and ended by whatever began them.

- The id is 256 random bits that a browser keeps in a cookie; here only its SHA-256 is known.
- A session is begun by a token or through a provider. It holds no right: whoever it is may do what that token, or the
  configuration and the terms of the engagements, say at the time of each request.
- It ends when nothing was asked for long, when it is old, at the sign-out, and when the process ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from threading import Lock

from collector.clock import Clock

MOST_OF_ONE = 20
"""Sessions that one token or account can have; another one ends the oldest."""


@dataclass(frozen=True, slots=True)
class ByToken:
    """Began a session: the token that the act *grant* granted."""

    grant: int


@dataclass(frozen=True, slots=True)
class Account:
    """Began a session: somebody whom the OpenID provider knows, by an address that it does not call unverified."""

    email: str
    groups: frozenset[str] = frozenset()


Beginner = ByToken | Account


@dataclass(slots=True)
class _Session:
    beginner: Beginner
    began: float
    used: float


class Sessions:
    """The sessions of one process. Thread-safe. Lengths are counted by the clock that never goes backwards."""

    def __init__(self, clock: Clock, idle: timedelta, longest: timedelta) -> None:
        self._clock = clock
        self._idle = idle.total_seconds()
        self._longest = longest.total_seconds()
        self._lock = Lock()
        self._known: dict[bytes, _Session] = {}

    def begin(self, beginner: Beginner) -> str:
        """Begin a session, and return its id, which is kept nowhere."""
        id = secrets.token_urlsafe(32)
        now = self._clock.monotonic()
        with self._lock:
            self._known = {key: each for key, each in self._known.items() if self._lives(each, now)}
            whose = _whose(beginner)
            own = [key for key, each in self._known.items() if _whose(each.beginner) == whose]
            for key in own[: max(0, len(own) + 1 - MOST_OF_ONE)]:
                del self._known[key]
            self._known[_key(id)] = _Session(beginner, now, now)
        return id

    def beginner(self, id: str) -> Beginner | None:
        """Return what began the session *id*, which counts as used now; None for one that is unknown or over."""
        now = self._clock.monotonic()
        with self._lock:
            found = self._known.get(_key(id))
            if found is None:
                return None
            if not self._lives(found, now):
                del self._known[_key(id)]
                return None
            found.used = now
            return found.beginner

    def end(self, id: str) -> None:
        """End the session *id*; nothing happens when there is none."""
        with self._lock:
            self._known.pop(_key(id), None)

    def count(self) -> int:
        """Return how many sessions are not over."""
        now = self._clock.monotonic()
        with self._lock:
            return sum(self._lives(each, now) for each in self._known.values())

    def _lives(self, session: _Session, now: float) -> bool:
        return now < session.used + self._idle and now < session.began + self._longest


def _key(id: str) -> bytes:
    return sha256(id.encode("utf-8", "surrogateescape")).digest()


def _whose(beginner: Beginner) -> Hashable:
    return beginner if isinstance(beginner, ByToken) else beginner.email

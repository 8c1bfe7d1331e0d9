"""People on their way to the provider and back: each errand is kept until it comes back, once, or is too old."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import sha256
from threading import Lock

from collector.clock import Clock
from collector.gate.oidc import Errand, Refused

_SECONDS = 600.0
_MOST = 10_000


class Errands:
    """The errands of one process. Thread-safe. Of very many the oldest are forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known: OrderedDict[bytes, tuple[float, str, Errand]] = OrderedDict()

    def begin(self, browser: str, redirect_uri: str, then: str) -> tuple[str, Errand]:
        """Return a new errand of *browser*, and the state by which it comes back."""
        state = secrets.token_urlsafe(32)
        errand = Errand(secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect_uri, then)
        with self._lock:
            self._known[_key(state)] = (self._clock.monotonic(), browser, errand)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return state, errand

    def end(self, state: str, browser: str) -> Errand:
        """Return the errand that *browser* brings back, and forget it.

        Raises `Refused` for a state that is unknown, was brought back before, is ten minutes old, or is another
        browser's: else somebody could be signed in as the one who sent them the link.
        """
        with self._lock:
            at, of, errand = self._known.pop(_key(state), (0.0, "", None))
        if errand is None:
            raise Refused("the state is unknown, or came back before")
        if self._clock.monotonic() >= at + _SECONDS:
            raise Refused("the sign-in took too long")
        if not browser or not secrets.compare_digest(of.encode(), browser.encode("utf-8", "surrogateescape")):
            raise Refused("the state belongs to another browser")
        return errand


def _key(state: str) -> bytes:
    return sha256(state.encode("utf-8", "surrogateescape")).digest()

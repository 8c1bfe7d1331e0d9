"""Lets people in: by a token of the API, or by a session that a sign-in began."""

from __future__ import annotations

from threading import Lock

from collector.access import Grant, Principal
from collector.act import ActKind
from collector.ask.access import granted, holder
from collector.clock import Clock
from collector.config import Config
from collector.gate.visit import SignedOut, Visit
from collector.store import Store


class Gate:
    """One gate for one installation. Thread-safe."""

    def __init__(self, store: Store, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self._store = store
        self._lock = Lock()
        self._grants: tuple[int, list[Grant]] = (-1, [])

    def by_token(self, token: str) -> Visit:
        """Return the visit of whoever holds *token*. Raises `SignedOut` for a token that is unknown or not good."""
        found = holder(self._known(), token, self.clock.now())
        if found is None:
            raise SignedOut("the token is not good: it is unknown, has expired or was revoked")
        return self.visit(found.principal())

    def visit(self, principal: Principal) -> Visit:
        """Return a visit of *principal* now."""
        return Visit(principal, self.config, self.clock.now(), self._store)

    def _known(self) -> list[Grant]:
        """Return every token. It is asked each time whether there is a new act, so that a revocation holds at once."""
        newest = self._store.desk.newest(ActKind.TOKEN)
        with self._lock:
            if self._grants[0] != newest:
                self._grants = (newest, granted(self._store))
            return self._grants[1]

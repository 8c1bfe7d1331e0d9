"""Which scopes and which account a source has, as it says itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from collector.clock import Clock
from collector.errors import EvidencedError
from collector.model import Scope
from collector.plan import Plan
from collector.source import Source, opened, require_account

REDISCOVER = timedelta(hours=24)
RETRY_DISCOVERY = timedelta(minutes=5)


class Discovery:
    """What is known of a source's scopes and account: asked at the start, daily, and until it first answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.scopes: dict[str, list[Scope]] = {}
        self.accounts: dict[str, str] = {}
        self._again: dict[str, datetime] = {}

    def recall(self, plan: Plan) -> None:
        """Take scopes and accounts from the plan last in force, for sources that do not answer now."""
        for planned in plan.sources:
            known = [scope for scope in planned.scopes if scope.name != "unresolved"]
            if known:
                self.scopes.setdefault(planned.name, known)
                self.accounts.setdefault(planned.name, planned.account)

    def stale(self, source: str) -> bool:
        """Return whether *source* should be asked again now."""
        again = self._again.get(source)
        return again is None or self._clock.now() >= again

    def ask(self, source: Source) -> None:
        """Ask *source* for its scopes and account; what is known stays when it does not answer, and it is logged."""
        self._again[source.name] = self._clock.now() + RETRY_DISCOVERY
        try:
            with opened(source, self._clock) as (session, principal):
                require_account(self.accounts.get(source.name, ""), principal)
                self.scopes[source.name] = session.scopes()
                self.accounts[source.name] = principal.account
        except EvidencedError as error:
            structlog.get_logger("discovery").warning(
                "scopes unknown", source=source.name, error=error.message, hint=error.hint() or None
            )
            return
        self._again[source.name] = self._clock.now() + REDISCOVER

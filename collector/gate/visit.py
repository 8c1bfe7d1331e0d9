"""One request by somebody known: what they may do, and the store as far as they may see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.access import Principal, Right
from collector.config import Config
from collector.engagement import Engagement
from collector.errors import EvidencedError, Unknown
from collector.schedule import parse_duration
from collector.store import Store
from collector.store.scoped import Scoped


class SignedOut(EvidencedError):
    """Nobody known asks: there is no session or token, or it is no longer good."""

    default_hint = "Sign in, or send a token: Authorization: Bearer evd_..."


class Forbidden(EvidencedError):
    """Whoever asks is known, and their role does not have the right."""

    default_hint = "Ask an admin of the installation."


@dataclass(frozen=True, slots=True)
class Engaged:
    """An engagement that the visitor may see, and the *store* as far as its terms go."""

    engagement: Engagement
    store: Scoped


@dataclass(slots=True)
class Visit:
    """A request by *principal* at *now*. *reads* are the engagements (ids) that it read of, for the record."""

    principal: Principal
    config: Config
    now: datetime
    _store: Store
    reads: set[int] = field(default_factory=set)

    @property
    def grace(self) -> timedelta:
        """How late a slot may be read, as coverage takes it."""
        return parse_duration(self.config.plan.grace)

    def require(self, right: Right) -> None:
        """Raise `Forbidden` unless the visitor has *right*."""
        if not self.principal.may(right):
            raise Forbidden(f"the role {self.principal.role} may not do this")

    def everything(self) -> Store:
        """Return the whole store. Raises `Forbidden` for somebody who sees certain engagements only."""
        if self.principal.engagements is not None:
            raise Forbidden("what belongs to no engagement of yours is not shown")
        return self._store

    def engagements(self) -> list[Engagement]:
        """Return the engagements that the visitor may see, oldest first."""
        return [each for each in self._store.engagements() if self.principal.sees(each.id)]

    def engaged(self, name: str) -> Engaged:
        """Return the engagement *name* and the store within it; it is noted that the visitor read of it.

        Raises `Unknown`, in the same words for one that is not there and one that the visitor may not see.
        """
        found = next((each for each in self.engagements() if each.name == name), None)
        if found is None:
            raise Unknown(f"there is no engagement {name!r}", hint="The list of engagements shows yours.")
        self.reads.add(found.id)
        return Engaged(found, self._store.within(found))

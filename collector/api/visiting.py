"""Who may use a route: declared with the route, asked before its body is read, and shown in the documentation.

No cookie opens the API, so no page elsewhere can make a browser use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Path, Request

from collector.access import Right
from collector.api.texts import Name
from collector.config import Config
from collector.engagement import Engagement, Terms
from collector.gate import Gate, SignedOut, Visit
from collector.store import Store
from collector.store.scoped import Scoped
from collector.tag import ControlSet, load_controls

_SCHEME = "bearer"


class Reach(StrEnum):
    """How far a route looks."""

    OWN = "own"
    """At who asks, and what they may see."""
    ENGAGEMENT = "engagement"
    INSTALLATION = "installation"


def entered(request: Request, right: Right) -> Visit:
    """Return the visit of whoever's token came with *request*, noted in its state. Raises `SignedOut`, `Forbidden`."""
    gate: Gate = request.app.state.gate
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise SignedOut("no token came with the request")
    visit = gate.by_token(token.strip())
    request.state.visit = visit
    visit.require(right)
    return visit


@dataclass(frozen=True)
class Entry:
    """A route that needs *right*, and how far it looks."""

    right: Right
    reach = Reach.OWN

    def visit(self, request: Request) -> Visit:
        """Return the visit of *request*, which a `Route` has let in already, and any other route lets in here."""
        visit: Visit | None = getattr(request.state, "visit", None)
        return visit or entered(request, self.right)


class Own(Entry):
    """Gives the visit itself."""

    def __call__(self, request: Request) -> Visit:
        """Return the visit."""
        return self.visit(request)


@dataclass(frozen=True)
class Visited:
    """What a route is given: the *visit*, and what follows from it."""

    visit: Visit

    @property
    def now(self) -> datetime:
        """When it was asked."""
        return self.visit.now

    @property
    def grace(self) -> timedelta:
        """How late a slot may be read."""
        return self.visit.grace

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.visit.config

    @property
    def actor(self) -> str:
        """Who is recorded with what they do."""
        return self.visit.principal.name

    @property
    def controls(self) -> ControlSet:
        """The controls of the configuration."""
        return load_controls(self.visit.config.controls_path)


@dataclass(frozen=True)
class Installed(Visited):
    """A visit of somebody who sees the whole installation, and its store."""

    store: Store


class Installation(Entry):
    """Gives the whole store, to those who see it."""

    reach = Reach.INSTALLATION

    def __call__(self, request: Request) -> Installed:
        """Return the whole store. Raises `Forbidden` for somebody who sees certain engagements only."""
        visit = self.visit(request)
        return Installed(visit, visit.everything())


@dataclass(frozen=True)
class Desk(Visited):
    """A visit of one engagement: what is asked there is answered within its terms."""

    engagement: Engagement
    store: Scoped

    @property
    def name(self) -> str:
        """What the engagement is called."""
        return self.engagement.name

    @property
    def terms(self) -> Terms:
        """The terms in force."""
        return self.engagement.terms


EngagementName = Annotated[Name, Path(description="What the engagement is called.", examples=["soc2-2026"])]


class Within(Entry):
    """Gives the desk of the engagement that the path names, to those who may see it."""

    reach = Reach.ENGAGEMENT

    def __call__(self, request: Request, engagement: EngagementName) -> Desk:
        """Return the desk. Raises `Unknown`, in the same words for an engagement that may not be seen."""
        visit = self.visit(request)
        found = visit.engaged(engagement)
        return Desk(visit, found.engagement, found.store)


Visitor = Annotated[Visit, Depends(Own(Right.READ))]
Reader = Annotated[Desk, Depends(Within(Right.READ))]
Examiner = Annotated[Desk, Depends(Within(Right.DRAW))]
Recorder = Annotated[Desk, Depends(Within(Right.RECORD))]
Overseer = Annotated[Installed, Depends(Installation(Right.READ))]
Tagger = Annotated[Installed, Depends(Installation(Right.RECORD))]
Trigger = Annotated[Installed, Depends(Installation(Right.SNAPSHOT))]
Engager = Annotated[Installed, Depends(Installation(Right.ENGAGE))]
Admitter = Annotated[Installed, Depends(Installation(Right.ADMIT))]

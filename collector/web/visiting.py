"""How a page gets its visitor: by the session that a sign-in began, and by nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from collector.access import Right
from collector.gate import Engaged, Gate, Visit


def visitor(request: Request) -> Visit:
    """Return the visit of whoever's session came with *request*. Raises `SignedOut`."""
    gate: Gate = request.app.state.gate
    return gate.by_session(request)


Visitor = Annotated[Visit, Depends(visitor)]


def engaged(name: str, visit: Visitor) -> Engaged:
    """Return the engagement that a page is about. Raises `Unknown`, and `Forbidden` for who may not read."""
    visit.require(Right.READ)
    return visit.engaged(name)


Within = Annotated[Engaged, Depends(engaged)]

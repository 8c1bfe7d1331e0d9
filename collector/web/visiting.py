"""How a page gets its visitor: by the session that a sign-in began, and by nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from collector.gate import Gate, Visit


def visitor(request: Request) -> Visit:
    """Return the visit of whoever's session came with *request*. Raises `SignedOut`."""
    gate: Gate = request.app.state.gate
    return gate.by_session(request)


Visitor = Annotated[Visit, Depends(visitor)]

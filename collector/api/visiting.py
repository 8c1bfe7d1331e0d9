"""How a route gets its visitor: from the token in the header ``Authorization``, and from nothing else.

No cookie opens the API, so no page elsewhere can make a browser use it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from collector.gate import Gate, SignedOut, Visit

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="`evidenced token create` makes one: evd_...")


def visitor(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Visit:
    """Return the visit of whoever's token came with *request*. Raises `SignedOut`."""
    gate: Gate = request.app.state.gate
    if given is None:
        raise SignedOut("no token came with the request")
    visit = gate.by_token(given.credentials)
    request.state.visit = visit
    return visit


Visitor = Annotated[Visit, Depends(visitor)]

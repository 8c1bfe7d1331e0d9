"""The page to sign in by: its form is taken by the gate."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.gate import Gate
from collector.gate.signing_in import SIGN_IN, local
from collector.web.pages import address, page

router = APIRouter(include_in_schema=False)


@router.get(SIGN_IN)
def sign_in(request: Request, next: str = "/", refused: str = "", away: str = "") -> HTMLResponse:
    """Show how to come in: through the provider where there is one, and by a token."""
    gate: Gate = request.app.state.gate
    then = local(next)
    return page(
        request,
        None,
        "sign_in.html",
        then=then,
        provider=address("sign-in", "oidc", next=then) if gate.config.web.oidc else "",
        refused=bool(refused),
        away=bool(away),
    )

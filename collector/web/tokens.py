"""Tokens, for admins: who has one, granted and shown once, revoked."""

from __future__ import annotations

import re
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from collector.access import Grant, Right, Role
from collector.ask.access import LONGEST, grant, granted, revoke
from collector.errors import QueryError
from collector.gate import Visit
from collector.web.pages import address, page
from collector.web.sending import Sender, Typed, answered
from collector.web.visiting import Visitor

router = APIRouter(include_in_schema=False)
_NOTHING = {"holder": "", "role": Role.AUDITOR.value, "engagement": "", "days": "90"}


@router.get("/tokens")
def tokens(request: Request, visit: Visitor) -> HTMLResponse:
    """Show every token ever granted, and the form that grants one."""
    visit.require(Right.ADMIT)
    return _tokens(request, visit, _NOTHING)


@router.post("/tokens")
def granting(
    request: Request,
    visit: Sender,
    holder: Typed = "",
    role: Typed = "",
    engagement: Typed = "",
    days: Typed = "",
) -> Response:
    """Grant a token, and show it: this once, in the answer itself, which nothing may keep."""
    visit.require(Right.ADMIT)
    typed = {"holder": holder, "role": role, "engagement": engagement, "days": days}
    try:
        found, token = _granted(visit, typed)
    except QueryError as error:
        return _tokens(request, visit, typed, error=error)
    return _tokens(request, visit, _NOTHING, new=(found, token))


@router.post("/tokens/{number}/revoke")
def revoking(request: Request, visit: Sender, number: int) -> Response:
    """Revoke a token: from now on it opens nothing."""
    visit.require(Right.ADMIT)

    def record() -> str:
        revoke(visit.everything(), number, actor=visit.principal.name)
        return address("tokens")

    return answered(record, lambda error: _tokens(request, visit, _NOTHING, error=error))


def _granted(visit: Visit, typed: dict[str, str]) -> tuple[Grant, str]:
    if typed["role"] not in list(Role):
        raise QueryError(f"there is no role {typed['role']!r}", hint=f"There are: {', '.join(Role)}.")
    if not re.fullmatch("[0-9]{1,4}", typed["days"]):
        raise QueryError(f"{typed['days']!r} is no number of days", hint=f"Write one up to {LONGEST.days}.")
    return grant(
        visit.everything(),
        typed["holder"],
        Role(typed["role"]),
        typed["engagement"],
        now=visit.now,
        lasts=timedelta(days=int(typed["days"])),
        actor=visit.principal.name,
    )


def _tokens(
    request: Request,
    visit: Visit,
    typed: dict[str, str],
    *,
    new: tuple[Grant, str] | None = None,
    error: QueryError | None = None,
) -> HTMLResponse:
    return page(
        request,
        visit,
        "tokens.html",
        status_code=422 if error else 200,
        tokens=granted(visit.everything())[::-1],
        new=new,
        roles=list(Role),
        engagements=visit.engagements()[::-1],
        names={each.id: each.name for each in visit.engagements()},
        longest=LONGEST,
        typed=typed,
        error=error,
    )

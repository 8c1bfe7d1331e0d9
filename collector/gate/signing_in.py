"""Signing in and out: by a token in a form, or through the OpenID provider. Every answer is a redirect.

Whatever was wrong with a sign-in, the answer is the same: back to ``/sign-in?refused=1``. The reason is in our log.
A page for ``GET /sign-in`` shows the form: fields ``token``, ``next`` and ``csrf``, and a link to ``/sign-in/oidc``.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse

from collector.gate.gate import Gate
from collector.gate.oidc import Away, Refused
from collector.gate.sessions import Beginner, ByToken
from collector.gate.visit import SignedOut

router = APIRouter(include_in_schema=False)

SIGN_IN = "/sign-in"
_SEE_OTHER = 303
_LONGEST = 2_000
# Browsers take a second slash, either way round, for the beginning of another host, and skip tabs and line ends.
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f-\x9f]*")


def local(path: str) -> str:
    """Return *path* if it is one of ours to go to after a sign-in, else the first page."""
    return path if len(path) <= _LONGEST and _LOCAL.fullmatch(path) else "/"


def asked_for(path: str) -> str:
    """Return where somebody who is not signed in is sent when they ask for *path* (with its query)."""
    return f"{SIGN_IN}?{urlencode({'next': local(path)})}"


@router.post("/sign-in")
def by_token(
    request: Request,
    token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
    csrf: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Sign in by *token*, and go on to *next*. A session that there was ends."""
    gate: Gate = request.app.state.gate
    gate.require_csrf(request, csrf)
    try:
        beginner = ByToken(gate.grant(token.strip()).id)
    except SignedOut as error:
        return _refused(request, error, next)
    return _signed_in(request, gate, beginner, next)


@router.get("/sign-in/oidc")
def to_provider(request: Request, next: str = "/") -> RedirectResponse:
    """Go to the provider, and then on to *next*."""
    gate: Gate = request.app.state.gate
    here = gate.place.origin(request.headers["host"])
    if gate.provider is None:
        return _refused(request, Refused("no OpenID provider is configured"), next)
    state, errand = gate.errands.begin(gate.forms.browser(request), f"{here}/sign-in/callback", local(next))
    try:
        return RedirectResponse(gate.provider.address(errand, state), _SEE_OTHER)
    except Away as error:
        return _away(error)


@router.get("/sign-in/callback")
def from_provider(
    request: Request, state: str = "", code: str = "", iss: str = "", error: str = ""
) -> RedirectResponse:
    """Come back from the provider with a *code*, or with what it calls its *error*."""
    gate: Gate = request.app.state.gate
    then = "/"
    try:
        errand = gate.errands.end(state, request.cookies.get(gate.cookies.form, ""))
        then = errand.then
        if gate.provider is None or error or not code:
            raise Refused(f"the provider refused: {error[:100]!a}")
        account = gate.provider.account(errand, code, iss)
        gate.principal(account)
    except SignedOut as problem:
        return _refused(request, problem, then)
    except Away as problem:
        return _away(problem)
    return _signed_in(request, gate, account, then)


@router.post("/sign-out")
def sign_out(request: Request, csrf: Annotated[str, Form()] = "") -> RedirectResponse:
    """End the session."""
    gate: Gate = request.app.state.gate
    gate.require_csrf(request, csrf)
    answer = RedirectResponse(SIGN_IN, _SEE_OTHER)
    _end(request, gate)
    answer.delete_cookie(gate.cookies.session, **gate.cookies.attributes)
    # What a shared computer's browser still holds of our pages goes too.
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def _signed_in(request: Request, gate: Gate, beginner: Beginner, then: str) -> RedirectResponse:
    _end(request, gate)
    answer = RedirectResponse(local(then), _SEE_OTHER)
    answer.set_cookie(gate.cookies.session, gate.sessions.begin(beginner), **gate.cookies.attributes)
    answer.delete_cookie(gate.cookies.form, **gate.cookies.attributes)
    return answer


def _end(request: Request, gate: Gate) -> None:
    if id := request.cookies.get(gate.cookies.session):
        gate.sessions.end(id)


def _refused(request: Request, error: SignedOut, then: str) -> RedirectResponse:
    request.state.refused = True
    structlog.get_logger("web").warning("a sign-in was refused", why=error.message)
    return RedirectResponse(f"{SIGN_IN}?{urlencode({'refused': 1, 'next': local(then)})}", _SEE_OTHER)


def _away(error: Away) -> RedirectResponse:
    structlog.get_logger("web").error(error.message, hint=error.hint())
    return RedirectResponse(f"{SIGN_IN}?away=1", _SEE_OTHER)

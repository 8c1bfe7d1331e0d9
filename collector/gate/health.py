"""Whether the process lives, whether it can answer, and its numbers."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from fastapi.security.utils import get_authorization_scheme_param
from starlette.responses import PlainTextResponse, Response

from collector.access import Right
from collector.config_web import is_loopback
from collector.errors import EvidencedError
from collector.gate.gate import Gate
from collector.gate.visit import SignedOut

router = APIRouter(include_in_schema=False)

_UNREADY = 503
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz")
def alive() -> PlainTextResponse:
    """Say that the process answers."""
    return PlainTextResponse("alive\n")


@router.get("/readyz")
def ready(request: Request) -> PlainTextResponse:
    """Say whether the store answers, the head of its log can be read, and reads of auditors can be recorded."""
    gate: Gate = request.app.state.gate
    try:
        gate.log_size()
    except EvidencedError as error:
        structlog.get_logger("web").error("not ready", error=error.message)
        return PlainTextResponse("the store does not answer\n", _UNREADY)
    if gate.reads.full():
        return PlainTextResponse("reads of auditors cannot be recorded\n", _UNREADY)
    return PlainTextResponse("ready\n")


@router.get("/metrics")
def numbers(request: Request) -> Response:
    """Give the numbers to whoever asks on this machine, or has a token that reads everything.

    Behind a proxy everybody seems to ask from this machine, so there it takes the token.
    """
    gate: Gate = request.app.state.gate
    peer = request.client.host if request.client else ""
    if gate.place.behind_proxy or not is_loopback(peer):
        scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
        if scheme.lower() != "bearer":
            raise SignedOut("no token came with the request")
        visit = gate.by_token(token)
        visit.require(Right.READ)
        visit.everything()
    return Response(request.app.state.numbers.text(), media_type=_TEXT)

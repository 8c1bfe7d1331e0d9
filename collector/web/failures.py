"""Pages for what went wrong: in the words of the error, with what to do next, and never with a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from collector.errors import EvidencedError, QueryError, Unknown
from collector.gate import SignedOut, Visit
from collector.gate.answers import headers_of, status_of, title_of, told
from collector.gate.signing_in import SIGN_IN, asked_for
from collector.web.pages import page
from collector.web.visiting import visitor

Handler = Callable[[Request, Any], Response | Awaitable[Response]]

_PAGES = ("collector.web", "collector.gate.signing_in")
"""Whose routes answer browsers."""


class Broken(EvidencedError):
    """Nobody foresaw what happened; what it was is for the log."""

    default_hint = "Try again; if it stays so, the log of `evidenced serve` says why."


def failed(request: Request, error: EvidencedError, status: int | None = None) -> Response:
    """Return the page that says *error*; whoever is not signed in is sent to the sign-in page instead."""
    if isinstance(error, SignedOut):
        query = f"?{request.url.query}" if request.url.query else ""
        there = asked_for(request.url.path + query) if request.method == "GET" else SIGN_IN
        return RedirectResponse(there, HTTPStatus.SEE_OTHER)
    status = status or status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        structlog.get_logger("web").error(error.message, hint=error.hint(), path=request.url.path)
    message, hint = told(error)
    answer = page(
        request,
        _visit(request),
        "failed.html",
        status_code=status,
        status=status,
        title=HTTPStatus(status).phrase if isinstance(error, Broken) else title_of(error),
        message=message,
        hint=hint,
    )
    answer.headers.update(headers_of(error))
    return answer


def install(app: FastAPI) -> None:
    """Let *app* answer what goes wrong on a page by a page. What was installed for the rest before stays as it is."""
    before: dict[Any, Handler] = dict(app.exception_handlers)
    for form in {*before, HTTPException, RequestValidationError, EvidencedError, Exception}:
        app.add_exception_handler(form, _dividing(before.get(form)))


def _dividing(otherwise: Handler | None) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        if _is_page(request):
            return failed(request, *_in_words(error))
        if otherwise is None:
            return PlainTextResponse("Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR)
        answer = otherwise(request, error)
        return await answer if isawaitable(answer) else answer

    return handle


def _is_page(request: Request) -> bool:
    """Return whether a browser asked: for a page of ours, or for an address that nothing of ours has."""
    endpoint = request.scope.get("endpoint")
    if endpoint is None:
        return not request.url.path.startswith(("/api/", "/static/"))
    return str(getattr(endpoint, "__module__", "")).startswith(_PAGES)


def _in_words(error: Exception) -> tuple[EvidencedError, int | None]:
    """Return *error* as one of ours, and its status where the error itself does not say it."""
    if isinstance(error, EvidencedError):
        return error, None
    if isinstance(error, RequestValidationError):
        wrong = ", ".join(str(each["loc"][-1]) for each in error.errors())
        return QueryError(f"what was asked cannot be read: {wrong}", hint="Correct it in the address or form."), None
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
        return Unknown("no page has this address", hint="Begin at the list of your engagements."), None
    if isinstance(error, HTTPException):
        return Broken(str(error.detail)), error.status_code
    return Broken("this page could not be made"), HTTPStatus.INTERNAL_SERVER_ERROR


def _visit(request: Request) -> Visit | None:
    """Return whose visit it is, also where no route asked for it; None when nobody is signed in, or nobody can tell."""
    try:
        return visitor(request)
    except EvidencedError:
        return None

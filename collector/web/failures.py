"""Pages for what went wrong: in the words of the error, with what to do next, and never with a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from collector.errors import BusyError, EvidencedError, IntegrityError, QueryError, StoreError, Unknown, Withheld
from collector.gate import Forbidden, SignedOut, Visit
from collector.web.pages import address, page
from collector.web.visiting import visitor

Handler = Callable[[Request, Any], Response | Awaitable[Response]]

_STATUS = (
    (SignedOut, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (Withheld, HTTPStatus.GONE),
    (Unknown, HTTPStatus.NOT_FOUND),
    (QueryError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (BusyError, HTTPStatus.CONFLICT),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_TITLES = {
    HTTPStatus.FORBIDDEN: "You may not see this",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.CONFLICT: "Somebody else is at it",
    HTTPStatus.GONE: "This evidence cannot be shown",
    HTTPStatus.UNPROCESSABLE_ENTITY: "This question has no answer",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store does not answer",
}
_ALTERED = "Keep the database as it is and have security run `evidenced verify store`: what is recorded does not match."
_OURS = "Try again. If it stays, the operator finds the cause in the log of `evidenced serve`."


def status_of(error: Exception) -> HTTPStatus:
    """Return the HTTP status that *error* comes to."""
    if isinstance(error, HTTPException):
        return HTTPStatus(error.status_code)
    if isinstance(error, RequestValidationError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return next((status for form, status in _STATUS if isinstance(error, form)), HTTPStatus.INTERNAL_SERVER_ERROR)


def failed(request: Request, error: Exception) -> Response:
    """Return the page that says *error*; whoever is not signed in is sent to the sign-in page instead."""
    status = status_of(error)
    if status is HTTPStatus.UNAUTHORIZED:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        again = address("sign-in", next=asked if request.method == "GET" and asked != "/" else "")
        return RedirectResponse(again, HTTPStatus.SEE_OTHER)
    return page(
        request,
        _visit(request),
        "failed.html",
        status_code=status,
        status=int(status),
        title=_TITLES.get(status, status.phrase),
        **_said(error),
    )


def install(app: FastAPI) -> None:
    """Let *app* answer what goes wrong on a page by a page. What was installed for the API before stays as it is."""
    before: dict[Any, Handler] = dict(app.exception_handlers)
    for form in {*before, HTTPException, RequestValidationError, EvidencedError, Exception}:
        app.add_exception_handler(form, _dividing(before.get(form)))


def _visit(request: Request) -> Visit | None:
    """Return whose visit it is, also where no route asked for it; None when nobody is signed in, or nobody can tell."""
    try:
        return visitor(request)
    except EvidencedError:
        return None


def _dividing(otherwise: Handler | None) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        if not request.url.path.startswith("/api/"):
            return failed(request, error)
        if otherwise is None:
            raise error
        answer = otherwise(request, error)
        return await answer if isawaitable(answer) else answer

    return handle


def _said(error: Exception) -> dict[str, str]:
    """Return what the page says of *error*: only errors of our own are shown in their words."""
    if isinstance(error, IntegrityError):
        return {"message": error.message, "hint": _ALTERED}
    if isinstance(error, EvidencedError) and status_of(error) is not HTTPStatus.INTERNAL_SERVER_ERROR:
        return {"message": error.message, "hint": error.hint()}
    if isinstance(error, RequestValidationError):
        wrong = ", ".join(str(each["loc"][-1]) for each in error.errors())
        return {"message": f"what was asked cannot be read: {wrong}", "hint": "Correct it in the address or the form."}
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
        return {"message": "no page has this address", "hint": "Begin at the list of your engagements."}
    if isinstance(error, HTTPException):
        return {"message": str(error.detail), "hint": ""}
    return {"message": "the page could not be made", "hint": _OURS}

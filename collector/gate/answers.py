"""How a refusal is answered, the same everywhere: the status by the kind of error, problem details for the API."""

from __future__ import annotations

import math

import structlog
from starlette.responses import JSONResponse, PlainTextResponse, Response

from collector.errors import BusyError, EvidencedError, IntegrityError, QueryError, StoreError, Unknown, Withheld
from collector.gate.visit import Forbidden, SignedOut

_API = "/api/"
_FAILED = 500


class TooMany(EvidencedError):
    """Somebody asks, or fails to sign in, more often than is allowed; *seconds* says when the next try is answered."""

    default_hint = "Wait as long as Retry-After says."

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = max(1, math.ceil(seconds))


class TooLarge(EvidencedError):
    """The body of a request is larger than anything that is taken there."""

    default_hint = "The configuration says how large a file may be: uploads.max_mb."


class Elsewhere(EvidencedError):
    """A request names a host that is not this installation's."""

    default_hint = "Ask by the name that web.public_url says, or on the machine itself by localhost."


class Defect(EvidencedError):
    """Nobody foresaw what happened; what it was is for our log."""

    default_hint = "Try again; if it stays so, the log of `evidenced serve` says why."


class Unrecorded(StoreError):
    """What auditors read cannot be recorded, so that nothing is shown to them."""


# The first that fits; a subclass stands before its parent.
_STATUS: tuple[tuple[type[EvidencedError], int, str], ...] = (
    (SignedOut, 401, "Sign in"),
    (Forbidden, 403, "Not allowed"),
    (TooMany, 429, "Too many requests"),
    (TooLarge, 413, "Too large"),
    (Elsewhere, 421, "Another host"),
    (Unknown, 404, "Not there"),
    (Withheld, 410, "Withheld"),
    (QueryError, 422, "The question is wrong"),
    (BusyError, 409, "Busy"),
    (StoreError, 503, "The store does not answer"),
    (IntegrityError, _FAILED, "The store does not match its digests"),
    (EvidencedError, _FAILED, "It failed"),
)


def status_of(error: EvidencedError) -> int:
    """Return the HTTP status that *error* is answered with."""
    return _row(error)[0]


def title_of(error: EvidencedError) -> str:
    """Return the few words that head the answer to *error*."""
    return _row(error)[1]


def told(error: EvidencedError) -> tuple[str, str]:
    """Return what whoever asked is told of *error*, and what to do next.

    What our database says is for the log: it may name hosts and files.
    """
    if isinstance(error, StoreError) and not isinstance(error, Unrecorded):
        return "the store does not answer now", "Try again; if it stays so, the log of `evidenced serve` says why."
    if isinstance(error, IntegrityError):
        return error.message, "Tell whoever runs it to verify the store: `evidenced verify`."
    return error.message, error.hint()


def headers_of(error: EvidencedError) -> dict[str, str]:
    """Return the headers that go with the answer to *error*."""
    if isinstance(error, SignedOut):
        return {"www-authenticate": 'Bearer realm="evidenced"'}
    if isinstance(error, TooMany):
        return {"retry-after": str(error.seconds)}
    return {"retry-after": "15"} if isinstance(error, StoreError) else {}


def refusal(path: str, error: EvidencedError) -> Response:
    """Return the answer to *error* at *path*: problem details (RFC 9457) of the API, elsewhere a line of text."""
    status, title = _row(error)
    if status >= _FAILED:
        structlog.get_logger("web").error(error.message, hint=error.hint(), path=ascii(path))
    said, hint = told(error)
    if path.startswith(_API):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": said, "hint": hint}
        return JSONResponse(problem, status, headers_of(error), "application/problem+json")
    return PlainTextResponse(f"{title}: {said}\n{hint}\n", status, headers_of(error))


def _row(error: EvidencedError) -> tuple[int, str]:
    return next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))

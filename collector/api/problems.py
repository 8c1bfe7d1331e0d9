"""What is answered when a question is not: problem details (RFC 9457), never a traceback and never HTML."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from collector import errors
from collector.gate import Forbidden, SignedOut
from collector.redact import scrub

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)

# The first that fits: a subclass stands before its class.
_STATUS: tuple[tuple[type[errors.EvidencedError], int], ...] = (
    (SignedOut, 401),
    (Forbidden, 403),
    (errors.Unknown, 404),
    (errors.Withheld, 410),
    (errors.QueryError, 422),
    (errors.Invalid, 422),
    (errors.BusyError, 409),
    (errors.IntegrityError, 500),
    (errors.StoreError, 503),
    (errors.ConfigError, 503),
)
_VERIFY = "Have `evidenced verify` run: it tells what else does not match."


class Place(BaseModel):
    """A part of the request that was not taken, and why."""

    model_config = ConfigDict(extra="forbid")

    at: str = Field(description="Where: `query`, `path`, `body` or `header`, then its name.", examples=["query.limit"])
    detail: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why there is no answer (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="What kind of problem, as a URN.", examples=["urn:evidenced:problem:not-found"])
    title: str = Field(description="The same in words, alike for every problem of the kind.", examples=["Not Found"])
    status: int = Field(description="The status of the answer.", examples=[404])
    detail: str = Field(description="What happened, in this case.", examples=["there is no engagement 'soc3'"])
    hint: str = Field(default="", description="What to do next; may be empty.")
    places: list[Place] = Field(default=[], description="Which parts of the request were not taken.")


def problem(
    status: int, detail: str, *, hint: str = "", places: Sequence[Place] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer of *status* that says *detail*."""
    title = HTTPStatus(status).phrase
    kind = title.lower().replace(" ", "-").replace("'", "")
    said = Problem(
        type=f"urn:evidenced:problem:{kind}",
        title=title,
        status=status,
        detail=detail,
        hint=hint,
        places=list(places),
    )
    return Response(json.dumps(said.model_dump()).encode("ascii"), status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: Exception) -> Response:
    """Return the answer for *error*; for one that nobody foresaw, one that tells nothing of it."""
    if isinstance(error, RequestValidationError):
        return _not_taken(error)
    if isinstance(error, HTTPException):
        return problem(error.status_code, str(error.detail), headers=error.headers)
    if isinstance(error, errors.EvidencedError):
        return _explained(error)
    # The detail may quote evidence; it goes to the log, secrets removed, and not to whoever asked.
    _log.error("defect", error=type(error).__name__, detail=scrub("".join(traceback.format_exception(error))))
    return problem(500, "a defect of evidenced itself", hint="Nothing was changed by this; the log has the detail.")


def _explained(error: errors.EvidencedError) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "30"}}.get(status)
    hint = error.hint() if not isinstance(error, errors.IntegrityError) else _VERIFY
    return problem(status, error.message, hint=hint, headers=headers)


def _not_taken(error: RequestValidationError) -> Response:
    places = [Place(at=_at(each["loc"]), detail=str(each["msg"])) for each in error.errors()]
    said = "; ".join(f"{each.at}: {each.detail}" for each in places)
    return problem(422, said or "the request is not of the documented form", places=places)


def _at(loc: Sequence[Any]) -> str:
    return ".".join(str(each) for each in loc)

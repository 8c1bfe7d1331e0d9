"""What is answered when a question is not: problem details (RFC 9457), never a traceback and never HTML."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from collector.errors import EvidencedError
from collector.gate.answers import headers_of, status_of, title_of, told
from collector.redact import scrub

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("web")

_FAILED = 500


class Place(BaseModel):
    """A part of the request that was not taken, and why."""

    model_config = ConfigDict(extra="forbid")

    at: str = Field(description="Where: `query`, `path`, `body` or `header`, then its name.", examples=["query.limit"])
    detail: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why there is no answer (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(default="about:blank", description="The status says what kind of problem it is.")
    title: str = Field(description="The same in words, alike for every problem of the kind.", examples=["Not there"])
    status: int = Field(description="The status of the answer.", examples=[404])
    detail: str = Field(description="What happened, in this case.", examples=["there is no engagement 'soc3'"])
    hint: str = Field(default="", description="What to do next; may be empty.")
    places: list[Place] = Field(default=[], description="Which parts of the request were not taken.")


def problem(
    status: int, title: str, detail: str, hint: str = "", *, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """Return the answer of *status* that says *detail*."""
    said = Problem(title=title, status=status, detail=detail, hint=hint, **more)
    return Response(json.dumps(said.model_dump()).encode("ascii"), status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: Exception) -> Response:
    """Return the answer for *error*; for one that nobody foresaw, one that tells nothing of it."""
    if isinstance(error, HTTPException) and isinstance(error.__cause__, EvidencedError):
        error = error.__cause__  # what reads the body makes a 400 of everything
    if isinstance(error, EvidencedError):
        if status_of(error) >= _FAILED:
            _log.error(error.message, hint=error.hint())
        return problem(status_of(error), title_of(error), *told(error), headers=headers_of(error))
    if isinstance(error, RequestValidationError):
        return _not_taken(error)
    if isinstance(error, HTTPException):
        title = HTTPStatus(error.status_code).phrase
        return problem(error.status_code, title, str(error.detail), headers=error.headers)
    # The detail may quote evidence; it goes to the log, secrets removed, and not to whoever asked.
    _log.error("defect", error=type(error).__name__, detail=scrub("".join(traceback.format_exception(error))))
    return problem(_FAILED, "A defect", "a defect of evidenced itself", "The log of `evidenced serve` has the detail.")


def _not_taken(error: RequestValidationError) -> Response:
    places = [Place(at=".".join(map(str, each["loc"])), detail=str(each["msg"])) for each in error.errors()]
    said = "; ".join(f"{each.at}: {each.detail}" for each in places)
    return problem(422, "The question is wrong", said, "The OpenAPI document says what is taken.", places=places)

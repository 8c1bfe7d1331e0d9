"""What is asked, what is refused, and how far a page reaches: the words that server, pagers and vendors share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any

from tests.fakes.described.operation import Operation


@dataclass(frozen=True)
class Ask:
    """One understood request; values are of the types that the description gives them. *number* counts from 1."""

    operation: Operation
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any
    url: str
    target: str
    number: int = 0

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    def said(self, name: str) -> Any:
        """Return the parameter *name* from the query, or from the body where it is asked there; None when absent."""
        if name in self.query:
            return self.query[name]
        return self.body.get(name) if isinstance(self.body, Mapping) else None

    @property
    def question(self) -> str:
        """What is asked, in one text, for comparing two requests."""
        return json.dumps([self.name, self.path, self.query, self.body], sort_keys=True, default=str)


class Refusal(Exception):
    """An error answer: *status*, the vendor's *code* and *message*, and *headers* beside its *body*, which the vendor's
    module writes unless it is given.

    In *headers* ``{seconds}`` stands for the time to wait, ``{reset}`` for the second since 1970 when it is over.
    """

    def __init__(
        self,
        status: int,
        code: str = "",
        message: str = "",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})
        self.body = body

    def after(self, seconds: float) -> Refusal:
        """Return this refusal with the time to wait filled in."""
        now = datetime.now(UTC)
        when = {"seconds": f"{seconds:g}", "reset": str(ceil(now.timestamp() + seconds))}
        return Refusal(
            self.status, self.code, self.message, {k: v.format(**when) for k, v in self.headers.items()}, self.body
        )


class NotUnderstood(Refusal):
    """The request is wrong by the vendor's own description: the test fails, whatever the client makes of it."""


class FixtureError(Exception):
    """A fixture that the vendor's own description does not allow."""


@dataclass(frozen=True)
class Page:
    """Items ``[start, stop)`` of *total*; *next* is where the next page starts, None on the last one.

    *asked* is the token that the request carried. A trouble changes it: *token* is given instead of a new one, *host*
    is where a link leads, *lost* leaves it out.
    """

    start: int
    stop: int
    total: int
    size: int
    next: int | None
    asked: str | None = None
    token: str | None = None
    host: str | None = None
    lost: bool = False


@dataclass
class Answer:
    """A body about to be sent, with its headers."""

    body: Any
    headers: dict[str, str] = field(default_factory=dict)

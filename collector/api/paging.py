"""Pages: in the order of an index, bounded, each naming where the next begins by a cursor.

A cursor is opaque and belongs to its question: one that was made up, cut or brought along from another question is
refused, and so is one of before this process began. It opens nothing by itself; whoever sends it must be allowed to ask
the question.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response

from collector.errors import QueryError
from collector.model import Subject

MOST = 1_000
_USUAL = 100
_CHECK = 12
_LONGEST = 2_000
_KEY = secrets.token_bytes(32)
Item = TypeVar("Item")

_Limit = Annotated[int, Query(ge=1, le=MOST, description="The most of them in one answer.")]
_Cursor = Annotated[
    str,
    Query(
        max_length=4_096,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="`next` of the page before; left out: the first page.",
    ),
]


@dataclass(frozen=True)
class Page:
    """Which part is asked for: at most *limit*, after the place *after* (None: from the beginning)."""

    limit: int
    after: Any
    _request: Request
    _response: Response

    def of(self, items: Sequence[Item], key: Callable[[Item], Any]) -> tuple[list[Item], str | None]:
        """Return the part of *items*, which ascend by *key*, and the cursor of the next page or None."""
        start = self._start(items, key)
        return self.cut(items[start : start + self.limit + 1], key)

    def _start(self, items: Sequence[Item], key: Callable[[Item], Any]) -> int:
        if self.after is None:
            return 0
        if isinstance(self.after, dict):
            places = (_short(key(each)) for each in items)
            at = next((number for number, each in enumerate(places, start=1) if each == self.after), None)
            if at is None:
                raise QueryError(
                    "what the page before ended with is there no more", hint="Begin again, without cursor."
                )
            return at
        return bisect_right(items, self.after, key=lambda each: _listed(key(each)))

    def cut(self, found: Sequence[Item], key: Callable[[Item], Any]) -> tuple[list[Item], str | None]:
        """Return *found*, asked for with one more than the limit, without that one; and the next cursor or None."""
        page = list(found[: self.limit])
        following = self._next(key(page[-1])) if len(found) > self.limit else None
        return page, following

    def _next(self, place: Any) -> str:
        given = [(name, value) for name, value in self._request.query_params.multi_items() if name != "cursor"]
        cursor = _sealed(_question(self._request), place)
        where = f"{self._request.url.path}?{urlencode([*given, ('cursor', cursor)])}"
        self._response.headers["Link"] = f'<{where}>; rel="next"'
        return cursor


def _page(request: Request, response: Response, limit: _Limit = _USUAL, cursor: _Cursor = "") -> Page:
    return Page(limit, _opened(_question(request), cursor) if cursor else None, request, response)


Paged = Annotated[Page, Depends(_page)]


def place_of(subject: Subject) -> tuple[str, str, str]:
    """Return where *subject* stands in the order of subjects."""
    return subject.source, subject.kind, subject.scope


def _question(request: Request) -> str:
    """Return what is asked, whichever page of it."""
    given = [each for each in request.query_params.multi_items() if each[0] not in ("cursor", "limit")]
    return json.dumps([request.url.path, sorted(given)])


def _sealed(question: str, place: Any) -> str:
    said = _text(_short(place))
    return urlsafe_b64encode(_check(question, said) + said).decode("ascii").rstrip("=")


def _opened(question: str, cursor: str) -> Any:
    try:
        data = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (ValueError, Error):
        data = b""
    said = data[_CHECK:]
    if len(data) <= _CHECK or not hmac.compare_digest(_check(question, said), data[:_CHECK]):
        raise QueryError("the cursor is not one of this question", hint="Use `next` of the page before, unchanged.")
    return json.loads(said)


def _short(place: Any) -> Any:
    """Return *place*, or what tells it from others where it is too long for an address: what sources call their items
    may be of any length.
    """
    text = _text(place)
    return {"sha256": hashlib.sha256(text).hexdigest()} if len(text) > _LONGEST else _listed(place)


def _text(place: Any) -> bytes:
    return json.dumps(_listed(place), separators=(",", ":")).encode("ascii")


def _check(question: str, said: bytes) -> bytes:
    return hmac.digest(_KEY, question.encode("utf-8") + b"\0" + said, "sha256")[:_CHECK]


def _listed(place: Any) -> Any:
    """Return *place* as JSON gives it back, so that both compare alike."""
    return list(place) if isinstance(place, tuple) else place

"""How vendors page. A pager finds out where a page starts and says in the answer where the next one does."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.fakes.described.operation import Operation
from tests.fakes.described.wire import Answer, Ask, NotUnderstood, Page


class Bookmarks:
    """The tokens given out so far; one is good only for the question it was given for."""

    def __init__(self) -> None:
        self._marks: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def give(self, question: str, start: int) -> str:
        """Return a new token that leads to item number *start*."""
        with self._lock:
            token = hashlib.sha256(f"{question} {start} {len(self._marks)}".encode()).hexdigest()[:40]
            self._marks[token] = question, start
        return token

    def resume(self, token: str, question: str) -> int:
        """Return where *token* leads. Raises `NotUnderstood` when it was never given, or for another question."""
        of, start = self._marks.get(token, ("", -1))
        if of != question:
            raise NotUnderstood(400, "", f"token: {token!r} was not given for this question")
        return start


@dataclass(frozen=True)
class Pager:
    """One style of paging.

    *size* is the parameter with the page's length, *default* and *maximum* its documented values where the description
    does not give them. *token* is the
    parameter with the place to go on at. Of the answer's members, *items* is the list (found by its schema when empty),
    *next* carries the token, *last* says whether this is the last page, *total* how many there are.
    """

    size: str
    token: str
    items: str = ""
    next: str = ""
    last: str = ""
    total: str = ""
    default: int = 100
    maximum: int = 1000

    def fits(self, operation: Operation) -> bool:
        """Return whether *operation* pages so: takes token and size in the query, or gives the token in its answer."""
        if operation.parameter("query", self.token):
            return operation.parameter("query", self.size) is not None
        return self.next in operation.members()

    def params(self) -> set[str]:
        """The parameters that are about paging."""
        return {self.size, self.token, *self.extra()}

    def members(self) -> set[str]:
        """The members of an answer that are about paging."""
        return {self.next, self.last, self.total}

    def extra(self) -> tuple[str, ...]:
        """Parameters that the vendor takes though its description does not know them."""
        return ()

    def length(self, ask: Ask) -> int:
        """Return how many items the page asked for holds; the vendor gives no more than *maximum*."""
        parameter = ask.operation.parameter("query", self.size)
        schema = parameter.schema if parameter else {}
        asked = ask.said(self.size) or schema.get("default") or self.default
        return min(int(asked), int(schema.get("maximum", self.maximum)))

    def start(self, ask: Ask, marks: Bookmarks, size: int) -> int:
        """Return the number of the first item asked for, in pages of *size*. Raises `NotUnderstood`: a wrong token."""
        token = ask.said(self.token)
        return marks.resume(token, self.question(ask)) if token else 0

    def question(self, ask: Ask) -> str:
        """What is asked apart from place and length."""
        out = self.params()
        query = {name: value for name, value in ask.query.items() if name not in out}
        body = {k: v for k, v in ask.body.items() if k not in out} if isinstance(ask.body, Mapping) else ask.body
        return replace(ask, query=query, body=body).question

    def finish(self, answer: Answer, page: Page, ask: Ask, marks: Bookmarks) -> None:
        """Say in *answer* where the next page is."""
        if self.last:
            answer.body[self.last] = page.next is None
        if self.total:
            answer.body[self.total] = page.total
        if page.next is not None and not page.lost:
            self.lead(answer, page, ask, page.token or marks.give(self.question(ask), page.next))

    def lead(self, answer: Answer, page: Page, ask: Ask, token: str) -> None:
        """Put *token* into *answer*."""
        answer.body[self.next] = token


class TokenPager(Pager):
    """A token in the answer goes into the next request (Google, Jira's search)."""


class NextLinkPager(Pager):
    """The answer carries the whole next address (ARM's nextLink, Microsoft Graph's @odata.nextLink)."""

    def fits(self, operation: Operation) -> bool:
        """The address in the answer is what tells; of the query's parameters the descriptions know some or none."""
        return self.next in operation.members()

    def extra(self) -> tuple[str, ...]:
        """The token is the vendor's own affair, so no description knows it."""
        return (self.token,)

    def lead(self, answer: Answer, page: Page, ask: Ask, token: str) -> None:
        """Put the address into *answer*."""
        answer.body[self.next] = _address(ask, page, {self.token: token})


@dataclass(frozen=True)
class LinkPager(Pager):
    """The Link header of RFC 8288 carries the next address with a token (Okta, GitHub's newer lists).

    *names_self*: it names the page itself as well. *until*: without this parameter the list never ends, and the last
    page leads to an empty one, where later items will be (Okta's log).
    """

    names_self: bool = False
    until: str = ""

    def lead(self, answer: Answer, page: Page, ask: Ask, token: str) -> None:
        """Put the header beside *answer*."""
        self._link(answer, _address(ask, page, {self.token: token}), "next")

    def finish(self, answer: Answer, page: Page, ask: Ask, marks: Bookmarks) -> None:
        """Say where the next page is; where the end is open (*until*), there always is one."""
        if self.names_self:
            self._link(answer, ask.url + ask.target, "self")
        open_end = bool(self.until) and ask.said(self.until) is None
        super().finish(answer, replace(page, next=page.stop) if open_end and page.next is None else page, ask, marks)

    def _link(self, answer: Answer, url: str, relation: str) -> None:
        before = [answer.headers["Link"]] if "Link" in answer.headers else []
        answer.headers["Link"] = ", ".join([*before, f'<{url}>; rel="{relation}"'])


class PageNumberPager(LinkPager):
    """Pages are numbered from 1, and the Link header names the next one (GitHub)."""

    def start(self, ask: Ask, marks: Bookmarks, size: int) -> int:
        """Return the number of the first item of the page asked for."""
        return (int(ask.said(self.token) or 1) - 1) * size

    def finish(self, answer: Answer, page: Page, ask: Ask, marks: Bookmarks) -> None:
        """Name the next page; page numbers are no tokens. Where the list is inside an object, so is its *total*."""
        if isinstance(answer.body, dict):
            answer.body[self.total] = page.total
        if page.next is not None and not page.lost:
            self.lead(answer, page, ask, page.token or str(page.next // page.size + 1))


class OffsetPager(Pager):
    """Pages start at a number of items (Jira's startAt); there is nothing to go on with in the answer but numbers."""

    def members(self) -> set[str]:
        """Jira says offset and size too."""
        return {*super().members(), self.token, self.size}

    def start(self, ask: Ask, marks: Bookmarks, size: int) -> int:
        """Return the offset asked for."""
        return int(ask.said(self.token) or 0)

    def finish(self, answer: Answer, page: Page, ask: Ask, marks: Bookmarks) -> None:
        """Say offset, size and total, as Jira does, and the next address where the vendor gives one.

        A bare list says nothing: it is at its end when a page is empty.
        """
        if isinstance(answer.body, list):
            return
        answer.body |= {self.token: page.start, self.size: page.size, self.total: page.total}
        if self.last:
            answer.body[self.last] = page.next is None
        if self.next and page.next is not None and not page.lost:
            answer.body[self.next] = _address(ask, page, {self.token: page.token or str(page.next)})


def _address(ask: Ask, page: Page, changed: Mapping[str, str]) -> str:
    said = urlsplit(ask.target)
    query: dict[str, Any] = dict(parse_qsl(said.query, keep_blank_values=True))
    return f"{page.host or ask.url}{said.path}?{urlencode(query | dict(changed), safe='$')}"

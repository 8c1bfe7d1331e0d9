"""A loopback server that plays any REST vendor by the vendor's own published description."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from tests.fakes.described import asked
from tests.fakes.described.auth import Tokens
from tests.fakes.described.fixture import Fixture, Items, Where, items_member, judged, whole
from tests.fakes.described.pager import Bookmarks, Pager
from tests.fakes.described.sample import sample
from tests.fakes.described.schema import flattened
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.wire import Answer, Ask, FixtureError, NotUnderstood, Page, Refusal
from tests.fakes.listener import Http, Judge, Reply
from tests.fakes.trouble import Rule, Trouble

Route = Callable[[Http], Reply]


class Fake(Judge):
    """A vendor on 127.0.0.1: give it what it holds, point the connector at *url*, ask with a `token`, then `verify`.

    A request that the vendor's description does not allow is answered with an error and kept in *violations*; leaving
    the ``with`` block raises AssertionError when there are any. So is a request for an operation of which nothing was
    put; where something was put, but not for these parameters, the vendor says that there is no such thing.
    """

    def __init__(self, vendor: Vendor, *, pages_of: int | None = None) -> None:
        self.vendor = vendor
        self.tokens = Tokens()
        self._most = pages_of
        self._fixtures: dict[str, list[Fixture]] = {}
        self._rules: list[Rule] = []
        self._routes: dict[tuple[str, str], Route] = {}
        self._asks: list[Ask] = []
        self._marks = Bookmarks()
        self._lock = threading.RLock()
        super().__init__(self._serve)

    @property
    def url(self) -> str:
        """Where the vendor is: ``http://127.0.0.1:PORT``, with the path that comes before every one of its own."""
        return self._listener.url + self.vendor.prefix

    @property
    def asks(self) -> list[Ask]:
        """Every understood request so far in order, refused ones and retries too."""
        with self._lock:
            return list(self._asks)

    @property
    def calls(self) -> Counter[str]:
        """How many requests were made, by the operation's name."""
        return Counter(ask.name for ask in self.asks)

    def token(self) -> str:
        """Return a new token that opens the door until `expire`."""
        return self.tokens.issue()

    def headers(self) -> dict[str, str]:
        """Return the header that a client of this vendor authenticates with, for a new token."""
        return self.vendor.auth.header(self.token())

    def expire(self) -> None:
        """End every token issued so far; new ones are good."""
        self.tokens.expire()

    def put(
        self,
        operation: str,
        *,
        items: Items | Callable[[Ask], Items] | None = None,
        answer: Any = None,
        about: Mapping[str, Any] | None = None,
        where: Where | None = None,
        **bound: str,
    ) -> None:
        """Let *operation* give *items*, page by page, or the whole *answer*; either may be a function of the request.

        *bound* are values of path or query parameters that this is for; what is put later, or for more of them, goes
        first. *about* are the members of the answer beside the list. *where* says which items a query parameter
        leaves. Raises `FixtureError` when the description does not allow it; what a function returns is judged when
        it does, and is then a violation.
        """
        described = self.vendor.description.named(operation)
        strange = [name for name in bound if not any(described.parameter(at, name) for at in ("path", "query"))]
        if strange or (items is None) == (answer is None):
            raise FixtureError(f"{operation}: {', '.join(strange) or 'items or answer'}: one of its own is needed")
        fixture = Fixture(bound, items, answer, about or {}, where or {})
        if items is not None and not callable(items):
            judged(self.vendor, described, whole(self.vendor, described, items, fixture.about), paged=True)
        elif answer is not None and not callable(answer):
            judged(self.vendor, described, answer)
        with self._lock:
            same = [each for each in self._fixtures.get(operation, ()) if each.bound != fixture.bound]
            self._fixtures[operation] = [fixture, *same]

    def take(self, operation: str, **bound: str) -> None:
        """Forget what was put for *operation* and *bound*: to the client, it was deleted."""
        with self._lock:
            kept = [each for each in self._fixtures[operation] if each.bound != bound]
            assert len(kept) < len(self._fixtures[operation]), f"nothing was put for {operation} {bound}"
            self._fixtures[operation] = kept

    def sample(self, operation: str, number: int = 1, **own: Any) -> Any:
        """Return an item of the operation's list, or its whole answer, as the description allows it.

        Every required field is there, others to some depth; *own* are the fields that the test is about.
        """
        described = self.vendor.description.named(operation)
        schema = described.success()
        assert schema is not None, f"{operation} gives no content"
        try:
            name = items_member(self.vendor, described)
        except FixtureError:
            return sample(schema, described.resolve, number) | own
        inside = described.members()[name] if name else schema
        flat = flattened(inside, described.resolve)[0]
        item: dict[str, Any] = sample(flat.get("items") or flat["additionalProperties"], described.resolve, number)
        return item | own

    def trouble(
        self,
        operation: str,
        trouble: Trouble,
        *,
        nth: int = 1,
        times: int | None = None,
        when: Callable[[Ask], bool] = lambda _: True,
    ) -> None:
        """Misbehave from the *nth* matching request on, *times* times or for ever; *operation* may be a pattern."""
        if trouble.refuse:
            trouble.refuse(self.vendor)
        with self._lock:
            self._rules.append(Rule(trouble, lambda ask: fnmatchcase(ask.name, operation) and when(ask), nth, times))

    def route(self, method: str, path: str, answer: Route) -> None:
        """Let *answer* serve what no description knows: a token endpoint, GraphQL. It authenticates by itself."""
        self._routes[method, path] = answer

    def calm(self) -> None:
        """Behave again; forget the requests counted so far."""
        with self._lock:
            self._rules.clear()
            self._asks.clear()

    def _serve(self, http: Http) -> Reply:
        route = self._routes.get((http.method, http.target.partition("?")[0]))
        if route:
            return route(http)
        troubles: list[Trouble] = []
        try:
            ask = asked.recognise(self.vendor, http, self._listener.url)
            ask, troubles = self._noted(ask)
            self._admit(http)
            answer, status = self._answer(ask, troubles), ask.operation.status()
        except Refusal as refusal:
            if isinstance(refusal, NotUnderstood):
                self.violations.append(f"{http.method} {http.target}: {refusal.message}")
            answer, status = (
                Answer(refusal.body or self.vendor.error(refusal, http.target), refusal.headers),
                refusal.status,
            )
        reply = self._reply(answer, status, http)
        for trouble in troubles:
            reply = trouble.reply(reply) if trouble.reply else reply
        return reply

    def _noted(self, ask: Ask) -> tuple[Ask, list[Trouble]]:
        with self._lock:
            ask = replace(ask, number=len(self._asks) + 1)
            self._asks.append(ask)
            return ask, [rule.trouble for rule in self._rules if rule.strikes(ask)]

    def _admit(self, http: Http) -> None:
        token, problem = self.vendor.auth.token(http)
        if not problem and self.tokens.is_over(token):
            raise self.vendor.refusal("expired").after(0)
        if problem or not self.tokens.is_good(token):
            said = self.vendor.refusal("unauthenticated")
            raise NotUnderstood(said.status, said.code, f"auth: {problem or 'nobody issued this token'}", said.headers)

    def _answer(self, ask: Ask, troubles: list[Trouble]) -> Answer:
        wrong = asked.wrong(self.vendor, ask)
        if wrong:
            raise NotUnderstood(400, "", f"{ask.name}: " + "; ".join(wrong))
        for trouble in troubles:
            if trouble.refuse:
                raise trouble.refuse(self.vendor)
        fixture = self._fixture(ask)
        if fixture.items is None:
            body = self._made(ask, fixture.answer) if callable(fixture.answer) else fixture.answer
            if isinstance(body, Refusal):
                raise body
            return Answer(self.vendor.shaped(ask, body) if self.vendor.shaped else body)
        return self._list(ask, fixture, troubles)

    def _fixture(self, ask: Ask) -> Fixture:
        with self._lock:
            known = self._fixtures.get(ask.name)
        if known is None:
            raise NotUnderstood(500, "", f"nothing was put for {ask.name}")
        fitting = [each for each in known if each.fits(ask)]
        if not fitting:
            raise self.vendor.refusal("missing").after(0)
        return max(fitting, key=lambda each: len(each.bound))

    def _made(self, ask: Ask, make: Callable[[Ask], Any], *, paged: bool = False) -> Any:
        made = make(ask)
        try:
            return judged(self.vendor, ask.operation, made, paged=paged)
        except FixtureError as error:
            raise NotUnderstood(500, "", str(error)) from error

    def _list(self, ask: Ask, fixture: Fixture, troubles: list[Trouble]) -> Answer:
        pager = self.vendor.pager(ask.operation)
        items = self._items(ask, fixture, pager)
        page = self._page(ask, pager, len(items)) if pager else Page(0, len(items), len(items), len(items), None)
        for trouble in troubles:
            page = trouble.page(page) if trouble.page else page
        if isinstance(items, Mapping):
            shown: Items = dict(list(items.items())[page.start : page.stop])
        else:
            shaped = self.vendor.shaped
            shown = [shaped(ask, item) if shaped else item for item in items[page.start : page.stop]]
        answer = Answer(whole(self.vendor, ask.operation, shown, fixture.about))
        if pager:
            pager.finish(answer, page, ask, self._marks)
        return answer

    def _items(self, ask: Ask, fixture: Fixture, pager: Pager | None) -> Items:
        found = fixture.items
        if callable(found):
            items: Items = found(ask)
            self._made(ask, lambda _: whole(self.vendor, ask.operation, items, fixture.about), paged=True)
            return items
        assert found is not None
        heard = {*fixture.bound, *fixture.where, *self.vendor.free, *(pager.params() if pager else ())}
        deaf = sorted(set(ask.query) - heard)
        if deaf:
            raise NotUnderstood(500, "", f"{ask.name}: no fixture says what {', '.join(deaf)} leaves (put(where=...))")
        for name, keeps in fixture.where.items():
            if name in ask.query and not isinstance(found, Mapping):
                found = [item for item in found if keeps(item, ask.query[name])]
        return found

    def _page(self, ask: Ask, pager: Pager, total: int) -> Page:
        size = min(pager.length(ask), self._most or pager.maximum)
        start = pager.start(ask, self._marks, size)
        token = ask.said(pager.token)
        stop = min(start + size, total)
        return Page(start, stop, total, size, stop if stop < total else None, None if token is None else str(token))

    def _reply(self, answer: Answer, status: int, http: Http) -> Reply:
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        request_id = str(uuid.uuid4())
        headers = {name: value.format(id=request_id) for name, value in self.vendor.headers.items()}
        headers |= {"Content-Type": "application/json; charset=utf-8", **answer.headers}
        if self.vendor.etags and status == 200:
            headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()}"'
            if http.header("If-None-Match") == headers["ETag"]:
                return Reply(304, headers, b"")
        return Reply(status, headers, body)


def described(vendor: Vendor, *, pages_of: int | None = None) -> Fake:
    """Return *vendor* as a server on loopback that gives at most *pages_of* items a page."""
    return Fake(vendor, pages_of=pages_of)

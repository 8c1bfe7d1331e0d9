"""What the engine of `collector.procedures` asks over HTTP: requests written, pages followed, items taken out."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import orjson

from collector.connector import Reading
from collector.errors import Invalid, ReadError, Truncated
from collector.http.pages import Continuation, Next, Page, continuation
from collector.http.prepare import Ready, in_window
from collector.http.requester import Asked, Requester
from collector.http.template import address, filled
from collector.model import Json
from collector.procedure import Batch
from collector.procedures.decode import decode
from collector.procedures.ready import Absent, Gone, cut_off
from collector.procedures.values import Values, place

NO_BODY = ""  # of a POST whose vendor expects none


@dataclass
class Params:
    """One request's parameters: the *path*, the *query*, the JSON *body* or the *variables* of GraphQL, headers.

    *known* are the values that the expressions over its answer may name.
    """

    path: str
    query: dict[str, Json] = field(default_factory=dict)
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)
    known: Values = field(default_factory=dict)


class Asking:
    """See `collector.procedures.ready.Asking`. The place *at* is the name of the scope."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    def parameters(self, call: Ready, values: Values, item: Json = None, ids: list[Json] | None = None) -> Params:
        """Return the request of *call*. Raises `Invalid` when something in it has no value."""
        try:
            return _parameters(call, values, item, ids, self._requester.api.headers)
        except Invalid as error:
            raise Invalid(f"{call.name}: {error.message}") from error

    def items(self, call: Ready, params: Params, at: str, reading: Reading) -> Iterator[tuple[Json, Json]]:
        """See `collector.procedures.ready.Asking.items`."""
        assert call.items is not None
        call = in_window(call, params.known)
        following = continuation(call, self._requester.hosts[call.operation.host])
        page: Page | None = None
        for page in self._pages(call, params, at, reading, following):
            for item in page.items:
                yield item, page.document
        total = following.total(page) if page is not None and not reading.sample else None
        if total is not None:
            reading.calls.totalled(call.name, total)
            if following.count < total:
                raise Truncated(f"{call.name} gave {following.count} of the {total} items that the source counts")

    def single(self, call: Ready, params: Params, at: str, reading: Reading) -> Json:
        """See `collector.procedures.ready.Asking.single`. An answer without content (204) is an empty object."""
        asked = self._asked(call, params, at, Next())
        return self._requester.answer(call, asked, reading)[1]

    def _pages(self, call: Ready, params: Params, at: str, reading: Reading, following: Continuation) -> Iterator[Page]:
        step: Next | None = Next(value=following.first())
        for number in range(self._requester.api.limits.pages):
            assert step is not None
            asked = self._asked(call, params, at, step)
            try:
                answer, document = self._requester.answer(call, asked, reading)
            except (Absent, Gone) as error:
                if number:
                    reading.calls.undrained(call.name)
                    raise cut_off(call.name) from error
                raise
            page = Page(answer.headers, document, _items(call, document), asked.url)
            reading.calls.listed(call.name, len(page.items))
            try:
                step = following.after(page)
            except ReadError as error:
                reading.calls.undrained(call.name)
                raise _named(call, error) from error
            if reading.sample and step is not None:
                reading.calls.undrained(call.name)
                step = None
            yield page
            if step is None:
                return
        reading.calls.undrained(call.name)
        raise Truncated(f"{call.name} did not end after {self._requester.api.limits.pages} pages")

    def _asked(self, call: Ready, params: Params, scope: str, step: Next) -> Asked:
        paging, operation = call.paging, call.operation
        query, body = dict(params.query), copy.deepcopy(params.body)
        # GraphQL's variables, and the fields of a body, are where a POST has its parameters.
        target = query if operation.method == "GET" else (body["variables"] if operation.graphql else body)
        if step.value is not None:
            _place(target, paging.param, step.value, query)
        if paging.size_param:
            _place(target, paging.size_param, paging.size, query)
        url = step.url
        if not url:
            url = self._requester.hosts[operation.host] + params.path
            url += f"?{urlencode(_pairs(query), quote_via=quote)}" if query else ""
        data = None if body in (None, NO_BODY) else orjson.dumps(body)
        headers = {**params.headers, "content-type": "application/json"} if data is not None else params.headers
        return Asked(url, scope, headers, data)


def _parameters(call: Ready, values: Values, item: Json, ids: list[Json] | None, defaults: Mapping[str, str]) -> Params:
    spec, operation = call.spec, call.operation
    bound = {name: text.search(item) for name, text in call.bind}
    for name, value in bound.items():
        if value is None:
            raise Invalid(f"the item has no value for {name}")
    known = {**values, **bound}
    path = address(operation.path, known, item)
    query = {name: filled(text, known, item) for name, text in operation.query}
    params = filled(spec.params, known, item)
    params.update({name: value for name, value in bound.items() if name not in call.places})
    headers = {name.lower(): value for name, value in defaults.items()}
    headers.update({name.lower(): str(filled(value, known, item)) for name, value in spec.headers.items()})
    if operation.graphql:
        found = Params(path, query, {"query": spec.query, "variables": params}, headers, values)
    else:
        body = {} if spec.body is None and operation.method == "POST" else filled(spec.body, known, item)
        found = Params(path, {**query, **params}, body, headers, values)
    if ids is not None and isinstance(spec, Batch):
        target = found.query if operation.method == "GET" else found.body
        place(target["variables"] if operation.graphql else target, spec.ids, ids)
    return found


def _place(target: Json, name: str, value: Json, query: dict[str, Json]) -> None:
    if target is query:
        query[name] = value
    else:
        place(target, name, value)


def _pairs(query: Mapping[str, Json]) -> list[tuple[str, str]]:
    """Return *query* as pairs of texts: a list gives one pair an element, true and false are written as in JSON."""
    pairs = []
    for name, value in query.items():
        for each in value if isinstance(value, list) else [value]:
            pairs.append((name, str(each).lower() if isinstance(each, bool) else str(each)))
    return pairs


def _items(call: Ready, document: Json) -> list[Json]:
    assert call.items is not None
    if call.operation.graphql and _has_hole(document):
        raise Invalid(f"{call.name} has null in a list: something is there that is not shown")
    found = call.items.search(document)
    if call.spec.decode:
        try:
            return decode(found, call.spec.decode)
        except ValueError as error:
            raise Invalid(f"{call.name} gave no {call.spec.decode}: {error}") from error
    if found is None:
        raise Invalid(f"{call.name} gave no {call.items.text}, not even an empty one")
    if not isinstance(found, list):
        raise Invalid(f"{call.name}: {call.items.text} is no list but {type(found).__name__}")
    return found


def _has_hole(document: Json) -> bool:
    if isinstance(document, list):
        return any(each is None or _has_hole(each) for each in document)
    return isinstance(document, dict) and any(map(_has_hole, document.values()))


def _named(call: Ready, error: ReadError) -> ReadError:
    if error.message.startswith(call.name):
        return error
    return type(error)(f"{call.name}: {error.message}", hint=error.hint())

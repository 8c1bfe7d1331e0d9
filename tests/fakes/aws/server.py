"""A loopback server that plays every AWS service by botocore's own descriptions."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from tests.fakes.aws import wire
from tests.fakes.aws.judge import problems
from tests.fakes.aws.model import operation_model
from tests.fakes.aws.paging import Paging, first_page, paging_of, put
from tests.fakes.aws.refusal import FixtureError, NotUnderstood, Refusal, declared
from tests.fakes.aws.tokens import Tokens
from tests.fakes.aws.wire import Ask
from tests.fakes.listener import Http, Judge, Reply
from tests.fakes.trouble import Rule, Trouble

Answer = Mapping[str, Any] | Sequence[Any] | Refusal
"""An output as boto3 gives it, or just the items of its list, or an error."""

Fixture = Answer | Callable[[Ask], Answer]


@dataclass
class _State:
    fixtures: dict[tuple[str, str, str | None], Fixture] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    tokens: Tokens = field(default_factory=Tokens)
    most: dict[tuple[str, str], int] = field(default_factory=dict)
    requests: list[Ask] = field(default_factory=list)


class FakeAws(Judge):
    """AWS on 127.0.0.1: give it what the account holds, point ``endpoint_url`` at *url*, then `verify`.

    A request that the service's description does not allow gets 400 and is kept in *violations*; leaving the ``with``
    block raises AssertionError when there are any. A request for which there is no fixture is a violation as well,
    unless *upstream* answers it (see `tests.fakes.aws.moto_account.upstream`).
    """

    def __init__(
        self,
        *,
        account: str = "123456789012",
        upstream: Callable[[Ask, Http], Reply | Mapping[str, Any]] | None = None,
    ) -> None:
        self.account = account
        self.principal = f"arn:aws:iam::{account}:user/collector"
        self._upstream = upstream
        self._state = _State()
        self._lock = threading.RLock()
        super().__init__(self._serve)

    @property
    def url(self) -> str:
        """The endpoint: ``http://127.0.0.1:<port>``."""
        return self._listener.url

    @property
    def requests(self) -> list[Ask]:
        """Every understood request so far, in order."""
        with self._lock:
            return list(self._state.requests)

    def count(self, service: str, operation: str = "*", region: str | None = None) -> int:
        """Return how many requests were made, refused ones and retries too."""
        return sum(
            ask.service == service and operation in ("*", ask.operation) and region in (None, ask.region)
            for ask in self.requests
        )

    def counts(self) -> Counter[str]:
        """Return requests by ``service.Operation``."""
        return Counter(ask.name for ask in self.requests)

    def client(self, service: str, region: str = "us-east-1", *, patience: float = 10) -> Any:
        """Return a boto3 client of this server that does not retry and waits *patience* seconds for an answer."""
        settings = Config(retries={"total_max_attempts": 1}, read_timeout=patience)
        with self._lock:
            return _session().client(service, region, endpoint_url=self.url, config=settings)

    def play(self, service: str, operation: str, fixture: Fixture, region: str | None = None) -> None:
        """Answer *operation* with *fixture*, in *region* or in all. A list stands for the items of the answer's list.

        Raises `FixtureError` when the output shape does not allow it; what a callable returns is judged when it does.
        """
        if not callable(fixture):
            fixture = self._judged(service, operation, fixture)
        with self._lock:
            self._state.fixtures[service, operation, region] = fixture

    def at_most(self, service: str, operation: str, items: int) -> None:
        """Give no more than *items* a page, whatever is asked for: AWS reserves the right to. ``*`` stands for any."""
        with self._lock:
            self._state.most[service, operation] = items

    def trouble(
        self,
        service: str,
        operation: str,
        trouble: Trouble,
        *,
        nth: int = 1,
        times: int | None = None,
        when: Callable[[Ask], bool] = lambda _: True,
    ) -> None:
        """Misbehave from the *nth* matching request on, *times* times or for ever. ``*`` stands for any operation."""

        def match(ask: Ask) -> bool:
            return ask.service == service and operation in ("*", ask.operation) and when(ask)

        with self._lock:
            self._state.rules.append(Rule(trouble, match, nth, times))

    def calm(self) -> None:
        """Behave again; forget the requests counted so far."""
        with self._lock:
            self._state.rules.clear()
            self._state.requests.clear()

    def _judged(self, service: str, operation: str, answer: Answer) -> Answer:
        model = operation_model(service, operation)
        if isinstance(answer, Refusal):
            return answer if answer.status else declared(model, answer.code, answer.message, **answer.members)
        paging = paging_of(model)
        whole = _whole(paging, model, answer)
        wrong = list(problems(whole, model.output_shape, paged=paging.results if paging else ()))
        if wrong:
            raise FixtureError(f"{service}.{operation}: " + "; ".join(wrong[:10]))
        return answer

    def _serve(self, http: Http) -> Reply:
        request_id = str(uuid.uuid4())
        protocol, service = "rest-json", ""
        try:
            ask = wire.recognise(http)
            protocol, service = ask.model.service_model.resolved_protocol, ask.service
            ask, troubles = self._noted(ask)
            reply = self._answer(ask, http, troubles, request_id)
        except Refusal as refusal:
            if isinstance(refusal, NotUnderstood):
                self.violations.append(f"{http.method} {http.target}: {refusal}")
            reply = wire.say_refusal(protocol, service, refusal, request_id)
            troubles = [] if isinstance(refusal, NotUnderstood) else troubles
        for trouble in troubles:
            reply = trouble.reply(reply) if trouble.reply else reply
        return reply

    def _noted(self, ask: Ask) -> tuple[Ask, list[Trouble]]:
        with self._lock:
            ask = replace(ask, number=len(self._state.requests) + 1)
            self._state.requests.append(ask)
            return ask, [rule.trouble for rule in self._state.rules if rule.strikes(ask)]

    def _answer(self, ask: Ask, http: Http, troubles: list[Trouble], request_id: str) -> Reply:
        wrong = list(problems(ask.params, ask.model.input_shape, request=True))
        wrong = wrong or [f"{name}: unknown parameter" for name in wire.unknown(http, ask)]
        if wrong:
            raise NotUnderstood("ValidationException", f"{ask.name}: " + "; ".join(wrong))
        for trouble in troubles:
            if trouble.refuse:
                raise trouble.refuse(ask, self.principal)
        paging = self._paging(ask)
        token = paging.token(ask.params) if paging else None
        whole: Mapping[str, Any] | Reply
        if paging and token:
            whole, start = self._state.tokens.resume(paging, ask, token)
        else:
            whole, start = self._looked_up(ask, http), 0
        if isinstance(whole, Reply) or paging is None:
            return whole if isinstance(whole, Reply) else wire.say(ask, whole, request_id)
        page = first_page(paging, whole, ask.params, start)
        for trouble in troubles:
            page = trouble.page(page, token) if trouble.page else page
        return wire.say(ask, self._state.tokens.output(page, ask), request_id)

    def _paging(self, ask: Ask) -> Paging | None:
        paging, most = paging_of(ask.model), self._state.most
        limits = [most[key] for key in ((ask.service, ask.operation), (ask.service, "*"), ("*", "*")) if key in most]
        return replace(paging, maximum=min(limits[0], paging.maximum)) if paging and limits else paging

    def _looked_up(self, ask: Ask, http: Http) -> Mapping[str, Any] | Reply:
        found = self._state.fixtures.get((ask.service, ask.operation, ask.region))
        found = self._state.fixtures.get((ask.service, ask.operation, None)) if found is None else found
        if found is None and self._upstream:
            return self._upstream(ask, http)
        if found is None:
            raise NotUnderstood("InternalFailure", f"no fixture for {ask.name} in {ask.region}", 500)
        if callable(found) and not isinstance(found, Refusal):
            try:
                found = self._judged(ask.service, ask.operation, found(ask))
            except FixtureError as error:
                raise NotUnderstood("InternalFailure", str(error), 500) from error
        if isinstance(found, Refusal):
            raise found
        return _whole(paging_of(ask.model), ask.model, found)


@cache
def _session() -> Any:
    # One for all fakes of a process: it keeps the models it has read.
    return boto3.Session("AKIAFAKE", "secret")


def _whole(paging: Paging | None, model: Any, answer: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any]:
    if isinstance(answer, Mapping):
        return answer
    lists = [name for name, shape in model.output_shape.members.items() if shape.type_name == "list"]
    path = paging.results[0] if paging else lists[0]
    whole: dict[str, Any] = {}
    put(whole, path, list(answer))
    return whole

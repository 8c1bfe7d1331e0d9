"""One request until it is answered: its turn, its credentials, its retries, its entry in the ledger, its reason."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from collector.connector import Reading
from collector.errors import Denied, Invalid, NotEnabled, ReadError, Throttled, Truncated, Unavailable
from collector.http.auth import Request
from collector.http.body import NotJson, TooLong, parsed
from collector.http.kept import key_of
from collector.http.links import followed
from collector.http.opening import Opening
from collector.http.prepare import Ready
from collector.http.refusal import NOT_THE_SOURCE, Refusal, clean, date_of, refuses, wait_asked
from collector.http.transport import Answer, Transport
from collector.model import Json
from collector.procedures.buckets import Bucket
from collector.procedures.ready import Absent, Gone

_REDIRECTS = {301, 302, 303, 307, 308}
_KEEPING_METHOD = {307, 308}
_MOST_REDIRECTS = 3
_OK = {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}


@dataclass(frozen=True)
class Asked:
    """What is asked, before credentials: *url* is complete; *scope* is the scope's name."""

    url: str
    scope: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Requester:
    """Makes the requests of one opened source; used by many threads at once. Never around a generator."""

    def __init__(self, opening: Opening, hosts: Mapping[str, str], transport: Transport) -> None:
        self.source = opening.source
        self.api = opening.api
        self.hosts = hosts
        self.principal = ""
        self._settings = opening.settings
        self._transport = transport
        self._authorizer = opening.authorizer
        self._buckets = opening.buckets
        self._kept = opening.kept
        self._renewing = threading.Lock()
        self._generation = 0

    def answer(self, call: Ready, asked: Asked, reading: Reading) -> tuple[Answer, Json]:
        """Return the good answer to *asked* and the JSON in it, after as many attempts as the settings allow.

        It is counted once. An answer without content (204) is an empty object; of GraphQL's the data is returned.

        Raises a `ReadError` whose message names the operation and never the address, `Absent` or `Gone` for a code
        that *call* declares.
        """
        attempt = _Attempt(self, call, asked, reading)
        try:
            answer, document = attempt.until_answered()
        finally:
            attempt.count()
        return answer, document["data"] if call.operation.graphql else document

    def bucket(self, call: Ready, asked: Asked, reading: Reading) -> Bucket:
        """Return the bucket of the host that *call* asks, in the scope of *asked* unless the source shares one."""
        host, rates = call.operation.host, self._settings.requests_per_second
        scope = "" if host in self.api.shared else asked.scope
        return self._buckets.of(self.source, scope, host, rates, reading.clock.monotonic())

    @property
    def attempts(self) -> int:
        """How often one request is made at most."""
        return self._settings.attempts

    def send(self, call: Ready, asked: Asked, reading: Reading) -> tuple[Answer, int]:
        """Make one attempt, redirects on the same host included; return the answer and the credentials' generation."""
        url, method, body = asked.url, call.operation.method, asked.body
        with self._renewing:
            generation = self._generation
        for _ in range(_MOST_REDIRECTS + 1):
            request = Request(method, url, call.operation.host, asked.scope, dict(asked.headers), body)
            key = key_of(self.source, self.principal, request) if self.api.etags else None
            known = self._kept.find(key) if key else None
            if known is not None:
                request.headers["if-none-match"] = known.headers["etag"]
            self._authorizer.apply(request)
            answer = self._transport.exchange(request, reading, self.api.limits.response_bytes)
            if answer.status == HTTPStatus.NOT_MODIFIED and known is not None:
                return replace(known, headers={**known.headers, **answer.headers}), generation
            if answer.status not in _REDIRECTS:
                if key:
                    self._kept.keep(key, answer)
                return answer, generation
            if method != "GET" and answer.status not in _KEEPING_METHOD:
                raise Invalid("the answer redirects a POST to a GET")
            url = followed(answer.headers.get("location", ""), url, self.hosts[call.operation.host])
        raise Invalid("the answer redirects without end")

    def renewed(self, generation: int) -> bool:
        """Return whether there are other credentials than those of *generation*, getting them if nobody has yet."""
        with self._renewing:
            if self._generation == generation and self._authorizer.refresh():
                self._generation += 1
            return self._generation != generation


class _Attempt:
    """The attempts at one request, and what is counted of them in the end."""

    def __init__(self, requester: Requester, call: Ready, asked: Asked, reading: Reading) -> None:
        self._requester = requester
        self._call = call
        self._asked = asked
        self._reading = reading
        self._bucket = requester.bucket(call, asked, reading)
        self._made = 0
        self._renewed = False
        self._last: Answer | None = None
        self._document: Json = None
        self._good = False

    def until_answered(self) -> tuple[Answer, Json]:
        while True:
            failure, asked_wait = self._once()
            if failure is None:
                assert self._last is not None
                return self._last, self._document
            if self._made >= self._requester.attempts + self._renewed:
                raise failure
            self._pause(failure, asked_wait)

    def count(self) -> None:
        """Enter what was answered into the ledger; what never was is in the run's message."""
        if self._last is None:
            return
        headers = self._last.headers
        ids = (headers[name.lower()] for name in self._requester.api.request_id if name.lower() in headers)
        self._reading.calls.answered(
            self._call.name,
            request_id=next(ids, "")[:200],
            date=date_of(headers.get("date", "")),
            retries=self._made - 1,
            page=self._good,
        )

    def _once(self) -> tuple[ReadError | None, float]:
        """Make one attempt. Returns what may be tried again, with the wait the source asked for, or no failure."""
        clock = self._reading.clock
        self._turn(self._bucket.take(clock.monotonic()))
        self._made += 1
        try:
            answer, generation = self._requester.send(self._call, self._asked, self._reading)
        except TooLong as error:
            raise self._named(error) from error
        except (Unavailable, Truncated) as error:
            self._reading.check()
            return self._named(error), 0.0
        except Invalid as error:
            raise self._named(error) from error
        self._last = answer
        wait = wait_asked(answer, self._requester.api.rate, clock.now())
        if wait:
            self._bucket.rest(clock.monotonic(), wait)
        if answer.status in _OK and self._whole(answer):
            return None, 0.0
        return self._refused(answer, generation, wait), wait

    def _whole(self, answer: Answer) -> bool:
        """Keep the JSON in *answer* and return whether it is the answer, not a refusal with a good status."""
        self._document = {} if answer.status == HTTPStatus.NO_CONTENT else self._parsed(answer)
        self._good = not refuses(self._document, self._call, self._requester.api)
        return self._good

    def _parsed(self, answer: Answer) -> Json:
        if self._call.is_file:
            return answer.body
        try:
            return parsed(answer.body, answer.headers.get("content-type", ""))
        except NotJson as error:
            raise Invalid(f"{self._call.name}: {clean(str(error))}", hint=NOT_THE_SOURCE) from error

    def _refused(self, answer: Answer, generation: int, wait: float) -> ReadError:
        """Return what may be tried again; raise what may not."""
        call = self._call
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            raise Truncated(f"{call.name} gave a part of the answer (206)")
        refusal = Refusal(answer, self._requester.api)
        error = refusal.error(call, self._requester.principal)
        if isinstance(error, Throttled):
            if not wait:
                self._bucket.throttled(self._reading.clock.monotonic())
            return error
        if answer.status == HTTPStatus.UNAUTHORIZED and not self._renewed and self._requester.renewed(generation):
            self._renewed = True
            return error
        if refusal.codes & set(call.spec.not_enabled):
            raise NotEnabled(
                f"{call.name} says it is not in use: {error.message}", hint="Enable it, or exclude the kind."
            )
        if refusal.codes & set(call.spec.absent):
            raise Absent(call.name)
        if refusal.codes & set(call.spec.gone):
            raise Gone(call.name)
        if isinstance(error, Unavailable):
            return error
        raise error

    def _pause(self, failure: ReadError, asked_wait: float) -> None:
        if isinstance(failure, Denied):
            return  # there are new credentials
        limits = self._requester.api.limits
        longest = min(limits.backoff_s * 2.0 ** (self._made - 1), limits.longest_backoff_s)
        # Full jitter, so that what failed together does not come again together.
        self._turn(max(asked_wait, random.uniform(0, longest)), failure)  # noqa: S311

    def _turn(self, seconds: float, failure: ReadError | None = None) -> None:
        """Wait for *seconds*. Raises at once when the run would be over before: *failure*, or that it is throttled."""
        left = self._reading.deadline - self._reading.clock.monotonic()
        self._reading.check()
        if seconds > left:
            raise failure or Throttled(
                f"{self._call.name}: its turn is in {seconds:.0f} s, after the run's limit",
                hint="The source's quota is used up, or `requests_per_second` is too low for what is read.",
            )
        self._reading.wait(seconds)

    def _named(self, error: ReadError) -> ReadError:
        return type(error)(f"{self._call.name}: {error.message}", hint=error.hint())

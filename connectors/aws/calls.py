"""One request at a time: waiting for its turn, counting it, naming what went wrong, following its pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from collector.clock import Clock
from collector.connector import Reading
from collector.errors import Invalid, NotEnabled, Throttled, Truncated
from collector.model import Json
from collector.procedure import Batch
from collector.procedures.buckets import Buckets
from collector.procedures.decode import decode
from collector.procedures.ready import Absent, Gone, cut_off
from collector.procedures.values import Values, place
from connectors.aws.clients import Clients
from connectors.aws.errors import as_read_error, clean, code_of, date_of, matches, refused_part
from connectors.aws.model import Operation
from connectors.aws.params import parameters
from connectors.aws.prepare import Ready

MOST_PAGES = 10_000


@dataclass(frozen=True)
class Requester:
    """Makes the requests of one source; safe to use from many threads."""

    source: str
    clients: Clients
    buckets: Buckets
    rates: Mapping[str, float]
    clock: Clock

    def parameters(
        self, call: Ready, values: Values, item: Json = None, ids: list[Json] | None = None
    ) -> dict[str, Json]:
        """See `collector.procedures.ready.Asking.parameters`."""
        params = parameters(call, values, item)
        if ids is not None and isinstance(call.spec, Batch):
            place(params, call.spec.ids, ids)
        return params

    def request(
        self, operation: Operation, params: dict[str, Json], region: str, reading: Reading, spec: Ready | None = None
    ) -> dict[str, Any]:
        """Return AWS's answer, without its metadata, which the ledger of *reading* has.

        Raises a `ReadError`, `Absent` or `Gone` for a code that *spec* declares, the unforeseen as botocore raises it.
        """
        bucket = self.buckets.of(self.source, region, operation.service, self.rates, self.clock.monotonic())
        reading.wait(bucket.take(self.clock.monotonic()))
        action = spec.action if spec else operation.action
        try:
            client = self.clients.client(operation.service, region)
            answer: dict[str, Any] = getattr(client, xform_name(operation.model.name))(**params)
        except ClientError as error:
            # A refused AssumeRole comes out of whichever call needed the credentials; it is no answer of this one.
            if error.operation_name == operation.model.name:
                self._count(operation, error.response, reading, page=False)
            if spec is not None:
                _declared(error, spec)
            reason = as_read_error(error, operation.name, action, self.clock)
            if isinstance(reason, Throttled):
                bucket.throttled(self.clock.monotonic())
            if reason is None:
                raise
            raise reason from error
        except Exception as error:
            reason = self.clients.not_offered(error, operation.service, region)
            reason = reason or as_read_error(error, operation.name, action, self.clock)
            if reason is None:
                raise
            raise reason from error
        retries = self._count(operation, answer, reading, page=True)
        if retries:
            bucket.take(self.clock.monotonic(), retries)
        answer.pop("ResponseMetadata", None)
        refused = refused_part(answer, operation.name, action)
        if refused is not None:
            raise refused
        return answer

    def pages(self, ready: Ready, params: dict[str, Json], region: str, reading: Reading) -> Iterator[dict[str, Any]]:
        """Yield every page; ends only when the source says so, or after one page of a sample.

        Raises `Truncated` when a token comes again, more is announced without a token, or pages do not end.
        """
        seen: set[tuple[Json, ...]] = set()
        for _ in range(MOST_PAGES):
            try:
                answer = self.request(ready.operation, params, region, reading, ready)
            except (Absent, Gone) as error:
                if seen:
                    reading.calls.undrained(ready.name)
                    raise cut_off(ready.name) from error
                raise
            token = self._next(ready, answer, reading)
            if token is not None and reading.sample:
                reading.calls.undrained(ready.name)
                token = None
            if token is not None and token in seen:
                raise self._truncated(ready, reading, "gave a continuation token a second time")
            yield answer
            if token is None:
                return
            seen.add(token)
            assert ready.operation.paging is not None
            names = ready.operation.paging.tokens_in
            params = {name: value for name, value in params.items() if name not in names}
            params.update({name: each for name, each in zip(names, token, strict=True) if each})
        raise self._truncated(ready, reading, f"did not end after {MOST_PAGES} pages")

    def items(
        self, ready: Ready, params: dict[str, Json], region: str, reading: Reading
    ) -> Iterator[tuple[Json, Json]]:
        """Yield every item with the page it came in. Raises as `pages` does, and `Invalid` for a page without list."""
        assert ready.items is not None
        for page in self.pages(ready, params, region, reading):
            found = ready.items.search(page)
            if ready.spec.decode:
                found = _decoded(found, ready)
            if found is None and not any(token.search(page) for token in ready.tokens):
                raise Invalid(f"{ready.name} gave no {ready.items.text}, not even an empty one")
            if not isinstance(found, list | None):
                raise Invalid(f"{ready.name}: {ready.items.text} is no list but {type(found).__name__}")
            reading.calls.listed(ready.name, len(found or ()))
            for item in found or ():
                yield item, page

    def single(self, ready: Ready, params: dict[str, Json], region: str, reading: Reading) -> dict[str, Any]:
        """Return the one answer of a call that is not a listing. Raises `Truncated` when it offers more."""
        answer = self.request(ready.operation, params, region, reading, ready)
        paging = ready.operation.paging
        if paging and any(answer.get(name) for name in paging.tokens_out):
            raise self._truncated(ready, reading, "offers more than one answer holds; declare `items`")
        return answer

    def _next(self, ready: Ready, answer: dict[str, Any], reading: Reading) -> tuple[Json, ...] | None:
        token = tuple(expression.search(answer) or None for expression in ready.tokens)
        more = ready.more.search(answer) if ready.more else None
        if more is False:
            return None
        if any(token):
            return token
        if more:
            raise self._truncated(ready, reading, "says that there is more but not how to get it")
        return None

    def _truncated(self, ready: Ready, reading: Reading, what: str) -> Truncated:
        reading.calls.undrained(ready.name)
        return Truncated(f"{ready.name} {what}: the list is not complete")

    def _count(self, operation: Operation, answer: Mapping[str, Any], reading: Reading, *, page: bool) -> int:
        metadata = answer.get("ResponseMetadata", {})
        retries = int(metadata.get("RetryAttempts", 0))
        reading.calls.answered(
            operation.name,
            request_id=str(metadata.get("RequestId") or ""),
            date=date_of(answer),
            retries=retries,
            page=page,
        )
        return retries


def _declared(error: ClientError, ready: Ready) -> None:
    spec = ready.spec
    if matches(error, spec.not_enabled):
        message = clean(str(error.response.get("Error", {}).get("Message", "")))
        raise NotEnabled(
            f"{ready.name}: {code_of(error)}: {message}", hint="Enable it, or exclude the kind."
        ) from error
    if matches(error, spec.absent):
        raise Absent(code_of(error)) from error
    if matches(error, spec.gone):
        raise Gone(code_of(error)) from error


def _decoded(value: Json, ready: Ready) -> list[Json]:
    try:
        return decode(value, str(ready.spec.decode))
    except ValueError as error:
        raise Invalid(f"{ready.name} gave no {ready.spec.decode}: {error}") from error

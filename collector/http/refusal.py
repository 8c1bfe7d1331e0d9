"""An answer that is not the one asked for, as a reason: who must act, in the source's own words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from collector.errors import (
    ConfigError,
    Denied,
    Invalid,
    Misconfigured,
    NotEnabled,
    ReadError,
    Throttled,
    Unavailable,
)
from collector.http.api import Api, RateHeaders
from collector.http.body import NotJson, parsed
from collector.http.prepare import Ready
from collector.http.transport import Answer
from collector.model import Json
from collector.procedures.expressions import expression
from collector.redact import scrub

LONGEST_MESSAGE = 600
NOT_THE_SOURCE = "What answered does not speak as the source does; see what is between here and the source."
_NEXT_SLOT = "The next slot tries again."
_HINTS: dict[type[ReadError], str] = {
    Throttled: "The next slot tries again; lower `requests_per_second` of the source if it happens often.",
    NotEnabled: "Enable it at the source, or exclude the kind.",
    Misconfigured: "Renew or correct the source's credentials or settings.",
    Unavailable: _NEXT_SLOT,
    Invalid: NOT_THE_SOURCE,
}
_SAID: dict[type[ReadError], str] = {
    Throttled: "was throttled",
    NotEnabled: "says it is not in use",
    Misconfigured: "refused the credentials",
    Unavailable: "failed at the source",
    Invalid: "was refused",
}
_BY_STATUS: dict[int, type[ReadError]] = {
    HTTPStatus.UNAUTHORIZED: Denied,
    HTTPStatus.FORBIDDEN: Denied,
    HTTPStatus.REQUEST_TIMEOUT: Unavailable,
    HTTPStatus.ACCEPTED: Unavailable,
    HTTPStatus.TOO_MANY_REQUESTS: Throttled,
}


def refuses(document: Json, call: Ready, api: Api) -> bool:
    """Return whether *document*, of a good status, says that the call failed, in part or as a whole.

    Any error of GraphQL does: what it left out would look like nothing.
    """
    if call.is_file:
        return False
    if call.operation.graphql:
        return not isinstance(document, dict) or bool(document.get("errors")) or document.get("data") is None
    return bool(api.errors.failed) and bool(expression(api.errors.failed).search(document))


class Refusal:
    """One error answer: its *codes* (the status among them), its *message*, and the *reason* it amounts to."""

    def __init__(self, answer: Answer, api: Api) -> None:
        body = _body(answer)
        self.codes: set[str | int] = {answer.status, *_found(body, api.errors.codes)} - {HTTPStatus.OK}
        self.message = clean("; ".join(dict.fromkeys(str(each) for each in _found(body, api.errors.messages))))
        self.reason = _reason(answer, self.codes, self.message, api)

    def error(self, call: Ready, principal: str) -> ReadError:
        """Return the error for *call*: what happened, and what to do; *principal* is who lacks a permission."""
        text = clean(" ".join(str(code) for code in sorted(self.codes, key=str)))
        words = f"{text}: {self.message}" if self.message else text
        if self.reason is Denied:
            needs = " or ".join(call.grants)
            hint = f"Grant {needs} to {principal or 'the principal'}." if needs else ""
            needed = f", it needs {needs}" if needs else ""
            return Denied(f"{call.name} was denied{needed}: {words}", hint=hint)
        return self.reason(f"{call.name} {_SAID[self.reason]}: {words}", hint=_HINTS[self.reason])


def _body(answer: Answer) -> Json:
    try:
        return parsed(answer.body, answer.headers.get("content-type", ""))
    except NotJson:
        return None  # an error page; its status is what it says


def _found(body: Json, expressions: Iterable[str]) -> list[str | int]:
    found: list[str | int] = []
    for text in expressions:
        try:
            value = expression(text).search(body)
        except (Invalid, ConfigError):
            continue
        several = value if isinstance(value, list) else [value]
        found += [each for each in several if isinstance(each, str | int) and not isinstance(each, bool) and each != ""]
    return found


def _reason(answer: Answer, codes: set[str | int], message: str, api: Api) -> type[ReadError]:
    errors = api.errors
    if answer.status == HTTPStatus.FORBIDDEN and _limited(answer, message, api):
        return Throttled
    declared: tuple[tuple[list[str | int], type[ReadError]], ...] = (
        (errors.throttled, Throttled),
        (errors.not_enabled, NotEnabled),
        (errors.misconfigured, Misconfigured),
        (errors.denied, Denied),
        (errors.unavailable, Unavailable),
        (errors.invalid, Invalid),
    )
    # Words before statuses: 403 may mean denied while SERVICE_DISABLED, which comes with it, means something else.
    for kind in (str, int):
        for meant, reason in declared:
            if codes & {each for each in meant if isinstance(each, kind)}:
                return reason
    if answer.status in _BY_STATUS:
        return _BY_STATUS[HTTPStatus(answer.status)]
    return Unavailable if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Invalid


def _limited(answer: Answer, message: str, api: Api) -> bool:
    if "retry-after" in answer.headers or answer.headers.get(api.rate.remaining.lower()) == "0":
        return True
    return any(words.lower() in message.lower() for words in api.errors.throttled_messages)


def wait_asked(answer: Answer, rate: RateHeaders, now: datetime) -> float:
    """Return for how many seconds the source wants no request: Retry-After (RFC 9110 section 10.2.3), else its reset.

    0 when it says nothing. *now* is UTC. A header that cannot be read says nothing.
    """
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    if asked:
        at = date_of(asked)
        return max(0.0, (at - now).total_seconds()) if at else 0.0
    if not rate.remaining or answer.headers.get(rate.remaining.lower(), "").strip() not in ("0", "0.0"):
        return 0.0
    try:
        reset = float(answer.headers.get(rate.reset.lower(), ""))
    except ValueError:
        return 0.0
    if rate.form == "seconds":
        return max(0.0, reset)
    return max(0.0, reset / (1000 if rate.form == "epoch_ms" else 1) - now.timestamp())


def date_of(text: str) -> datetime | None:
    """Return the instant that an HTTP date names (UTC), or None when it cannot be read."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def clean(text: str) -> str:
    """Return the source's words fit to be shown and stored: one line, bounded, without secrets."""
    text = scrub(" ".join(text.split()))
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"

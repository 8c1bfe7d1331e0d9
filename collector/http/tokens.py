"""Tokens that end: kept, renewed before they do, and fetched from an OAuth 2.0 token endpoint (RFC 6749)."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlencode

from collector.clock import Clock
from collector.connector import Reading
from collector.errors import Denied, Misconfigured, ReadError, Throttled, Unavailable
from collector.http.auth import Request
from collector.http.body import NotJson, parsed
from collector.http.refusal import clean
from collector.http.transport import Transport
from collector.model import Json

_EARLY_S = 120.0  # renewed so long before its end
_LONGEST_ANSWER = 1024 * 1024
_LIMIT_S = 60.0
_FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Token:
    """A bearer token and for how many seconds from now it is good."""

    value: str
    seconds: float

    def __repr__(self) -> str:
        return f"Token(..., seconds={self.seconds})"


class RenewedToken:
    """An `Authorizer` for a token that *fetch* gets anew: before it ends, and once after a 401. Threads share it.

    *fetch* raises a `ReadError` or a `ConfigError`.
    """

    def __init__(self, fetch: Callable[[], Token], clock: Clock, scheme: str = "Bearer") -> None:
        self._fetch = fetch
        self._clock = clock
        self._scheme = scheme
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def apply(self, request: Request) -> None:
        """See `Authorizer.apply`."""
        with self._lock:
            if not self._token or self._clock.monotonic() >= self._ends:
                self._renew()
            request.headers["authorization"] = f"{self._scheme} {self._token}"

    def refresh(self) -> bool:
        """See `Authorizer.refresh`."""
        with self._lock:
            self._renew()
            return True

    def _renew(self) -> None:
        token = self._fetch()
        self._token = token.value
        self._ends = self._clock.monotonic() + max(token.seconds - _EARLY_S, token.seconds / 2)


class TokenEndpoint:
    """The token endpoint at *url*, asked with forms. Its answers are never quoted beyond their error code."""

    def __init__(self, url: str, clock: Clock, user_agent: str = "evidenced") -> None:
        self._url = url
        self._clock = clock
        self._transport = Transport(user_agent, 1, 10, 30)

    def fetch(self, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Token:
        """Return the token for *form* (``grant_type`` and what belongs to it).

        Raises `Misconfigured` when it refuses, `Unavailable` or `Throttled` when it cannot answer now.
        """
        return _token(self.post({**_FORM, **(headers or {})}, urlencode(form).encode()))

    def post(self, headers: Mapping[str, str], body: bytes = b"") -> Json:
        """Return what the endpoint answers to *body*: for endpoints that are asked and answer in a way of their own.

        Raises as `fetch` does. The answer may be anything but an error, null when it is no JSON.
        """
        request = Request("POST", self._url, "token", "", dict(headers), body)
        reading = Reading(self._clock, self._clock.monotonic() + _LIMIT_S)
        try:
            answer = self._transport.exchange(request, reading, _LONGEST_ANSWER)
        except ReadError as error:
            raise type(error)(f"the token endpoint: {error.message}", hint=error.hint()) from error
        try:
            document = parsed(answer.body, answer.headers.get("content-type", ""))
        except NotJson:
            document = None
        if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            raise _refused(answer.status, document)
        return document


def client_credentials(
    endpoint: TokenEndpoint, client_id: str, secret: Callable[[], str], scope: str, *, in_body: bool
) -> Callable[[], Token]:
    """Return what fetches tokens by the client credentials grant (RFC 6749 section 4.4), the secret read each time.

    The client is named in a Basic header, or *in_body* for endpoints that want it so (section 2.3.1).
    """

    def fetch() -> Token:
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        if in_body:
            return endpoint.fetch({**form, "client_id": client_id, "client_secret": secret()})
        pair = f"{quote(client_id, safe='')}:{quote(secret(), safe='')}"
        return endpoint.fetch(form, {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})

    return fetch


def _refused(status: int, document: Json) -> ReadError:
    code = document.get("error") if isinstance(document, dict) else None
    words = clean(f"{status} {code}" if isinstance(code, str) else str(status))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(f"the token endpoint was asked too often: {words}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"the token endpoint failed: {words}", hint="The next slot tries again.")
    if code in ("access_denied", "invalid_scope", "unauthorized_client"):
        return Denied(f"the token endpoint denied the token: {words}", hint="Allow the client the scopes it asks for.")
    return Misconfigured(
        f"the token endpoint refused the credentials: {words}", hint="Renew or correct the source's credentials."
    )


def _token(document: Json) -> Token:
    value = document.get("access_token") if isinstance(document, dict) else None
    seconds = document.get("expires_in", 300) if isinstance(document, dict) else 0
    if not isinstance(value, str) or not value:
        raise Misconfigured("the token endpoint gave no token", hint="See that its address is the token endpoint's.")
    try:
        return Token(value, float(seconds))
    except (TypeError, ValueError):
        return Token(value, 300.0)

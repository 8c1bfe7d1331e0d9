"""A GitHub App's credentials: a JWT for the App itself, the token of its installation in each organisation."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from collector.clock import Clock
from collector.errors import Misconfigured
from collector.http import RenewedToken, Request, Token, TokenEndpoint, signed
from collector.secrets import resolve_secret

# GitHub takes no JWT that is good for more than ten minutes, and none from the future: clocks differ.
_BACK_S, _AHEAD_S = 60, 540
_INSTALLATION_S = 3600.0


class AppCredentials:
    """See `collector.http.Authorizer`: requests outside any organisation are the App's own (``GET /app``).

    The key is read anew for each JWT: its file may have been rotated. Installations must be made known by `installed`
    before anything is asked in their organisations.
    """

    def __init__(self, app_id: str, private_key: str, base: str, headers: Mapping[str, str], clock: Clock) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._base = base
        self._headers = headers
        self._clock = clock
        self._app = RenewedToken(self._assertion, clock)
        self._lock = threading.Lock()
        self._installations: dict[str, int] = {}
        self._tokens: dict[str, RenewedToken] = {}

    def installed(self, installations: Mapping[str, int]) -> None:
        """Make the *installations* known: organisation -> installation id."""
        with self._lock:
            self._installations.update(installations)

    def apply(self, request: Request) -> None:
        """See `collector.http.Authorizer.apply`."""
        (self._of(request.scope) if request.scope else self._app).apply(request)

    def refresh(self) -> bool:
        """Forget every token; each organisation's is fetched again at its next request."""
        with self._lock:
            self._tokens.clear()
        return self._app.refresh()

    def _of(self, org: str) -> RenewedToken:
        with self._lock:
            if org not in self._installations:
                raise Misconfigured(f"the App is not installed in {org}", hint="Install it, or leave the scope out.")
            if org not in self._tokens:
                self._tokens[org] = RenewedToken(partial(self._fetch, self._installations[org]), self._clock)
            return self._tokens[org]

    def _assertion(self) -> Token:
        now = int(self._clock.now().timestamp())
        claims = {"iss": self._app_id, "iat": now - _BACK_S, "exp": now + _AHEAD_S}
        return Token(signed(claims, resolve_secret(self._private_key)), _AHEAD_S)

    def _fetch(self, installation: int) -> Token:
        request = Request("POST", "", "main", "", dict(self._headers))
        self._app.apply(request)
        endpoint = TokenEndpoint(f"{self._base}/app/installations/{installation}/access_tokens", self._clock)
        answer = endpoint.post(request.headers)
        value = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(value, str) or not value:
            raise Misconfigured("GitHub gave no token for the installation", hint="See that `server` is GitHub's.")
        return Token(value, self._seconds_until(answer.get("expires_at")))

    def _seconds_until(self, end: object) -> float:
        try:
            ends = datetime.fromisoformat(str(end)).astimezone(UTC)
        except ValueError:
            return _INSTALLATION_S
        return (ends - self._clock.now()).total_seconds()

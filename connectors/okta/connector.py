"""The Okta connector: see `collector.connector.Connector`. The API is https://developer.okta.com/docs/api."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collector.clock import Clock
from collector.http import (
    Api,
    Authorizer,
    Errors,
    HttpConnector,
    HttpSession,
    Opening,
    RateHeaders,
    RenewedToken,
    SecretHeaders,
    Token,
    TokenEndpoint,
    signed,
)
from collector.http.api import MAIN, addresses
from collector.http.assertion import unique
from collector.model import Json, Principal, Scope
from collector.procedure import Paging
from collector.secrets import resolve_secret
from connectors.okta.settings import OktaSettings

ORG = "org"
_TOKEN_PATH = "/oauth2/v1/token"  # noqa: S105
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_S = 300

API = Api(
    # The system log has a quota of its own, a fifth of that of users: another name, another token bucket.
    hosts={MAIN: "https://{domain}", "logs": "https://{domain}"},
    rates={MAIN: 4.0, "logs": 0.8},
    paging=Paging(style="link"),
    errors=Errors(codes=["errorCode"], messages=["errorSummary"], denied=["E0000006"], throttled=["E0000047"]),
    rate=RateHeaders(remaining="x-rate-limit-remaining", reset="x-rate-limit-reset", form="epoch_s"),
    request_id=["x-okta-request-id"],
)


class OktaConnector(HttpConnector):
    """Reads one Okta organisation a source."""

    name = "okta"
    settings = OktaSettings
    level_names = (ORG,)
    folder = Path(__file__).resolve().parent
    api = API

    def authorizer(self, settings: OktaSettings, clock: Clock) -> Authorizer:
        """Return what sends the API token, or the access token of a service app (RFC 7523 client assertion)."""
        if settings.token:
            return SecretHeaders({"token": settings.token}, lambda known: {"authorization": f"SSWS {known['token']}"})
        scopes = " ".join(sorted({grant for kind in self.kinds().values() for grant in self.grants(kind)}))
        return RenewedToken(_Assertion(settings, clock, scopes).fetch, clock)

    def session(self, opening: Opening) -> HttpSession:
        """Return a session; who we are is asked at its first use."""
        return OktaSession(opening)

    def documents(self, grants: Sequence[str]) -> list[Json]:
        """Return what a service app is granted, and which role a token's owner needs instead."""
        return [{"service_app": {"scopes": list(grants)}, "api_token": {"role": "READ_ONLY_ADMIN"}}]


class OktaSession(HttpSession):
    """One organisation, which is one scope."""

    settings: OktaSettings

    def identify(self) -> Principal:
        """Return the token's owner by id, or the service app, in the organisation that the domain says it is.

        `GET /.well-known/okta-organization` needs no permission and has the organisation's own id; a domain can be
        given to another. A service app is who asked for the token: Okta has no call that says it again.
        """
        org = self.ask("GET /.well-known/okta-organization")
        owner = self.settings.client_id or self.ask("GET /api/v1/users/me")
        return Principal(str(owner["id"] if isinstance(owner, dict) else owner), str(org["id"]))

    def find_scopes(self) -> list[Scope]:
        """Return the organisation by its domain."""
        return [Scope(self.settings.domain, ORG)]


class _Assertion:
    """Fetches access tokens for a service app: client credentials, the client proven by a signed JWT."""

    def __init__(self, settings: OktaSettings, clock: Clock, scopes: str) -> None:
        self._settings = settings
        self._clock = clock
        self._scopes = scopes
        self._url = addresses(API, settings)[MAIN] + _TOKEN_PATH
        self._endpoint = TokenEndpoint(self._url, clock)

    def fetch(self) -> Token:
        """Return a new token. The key is read anew each time: its file may have been rotated."""
        client, now = self._settings.client_id, self._clock.now().timestamp()
        claims: dict[str, Json] = {
            "iss": client,
            "sub": client,
            "aud": self._url,
            "iat": int(now),
            "exp": int(now) + _ASSERTION_S,
            "jti": unique(client, now),
        }
        form = {
            "grant_type": "client_credentials",
            "scope": self._scopes,
            "client_assertion_type": _ASSERTION,
            "client_assertion": signed(
                claims, resolve_secret(self._settings.private_key), {"kid": self._settings.key_id}
            ),
        }
        return self._endpoint.fetch(form)

"""The authorizer of a connector that is one TOML file, made of what it declares and a source's settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from collector.clock import Clock
from collector.errors import Misconfigured
from collector.http.api import addresses
from collector.http.assertion import signed
from collector.http.auth import Authorizer, Unauthenticated, basic, bearer, header_keys
from collector.http.declaration import Auth, Declaration
from collector.http.declared_settings import plain, written
from collector.http.tokens import RenewedToken, Token, TokenEndpoint, client_credentials
from collector.secrets import resolve_secret

_ASSERTION_S = 300
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def authorizer(declared: Declaration, settings: Any, clock: Clock) -> Authorizer:
    """Return what puts the credentials of *settings* on requests as *declared* says. Raises `ConfigError`."""
    auth, own = declared.auth, plain(declared, settings)
    if auth.scheme == "none":
        return Unauthenticated()
    if auth.scheme == "headers":
        return header_keys({header: getattr(settings, name) for header, name in auth.headers.items()})
    reference = getattr(settings, auth.secret)
    if auth.scheme == "bearer":
        return bearer(reference, auth.prefix)
    if auth.scheme == "basic":
        return basic(written(auth.user, own), reference)
    host, _, path = auth.token.partition(":")
    endpoint = TokenEndpoint(addresses(declared.api, settings)[host] + path, clock)
    scope = written(auth.scope, own)
    if auth.scheme == "client_credentials":
        client = written(auth.client_id, own)
        fetch = client_credentials(endpoint, client, lambda: resolve_secret(reference), scope, in_body=auth.in_body)
    else:
        fetch = _jwt_bearer(endpoint, auth, own, reference, clock)
    return RenewedToken(fetch, clock)


def _jwt_bearer(
    endpoint: TokenEndpoint, auth: Auth, own: Mapping[str, str], reference: str, clock: Clock
) -> Callable[[], Token]:
    def fetch() -> Token:
        key = _key(resolve_secret(reference))
        known = {**own, **key}
        now = int(clock.now().timestamp())
        claims = {"iss": written(auth.issuer, known), "aud": auth.audience, "iat": now, "exp": now + _ASSERTION_S}
        claims |= {"sub": written(auth.subject, own)} if auth.subject else {}
        claims |= {"scope": written(auth.scope, own)} if auth.scope else {}
        return endpoint.fetch({"grant_type": _JWT_BEARER, "assertion": signed(claims, key["private_key"])})

    return fetch


def _key(secret: str) -> dict[str, str]:
    """Return the texts of a key file in JSON, or a bare PEM as ``private_key``. Raises `Misconfigured` for neither."""
    if not secret.lstrip().startswith("{"):
        return {"private_key": secret}
    try:
        document = json.loads(secret)
    except ValueError:
        document = {}
    if not isinstance(document.get("private_key"), str):
        raise Misconfigured("the key file holds no `private_key`", hint="Download it again, as JSON.")
    return {name: value for name, value in document.items() if isinstance(value, str)}

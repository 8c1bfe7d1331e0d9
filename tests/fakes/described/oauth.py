"""Token endpoints and signed assertions (RFC 6749, RFC 7523), judged by google-auth, which we did not write."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from tests.fakes.listener import Http, Reply

if TYPE_CHECKING:
    from tests.fakes.described.server import Fake

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Judge = Callable[[dict[str, str]], str]
"""Returns what is wrong with a token request's form; empty when nothing is."""


def wrong_with(token: str, public_key: str, **claims: str) -> str:
    """Return what is wrong with the RS256-signed *token*: signature, times, or one of *claims*; empty when nothing."""
    try:
        said = jwt.decode(token, certs=public_key)  # type: ignore[no-untyped-call]
    except (ValueError, GoogleAuthError) as error:
        return str(error)
    wrong = [
        f"{name} is {said.get(name)!r}, not {value!r}" for name, value in claims.items() if said.get(name) != value
    ]
    return ", ".join(wrong)


def assertion(public_key: str, **claims: str) -> Judge:
    """Judge the grant of RFC 7523, section 2.1 (Google's service accounts)."""

    def judge(form: dict[str, str]) -> str:
        if form.get("grant_type") != JWT_BEARER:
            return f"grant_type is {form.get('grant_type')!r}, not {JWT_BEARER}"
        return wrong_with(form.get("assertion", ""), public_key, **claims)

    return judge


def client_assertion(public_key: str, scope: str, **claims: str) -> Judge:
    """Judge client credentials that are proven by RFC 7523, section 2.2 (Okta's private-key JWT); exactly *scope*."""

    def judge(form: dict[str, str]) -> str:
        said = {"grant_type": "client_credentials", "client_assertion_type": CLIENT_ASSERTION, "scope": scope}
        wrong = [
            f"{name} is {form.get(name)!r}, not {value!r}" for name, value in said.items() if form.get(name) != value
        ]
        return "; ".join(wrong) or wrong_with(form.get("client_assertion", ""), public_key, **claims)

    return judge


def token_endpoint(fake: Fake, path: str, judge: Judge, *, expires_in: int = 3600) -> None:
    """Let *fake* give tokens at *path* for requests that *judge* finds nothing wrong with; others are violations."""

    def answer(http: Http) -> Reply:
        wrong = judge(dict(parse_qsl(http.body.decode())))
        if wrong:
            fake.violations.append(f"POST {path}: {wrong}")
            return _reply(400, {"error": "invalid_grant", "error_description": wrong})
        return _reply(200, {"access_token": fake.token(), "token_type": "Bearer", "expires_in": expires_in})

    fake.route("POST", path, answer)


def _reply(status: int, body: object) -> Reply:
    return Reply(status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(body).encode())

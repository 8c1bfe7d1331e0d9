"""Token endpoints give tokens for well-signed assertions only; google-auth makes and judges them."""

from __future__ import annotations

import time

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.service_account import Credentials

from tests.fakes.described import described
from tests.fakes.described.oauth import CLIENT_ASSERTION, assertion, client_assertion, token_endpoint, wrong_with
from tests.fakes.described.vendors import GCP, GITHUB, OKTA

_EMAIL = "collector@acme.iam.gserviceaccount.com"
_SEARCH = "cloudresourcemanager.v3:projects.search"
_SCOPE = "okta.users.read okta.logs.read"


@pytest.fixture(scope="module")
def keys():
    """Private and public key in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), key.public_key().public_bytes(pem, kind).decode()


def _signed(private, **claims):
    now = int(time.time())
    signer = crypt.RSASigner.from_string(private)
    return jwt.encode(signer, {"iat": now, "exp": now + 600} | claims).decode()


def test_googles_own_client_gets_a_token_for_its_service_account_and_another_when_it_is_over(keys):
    with described(GCP) as gcp:
        gcp.put(_SEARCH, items=[])
        token_endpoint(gcp, "/token", assertion(keys[1], iss=_EMAIL, aud="https://oauth2.googleapis.com/token"))
        account = {"client_email": _EMAIL, "private_key": keys[0], "token_uri": f"{gcp.url}/token"}
        credentials = Credentials.from_service_account_info(account, scopes=["https://example.com/scope"])
        session = AuthorizedSession(credentials)
        url = f"{gcp.url}/cloudresourcemanager/v3/projects:search"
        assert session.get(url).status_code == 200
        gcp.expire()
        assert session.get(url).status_code == 200
        assert gcp.calls == {_SEARCH: 3}


def test_okta_gives_a_token_for_a_private_key_jwt_with_exactly_the_scopes(keys):
    with described(OKTA) as okta:
        okta.put("GET /api/v1/users", items=[])
        where = f"{okta.url}/oauth2/v1/token"
        token_endpoint(okta, "/oauth2/v1/token", client_assertion(keys[1], _SCOPE, iss="0oa1", sub="0oa1", aud=where))
        form = {
            "grant_type": "client_credentials",
            "scope": _SCOPE,
            "client_assertion_type": CLIENT_ASSERTION,
            "client_assertion": _signed(keys[0], iss="0oa1", sub="0oa1", aud=where),
        }
        token = requests.post(where, data=form, timeout=10).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{okta.url}/api/v1/users", headers=bearer, timeout=10).status_code == 200
        refused = requests.post(where, data=form | {"scope": "okta.users.manage"}, timeout=10)
        assert refused.json()["error"] == "invalid_grant"
        assert "scope is 'okta.users.manage'" in okta.violations.pop()


def test_github_takes_the_apps_own_jwt_where_it_is_trusted(keys):
    operation = "POST /app/installations/{installation_id}/access_tokens"
    with described(GITHUB) as github:
        github.tokens.trusted = lambda token: not wrong_with(token, keys[1], iss="42")
        expiry = "2026-01-01T00:00:00Z"
        github.put(operation, installation_id="7", answer=lambda _: {"token": github.token(), "expires_at": expiry})
        github.put("GET /orgs/{org}/repos", items=[])
        url = f"{github.url}/app/installations/7/access_tokens"
        signed = {"Authorization": f"Bearer {_signed(keys[0], iss='42')}"}
        token = requests.post(url, headers=signed, timeout=10).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{github.url}/orgs/acme/repos", headers=bearer, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"iss": "someone"}, "iss is 'someone', not 'me'"),
        ({"iss": "me", "exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200}, "expired"),
        ({"iss": "me", "iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200}, "too early"),
    ],
)
def test_an_assertion_is_refused_for_its_claims(keys, claims, problem):
    assert problem in wrong_with(_signed(keys[0], **claims), keys[1], iss="me")


def test_an_assertion_of_another_key_is_refused(keys):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert "signature" in wrong_with(_signed(other.decode(), iss="me"), keys[1], iss="me")

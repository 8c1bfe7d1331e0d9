"""The OpenID provider: sends people there, and takes from what they bring back who they are.

Authorization code with PKCE (RFC 7636), state and nonce. Of an ID token are checked (OpenID Connect Core 3.1.3.7): the
signature, by a key of the provider's and an asymmetric algorithm; iss, aud, azp, exp, iat, nonce, a minute either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from collector.clock import Clock
from collector.config_web import OidcSettings, folded, is_loopback
from collector.errors import EvidencedError
from collector.gate.sessions import Account
from collector.gate.visit import SignedOut
from collector.model import Json

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
LEEWAY = 60
_TIMEOUT = 10
_KEPT = 3600.0
_KEYS_AGAIN = 60.0
_LONGEST_EMAIL = 254
_OK = 200


class Refused(SignedOut):
    """What came back from the provider does not say, as it must, who somebody is. The reason is for our log alone."""


class Away(EvidencedError):
    """The provider cannot be asked, or does not answer as one."""

    default_hint = "Try again; if it stays so, look at the provider, and at web.oidc.issuer."


@dataclass(frozen=True, slots=True)
class Errand:
    """One way to the provider and back: what was asked for, to hold the answer against. *then* is a path of ours."""

    nonce: str
    verifier: str
    redirect_uri: str
    then: str


class Provider:
    """The provider that *settings* name. Thread-safe; what it publishes is asked for once an hour.

    *groups* says whether it matters which groups somebody is in.
    """

    def __init__(self, settings: OidcSettings, client_secret: str, clock: Clock, *, groups: bool) -> None:
        self._settings = settings
        self._wanted = {"email", settings.groups_claim} if groups else {"email"}
        self._secret = client_secret
        self._clock = clock
        self._published: dict[str, tuple[float, dict[str, Json]]] = {}

    def address(self, errand: Errand, state: str) -> str:
        """Return the URL at the provider that *errand* begins at. Raises `Away`."""
        url, _ = self._session(errand).create_authorization_url(
            self._endpoint("authorization_endpoint"),
            state=state,
            code_verifier=errand.verifier,
            nonce=errand.nonce,
        )
        return str(url)

    def account(self, errand: Errand, code: str, issuer: str = "") -> Account:
        """Return who came back with *code*; *issuer* is what the answer says of itself (RFC 9207), if it does.

        Raises `Refused`, or `Away`.
        """
        if issuer and issuer != self._settings.issuer:
            raise Refused("the answer is another issuer's")
        session = self._session(errand)
        with _asking("token endpoint"):
            try:
                tokens = session.fetch_token(
                    self._endpoint("token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=errand.verifier,
                    allow_redirects=False,
                )
            except AuthlibBaseError as error:
                raise Refused(f"the provider does not take the code: {error.error}") from error
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise Refused("the provider gave no ID token")
        claims = self._claims(token, errand.nonce)
        more = {} if self._wanted <= claims.keys() else self._userinfo(session, claims["sub"])
        return self._account({**more, **claims})

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of the ID token *token*. Raises `Refused` for one that is not the provider's for us."""
        try:
            claims = self._decoded(token).claims
            jwt.JWTClaimsRegistry(
                now=int(self._clock.now().timestamp()),
                leeway=LEEWAY,
                iss={"essential": True, "value": self._settings.issuer},
                aud={"essential": True, "value": self._settings.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise Refused(f"the ID token is not good: {error}") from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._settings.client_id:
            raise Refused("the ID token was made for another client")
        return claims

    def _decoded(self, token: str) -> jwt.Token:
        """Return the token, its signature checked. A key that is not known yet is asked for, once a minute at most."""
        try:
            return jwt.decode(token, self._keys(_KEPT), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            return jwt.decode(token, self._keys(_KEYS_AGAIN), algorithms=ALGORITHMS)

    def _keys(self, kept: float) -> KeySet:
        found = self._get(self._endpoint("jwks_uri"), kept)
        return KeySet.import_key_set(found)  # type: ignore[arg-type]  # it checks what it is given

    def _account(self, claims: dict[str, Any]) -> Account:
        email = claims.get("email")
        if not isinstance(email, str) or not email.isprintable() or len(email) > _LONGEST_EMAIL or "@" not in email:
            raise Refused("the provider gives no e-mail address; ask for the scope email")
        if claims.get("email_verified", True) not in (True, "true"):
            raise Refused("the provider has not verified the e-mail address")
        groups = claims.get(self._settings.groups_claim, [])
        groups = groups if isinstance(groups, list) else [groups]
        return Account(folded(email), frozenset(each for each in groups if isinstance(each, str)))

    def _userinfo(self, session: OAuth2Session, subject: str) -> dict[str, Json]:
        """Return what the provider says of *subject* apart from the ID token (OpenID Connect Core 5.3)."""
        document = self._document()
        if "userinfo_endpoint" not in document:
            return {}
        with _asking("userinfo endpoint"):
            answer = session.get(self._endpoint("userinfo_endpoint"), allow_redirects=False)
            found = _json(answer)
        if found.get("sub") != subject:
            raise Refused("the provider speaks of somebody else than its ID token does")
        return found

    def _session(self, errand: Errand) -> OAuth2Session:
        return OAuth2Session(
            self._settings.client_id,
            self._secret,
            token_endpoint_auth_method=self._authentication(),
            scope=" ".join(self._settings.scopes),
            redirect_uri=errand.redirect_uri,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT,
        )

    def _authentication(self) -> str:
        if not self._secret:
            return "none"
        known = self._document().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"

    def _document(self) -> dict[str, Json]:
        """Return what the provider says of itself (OpenID Connect Discovery 4). Raises `Away`."""
        issuer = self._settings.issuer
        found = self._get(issuer.rstrip("/") + "/.well-known/openid-configuration", _KEPT)
        if found.get("issuer") != issuer:
            raise Away(f"the provider calls itself {found.get('issuer')!r}, and web.oidc.issuer is {issuer!r}")
        return found

    def _endpoint(self, name: str) -> str:
        url = self._document().get(name)
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if not parts.hostname or not (parts.scheme == "https" or is_loopback(parts.hostname)):
            raise Away(f"the provider gives no {name} that can be asked over TLS")
        return str(url)

    def _get(self, url: str, kept: float) -> dict[str, Json]:
        """Return the document at *url*, as it was at most *kept* seconds ago."""
        now = self._clock.monotonic()
        at, found = self._published.get(url, (None, {}))
        if at is None or now >= at + kept:
            with _asking(url):
                found = _json(requests.get(url, timeout=_TIMEOUT, allow_redirects=False))
            self._published[url] = (now, found)
        return found


def _json(answer: requests.Response) -> dict[str, Json]:
    if answer.status_code != _OK:
        raise Away(f"{answer.url} answers {answer.status_code}")
    found = answer.json()
    if not isinstance(found, dict):
        raise Away(f"{answer.url} answers with something else than an object")
    return found


@contextmanager
def _asking(what: str) -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        raise Away(f"the OpenID provider cannot be asked ({what}): {type(error).__name__}") from error

"""JWTs (RFC 7515, 7519): signed, to prove who a service is (RFC 7523), and the claims of one that was issued."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from collector.errors import Misconfigured
from collector.model import Json


def signed(claims: Mapping[str, Json], private_key: str, headers: Mapping[str, str] | None = None) -> str:
    """Return *claims* as a compact JWT signed by RS256 with the PEM *private_key*.

    Raises `Misconfigured` when that is no RSA key without passphrase; the message holds nothing of it.
    """
    try:
        key = serialization.load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Misconfigured("the private key is no RSA key in PEM without a passphrase", hint="Download it again.")
    head = _part({"alg": "RS256", "typ": "JWT", **(headers or {})})
    text = f"{head}.{_part(claims)}"
    return f"{text}.{_base64url(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def unique(text: str, at: float) -> str:
    """Return a token id (``jti``) that *text* has at the instant *at* alone."""
    return hashlib.sha256(f"{text} {at!r}".encode()).hexdigest()[:32]


def claims_of(token: str) -> dict[str, Json]:
    """Return what the JWT *token* says, its signature unchecked: who issued it was asked over TLS, or is this machine.

    Raises `Misconfigured` when it is no JWT; the message holds nothing of it.
    """
    part = f"{token}..".split(".")[1]
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Misconfigured("the access token is no JWT, so whose it is cannot be read", hint="Sign in another way.")
    return found


def _part(document: Mapping[str, Json]) -> str:
    return _base64url(json.dumps(document, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

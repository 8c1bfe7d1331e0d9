"""A signing key in AWS KMS: it is made there, signs there, and cannot be taken out.

It must be of the spec ECC_NIST_EDWARDS25519. A signature is that of kms:Sign with ED25519_SHA_512 over the raw text,
which is Ed25519 as RFC 8032 has it; ED25519_PH_SHA_512, over a digest, is another signature, and no signed note's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from collector.errors import ConfigError, KeeperError

SPEC, ALGORITHM = "ECC_NIST_EDWARDS25519", "ED25519_SHA_512"
_OPTIONS = ("region", "profile", "endpoint_url")
_MAKE = f"Make one: aws kms create-key --key-spec {SPEC} --key-usage SIGN_VERIFY; name it by id, ARN or alias/NAME."
# What AWS says (codes that GetPublicKey and Sign declare, and common ones) -> what happened, what to do.
_TROUBLES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("AccessDeniedException", "AccessDenied"),
        "was denied",
        "Allow kms:GetPublicKey and kms:Sign on this key, in its policy or in that of the role.",
    ),
    (("NotFoundException", "InvalidArnException"), "knows no such key", f"See the region too. {_MAKE}"),
    (("DisabledException",), "says that the key is disabled", "Enable it, or put another in its place: keys rotate."),
    (
        ("KMSInvalidStateException",),
        "says that the key cannot be used in its state",
        "If it is to be deleted: aws kms cancel-key-deletion, then enable it. A deleted key signs nothing ever again.",
    ),
    (("InvalidKeyUsageException", "UnsupportedOperationException"), "says that this key does not sign so", _MAKE),
    (
        ("ThrottlingException", "Throttling", "LimitExceededException", "TooManyRequestsException"),
        "was asked too often",
        "It is tried again each minute; see what else uses the account's quota of KMS requests.",
    ),
    (
        (
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "IncompleteSignature",
        ),
        "refused the credentials",
        "Renew or correct the credentials that the SDK finds, or name a profile: kms:KEY?profile=NAME.",
    ),
)
_AWAY = "It is tried again each minute; what was recorded meanwhile is covered by the next checkpoint."


class KmsKey:
    """The key *name* (id, ARN, alias); a `collector.keeper.KeptKey`."""

    def __init__(self, name: str, options: dict[str, str]) -> None:
        self._name = name
        with self._translated("GetPublicKey"):
            self._client = _client(name, options)
            answer = self._client.get_public_key(KeyId=name)
        spec, usage = answer.get("KeySpec"), answer.get("KeyUsage")
        if (spec, usage) != (SPEC, "SIGN_VERIFY"):
            raise ConfigError(f"kms:{name}: it is a key of {spec} for {usage}, which signs no checkpoints", hint=_MAKE)
        # An alias may point to another key tomorrow; what signs is the key whose public half was given.
        self._arn = answer["KeyId"]
        self.public = self._read(answer["PublicKey"])

    def sign(self, text: bytes) -> bytes:
        """See `KeptKey.sign`."""
        with self._translated("Sign"):
            answer = self._client.sign(KeyId=self._arn, Message=text, MessageType="RAW", SigningAlgorithm=ALGORITHM)
        signature: bytes = answer["Signature"]
        return signature

    def _read(self, spki: bytes) -> bytes:
        try:
            key = load_der_public_key(spki)
        except ValueError as error:
            raise KeeperError(f"kms:{self._name}: its public key cannot be read: {error}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise KeeperError(f"kms:{self._name}: its public key is not Ed25519")
        return key.public_bytes_raw()

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise ConfigError(f"kms:{self._name} needs the AWS SDK", hint="pip install 'evidenced[aws]'") from error
        try:
            yield
        except ClientError as error:
            said = error.response.get("Error", {})
            what, hint = _trouble(str(said.get("Code", "")))
            raise KeeperError(f"kms:{self._name}: kms:{operation} {what}: {error}", hint=hint) from error
        except BotoCoreError as error:
            raise KeeperError(f"kms:{self._name}: kms:{operation} got no answer: {error}", hint=_AWAY) from error


def open_key(reference: str) -> KmsKey:
    """Return the key that *reference* names: ``KEY`` or ``KEY?region=...&profile=...&endpoint_url=...``.

    KEY is an id, an ARN, or an alias (``alias/NAME``). Credentials and what is not said come from the SDK's own chain.
    Raises `ConfigError` for options that are not known and a key of another kind, `KeeperError` when KMS does not give
    its public half.
    """
    name, _, query = reference.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(_OPTIONS))
    if unknown or not name:
        known = ", ".join(_OPTIONS)
        what = f"no option {unknown[0]!r}" if unknown else "no key"
        raise ConfigError(f"kms:{reference}: there is {what}", hint=f"kms:KEY?OPTION=...; options: {known}.")
    return KmsKey(name, options)


def _trouble(code: str) -> tuple[str, str]:
    return next(((what, hint) for codes, what, hint in _TROUBLES if code in codes), ("failed", _AWAY))


def _client(name: str, options: dict[str, str]) -> Any:
    # At first use: whoever only reads the configuration needs no SDK.
    import boto3
    from botocore.config import Config

    region = options.get("region") or _region_of(name)
    session = boto3.session.Session(profile_name=options.get("profile") or None, region_name=region)
    retries: Any = {"mode": "standard", "total_max_attempts": 3}
    settings = Config(connect_timeout=3, read_timeout=5, retries=retries)
    return session.client("kms", endpoint_url=options.get("endpoint_url") or None, config=settings)


def _region_of(name: str) -> str | None:
    """Return the region in an ARN (``arn:aws:kms:REGION:...``), None when *name* is none: then the SDK's chain says."""
    parts = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > 3 else None  # noqa: PLR2004 - the fourth field of an ARN

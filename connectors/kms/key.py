"""A signing key in AWS KMS: it is made there, signs there, and cannot be taken out.

It must be of the spec ECC_NIST_EDWARDS25519. A signature is that of kms:Sign with ED25519_SHA_512 over the raw text,
which is Ed25519 as RFC 8032 has it; ED25519_PH_SHA_512, over a digest, is another signature, and no signed note's.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from collector.errors import ConfigError, KeeperError
from connectors.kms.client import Advice, KmsClient

SPEC, ALGORITHM = "ECC_NIST_EDWARDS25519", "ED25519_SHA_512"
_MAKE = f"Make one: aws kms create-key --key-spec {SPEC} --key-usage SIGN_VERIFY; name it by id, ARN or alias/NAME."
_ADVICE = Advice(
    use="sign",
    allow="kms:GetPublicKey and kms:Sign",
    make=_MAKE,
    replace="keys rotate",
    deleted="A deleted key signs nothing ever again.",
    away="It is tried again each minute; what was recorded meanwhile is covered by the next checkpoint.",
)


class KmsKey:
    """The key that *reference* names (`KmsClient`); a `collector.keeper.KeptKey`."""

    def __init__(self, reference: str) -> None:
        self._kms = KmsClient(reference, _ADVICE)
        name = self._kms.name
        answer = self._kms.ask("GetPublicKey", "get_public_key", KeyId=name)
        spec, usage = answer.get("KeySpec"), answer.get("KeyUsage")
        if (spec, usage) != (SPEC, "SIGN_VERIFY"):
            raise ConfigError(f"kms:{name}: it is a key of {spec} for {usage}, which signs no checkpoints", hint=_MAKE)
        # An alias may point to another key tomorrow; what signs is the key whose public half was given.
        self._arn = answer["KeyId"]
        self.public = self._read(answer["PublicKey"])

    def sign(self, text: bytes) -> bytes:
        """See `KeptKey.sign`."""
        asked = {"KeyId": self._arn, "Message": text, "MessageType": "RAW", "SigningAlgorithm": ALGORITHM}
        signature: bytes = self._kms.ask("Sign", "sign", **asked)["Signature"]
        return signature

    def _read(self, spki: bytes) -> bytes:
        try:
            key = load_der_public_key(spki)
        except ValueError as error:
            raise KeeperError(f"kms:{self._kms.name}: its public key cannot be read: {error}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise KeeperError(f"kms:{self._kms.name}: its public key is not Ed25519")
        return key.public_bytes_raw()


def open_key(reference: str) -> KmsKey:
    """Return the key that *reference* names, as `KmsClient` reads it.

    Raises `ConfigError` for a key of another kind, `KeeperError` when KMS does not give its public half.
    """
    return KmsKey(reference)

"""A key-encryption key in AWS KMS: it wraps the keys of sealed subjects there, and cannot be taken out.

It must be symmetric (SYMMETRIC_DEFAULT). What a wrapped key is for is its encryption context, which KMS authenticates
and CloudTrail shows: the names of source, kind and scope.
"""

from __future__ import annotations

from typing import Any

from collector.errors import ConfigError, IntegrityError, KeeperError
from connectors.kms.client import Advice, KmsClient, code_of

_MAKE = "Make one: aws kms create-key; name it by id, ARN or alias/NAME."
_ADVICE = Advice(
    use="encrypt",
    allow="kms:DescribeKey, kms:Encrypt and kms:Decrypt",
    make=_MAKE,
    replace="name it in encryption.key, this one in encryption.previous, then `evidenced encryption rewrap`",
    deleted="What is sealed under a deleted key opens never again.",
    away="Until it answers, sealed kinds are not read and what is sealed stays so.",
)
_NOT_ITS_OWN = ("InvalidCiphertextException", "IncorrectKeyException")


class KmsWrappingKey:
    """The key that *reference* names (`KmsClient`); a `collector.sealing.KeyEncryptionKey` called by its ARN."""

    def __init__(self, reference: str) -> None:
        self._kms = KmsClient(reference, _ADVICE)
        found = self._kms.ask("DescribeKey", "describe_key", KeyId=self._kms.name)["KeyMetadata"]
        spec, usage = found.get("KeySpec"), found.get("KeyUsage")
        if (spec, usage) != ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"):
            raise ConfigError(f"kms:{self._kms.name}: it is a key of {spec} for {usage}, which wraps none", hint=_MAKE)
        # An alias may point to another key tomorrow; what was wrapped by this one opens with this one.
        self.name: str = found["Arn"]

    def wrap(self, secret: bytes, context: str) -> bytes:
        """See `KeyEncryptionKey`."""
        wrapped: bytes = self._asked("Encrypt", context, Plaintext=secret)["CiphertextBlob"]
        return wrapped

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """See `KeyEncryptionKey`."""
        try:
            secret: bytes = self._asked("Decrypt", context, CiphertextBlob=wrapped)["Plaintext"]
        except KeeperError as error:
            if code_of(error.__cause__) in _NOT_ITS_OWN:
                raise IntegrityError(f"what is wrapped does not open with the key {self.name}") from error
            raise
        return secret

    def _asked(self, operation: str, context: str, **parameters: Any) -> dict[str, Any]:
        about = {"KeyId": self.name, "EncryptionContext": {"evidenced": context}}
        return self._kms.ask(operation, operation.lower(), **about, **parameters)


def open_key(reference: str) -> KmsWrappingKey:
    """Return the key that *reference* names, as `KmsClient` reads it.

    Raises `ConfigError` for a key of another kind, `KeeperError` when KMS does not answer for it.
    """
    return KmsWrappingKey(reference)

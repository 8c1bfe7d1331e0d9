"""A key management service made of paper: it signs, and nobody gets the key."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.log.note import VerifierKey


class KeptKey:
    """A key that stays in its keeper; a `collector.log.note.Signer`."""

    def __init__(self, name: str, seed: bytes) -> None:
        self.__private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = VerifierKey(name, self.__private.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        return self.__private.sign(text)


def open_key(reference: str) -> KeptKey:
    """Return the key that ``NAME@ID`` names."""
    name, _, number = reference.rpartition("@")
    return KeptKey(name, sha256(number.encode()).digest())

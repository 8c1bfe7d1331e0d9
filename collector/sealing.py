"""Sealed contents: AES-256-GCM with a key of their own, and a commitment to what is inside.

- An *envelope* is what is stored and named: ``EVS1``, a commitment, a nonce, the ciphertext. Its SHA-256 is the
  artifact's name, so whatever commits to the name commits to ciphertext and plaintext both, and neither needs a key
  to be checked against it.
- The commitment is HMAC-SHA256 of nonce and plaintext under a random salt: GCM alone is not committing, one
  ciphertext may open under two keys. Without the salt nobody can try plaintexts on it.
- Key and salt are the content's *secret*, wrapped under the *subject's key*; that is wrapped under a key-encryption key
  (a file, a KMS), so that a KMS is asked once per subject. A content whose wrapped secret is gone is gone.

An item's key text is sealed like a content, and its key digest is HMAC-SHA256 under the subject's naming key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Protocol

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from collector.errors import ConfigError, IntegrityError, KeeperError
from collector.model import ContentSecret, ItemSecret

KEY_BYTES = 32
MAGIC = b"EVS1"
_NONCE = 12
_HEAD = len(MAGIC) + 32 + _NONCE


NOT_AT_HAND = (ConfigError, KeeperError)
"""What a key that cannot be used raises: whatever it would open stays sealed."""


class KeyEncryptionKey(Protocol):
    """A key that wraps others and never leaves its keeper: the interface that a KMS package provides."""

    @property
    def name(self) -> str:
        """What tells this key from every other; recorded beside what it wrapped. No secret."""

    def wrap(self, secret: bytes, context: str) -> bytes:
        """Return *secret* encrypted and bound to *context*. Raises `KeeperError`."""

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Return what was wrapped with the same *context*.

        Raises `IntegrityError` when *wrapped* is not what this key made of it, `KeeperError` when the keeper does not
        do its part.
        """


class Keyring(Protocol):
    """The key-encryption keys that a configuration names, opened when they are first needed.

    Both raise what is `NOT_AT_HAND`.
    """

    def current(self) -> KeyEncryptionKey:
        """Return the key that wraps what is new."""

    def named(self, name: str) -> KeyEncryptionKey:
        """Return the key called *name*."""


class NoKeyring:
    """For a configuration that names no key: whatever is sealed stays so."""

    def current(self) -> KeyEncryptionKey:
        """Raise `ConfigError`: there is none."""
        raise ConfigError(
            "sealed kinds need a key-encryption key, and the configuration names none",
            hint='Make one with `evidenced encryption create-key`, and name it: [encryption] key = "file:...".',
        )

    def named(self, name: str) -> KeyEncryptionKey:
        """Raise `ConfigError`: there is none."""
        raise ConfigError(f"it is sealed under the key {name}, and the configuration names none")


def seal(data: bytes) -> tuple[bytes, ContentSecret]:
    """Return the envelope of *data* under a fresh key, and its secret."""
    secret = ContentSecret(os.urandom(KEY_BYTES), os.urandom(KEY_BYTES), hashlib.sha256(data).digest())
    return seal_with(secret.key, secret.salt, data), secret


def seal_with(key: bytes, salt: bytes, data: bytes) -> bytes:
    """Return the envelope of *data* under *key*, committed to with *salt*."""
    nonce = os.urandom(_NONCE)
    head = MAGIC + _commitment(salt, nonce, data)
    return head + nonce + AESGCM(key).encrypt(nonce, zstandard.compress(data, 3), head)


def open_with(key: bytes, salt: bytes, envelope: bytes) -> bytes:
    """Return what *envelope* holds. Raises `IntegrityError` unless it opens, and is what the envelope commits to."""
    if len(envelope) < _HEAD or not envelope.startswith(MAGIC):
        raise IntegrityError("what should be sealed is no envelope")
    head, nonce = envelope[: _HEAD - _NONCE], envelope[_HEAD - _NONCE : _HEAD]
    try:
        data = zstandard.decompress(AESGCM(key).decrypt(nonce, envelope[_HEAD:], head))
    except (InvalidTag, ValueError, zstandard.ZstdError) as error:
        raise IntegrityError("it does not open with the key that is kept for it") from error
    if not hmac.compare_digest(_commitment(salt, nonce, data), head[len(MAGIC) :]):
        raise IntegrityError("it opens, but is not what its envelope commits to")
    return data


def unseal(envelope: bytes, secret: ContentSecret) -> bytes:
    """Return what *envelope* holds, as `open_with`."""
    data = open_with(secret.key, secret.salt, envelope)
    if hashlib.sha256(data).digest() != secret.plain:
        raise IntegrityError("it opens, but is not what its secret says it is")
    return data


def sealed_text(key: bytes, salt: bytes, data: bytes) -> str:
    """Return the envelope of *data* as a document of JSON holds it."""
    return b64encode(seal_with(key, salt, data)).decode("ascii")


def open_text(key: bytes, salt: bytes, text: str) -> bytes:
    """Return what the envelope in *text* holds, as `open_with`."""
    try:
        return open_with(key, salt, b64decode(text, validate=True))
    except ValueError as error:
        raise IntegrityError("what should be sealed is no base64") from error


def _commitment(salt: bytes, nonce: bytes, data: bytes) -> bytes:
    return hmac.digest(salt, nonce + data, "sha256")


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The key of one subject, as opened: it wraps secrets and names items. *number* is its record's."""

    number: int
    wrapping: bytes
    naming: bytes

    @classmethod
    def make(cls, number: int, naming: bytes = b"") -> SubjectKey:
        """Return a fresh key; with *naming* its items keep their digests."""
        return cls(number, os.urandom(KEY_BYTES), naming or os.urandom(KEY_BYTES))

    @classmethod
    def opened(cls, number: int, secret: bytes) -> SubjectKey:
        """Return the key whose `secret` is *secret*. Raises `IntegrityError`."""
        if len(secret) != 2 * KEY_BYTES:
            raise IntegrityError(f"the key of sealing {number} has {len(secret)} bytes")
        return cls(number, secret[:KEY_BYTES], secret[KEY_BYTES:])

    @property
    def secret(self) -> bytes:
        """What a key-encryption key wraps."""
        return self.wrapping + self.naming

    def item_digest(self, key: str) -> bytes:
        """Return what stands for the item *key* in manifests: nobody without this key can tell it from a guess."""
        return hmac.digest(self.naming, key.encode("utf-8", "surrogatepass"), "sha256")

    def wrap(self, name: bytes, secret: ContentSecret | ItemSecret) -> bytes:
        """Return *secret* wrapped, bound to the artifact or item (a digest) *name*."""
        last = secret.name.encode("utf-8", "surrogatepass") if isinstance(secret, ItemSecret) else secret.plain
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self.wrapping).encrypt(nonce, secret.key + secret.salt + last, name)

    def content_secret(self, name: bytes, wrapped: bytes) -> ContentSecret:
        """Return the secret of the artifact *name*. Raises `IntegrityError` unless *wrapped* is of it, by this key."""
        return ContentSecret(*_parts(self._unwrap(name, wrapped)))

    def item_secret(self, name: bytes, wrapped: bytes) -> ItemSecret:
        """Return the secret of the item with the digest *name*, as `content_secret`."""
        key, salt, text = _parts(self._unwrap(name, wrapped))
        found = ItemSecret(key, salt, text.decode("utf-8", "surrogatepass"))
        if self.item_digest(found.name) != name:
            raise IntegrityError("the key of an item is not the one that its digest is of")
        return found

    def rewrapped(self, name: bytes, wrapped: bytes, other: SubjectKey) -> bytes:
        """Return *wrapped* as this key wraps it, where *other* did."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self.wrapping).encrypt(nonce, other._unwrap(name, wrapped), name)

    def _unwrap(self, name: bytes, wrapped: bytes) -> bytes:
        try:
            return AESGCM(self.wrapping).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], name)
        except (InvalidTag, ValueError) as error:
            raise IntegrityError("a wrapped key does not open with the key of its subject") from error


def new_item_secret(name: str) -> ItemSecret:
    """Return a fresh secret for the item whose key text is *name*."""
    return ItemSecret(os.urandom(KEY_BYTES), os.urandom(KEY_BYTES), name)


def _parts(secret: bytes) -> tuple[bytes, bytes, bytes]:
    return secret[:KEY_BYTES], secret[KEY_BYTES : 2 * KEY_BYTES], secret[2 * KEY_BYTES :]

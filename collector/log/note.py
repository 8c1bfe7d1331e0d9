"""Signed notes (c2sp.org/signed-note) with Ed25519 keys: making, strict parsing, verification. Pure.

- A note is UTF-8 text ending in a newline, a blank line, and one or more signature lines: ``— name base64``.
- What is signed is the text with its last newline, without the blank line.
- The first four bytes of a signature are the id of the key: SHA-256(name, newline, type, public key)[:4].
- A signature by a key we do not know says nothing; a bad one by a key we know condemns the note.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn, Protocol
from unicodedata import category

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from collector.errors import ConfigError, IntegrityError

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
KEY_BYTES = 32
_ED25519 = b"\x01"
_ID_BYTES = 4
_DASH = "\u2014 "
_PRIVATE = "PRIVATE+KEY+"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that is known by a name; ``str()`` is its text form, ``name+id+base64``.

    Raises `ConfigError` for a name with spaces or ``+``, or a key that is not of 32 bytes.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise ConfigError(f"a key cannot be named {self.name!r}", hint="A name has no spaces and no +.")
        if len(self.public) != KEY_BYTES:
            raise ConfigError(f"the public key of {self.name} has {len(self.public)} bytes instead of {KEY_BYTES}")

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature; they identify, they do not prove."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Return the key whose text form is exactly *text*. Raises `ConfigError` for anything else."""
        name, _, rest = text.partition("+")
        key = cls(name, _key_bytes(rest, f"the verifier key {text!r}"))
        if str(key) != text:
            raise ConfigError(f"the verifier key {text!r} was altered: its id is not that of its name and key")
        return key

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Tell whether *signature* (64 bytes, without the key id) is this key's over *text*."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer(Protocol):
    """What signs: a key in memory, or one that never leaves its keeper."""

    @property
    def key(self) -> VerifierKey:
        """The public half."""

    def sign(self, text: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) over *text*."""


class SignerKey:
    """A private key held in memory. Its text form is secret and is given only by `secret_text`."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = VerifierKey(name, private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str) -> SignerKey:
        """Return a new key. Raises `ConfigError` when it cannot have that name."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> SignerKey:
        """Return the key whose secret text is exactly *text*. Raises `ConfigError`, which never quotes the text."""
        name, _, rest = text.removeprefix(_PRIVATE).partition("+")
        seed = _key_bytes(rest, "the signing key")
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if signer.secret_text() != text:
            raise ConfigError("the signing key was altered: it is not of the form PRIVATE+KEY+name+id+base64")
        return signer

    def secret_text(self) -> str:
        """Return ``PRIVATE+KEY+name+id+base64``: whoever has it can sign."""
        seed = _ED25519 + self._private.private_bytes_raw()
        return f"{_PRIVATE}{self.key.name}+{self.key.id.hex()}+{_base64(seed)}"

    def sign(self, text: bytes) -> bytes:
        """See `Signer.sign`."""
        return self._private.sign(text)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose it claims to be, and the signature itself (without the key id)."""

    name: str
    key_id: bytes
    data: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_base64(self.key_id + self.data)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as parsed: nothing in it is to be believed yet."""

    text: str
    signatures: tuple[Signature, ...]


def sign_note(text: str, signers: Sequence[Signer]) -> bytes:
    """Return the note of *text* signed by every one of *signers*, in that order.

    Raises ValueError when *text* cannot be a note's text or nobody signs; `IntegrityError` when a signer's
    signature is not its own.
    """
    if not text.endswith("\n") or _has_control(text) or not signers:
        raise ValueError("a note's text ends in a newline, has no control characters, and is signed by someone")
    data = text.encode("utf-8")
    lines = [text, "\n"]
    for signer in signers:
        signature = signer.sign(data)
        if not signer.key.verifies(data, signature):
            raise IntegrityError(f"the signer of {signer.key.name} gave a signature that is not its own")
        lines.append(f"{Signature(signer.key.name, signer.key.id, signature)}\n")
    return "".join(lines).encode("utf-8")


def parse_note(data: bytes) -> Note:
    """Return the text and signatures of a note, unverified. Raises `IntegrityError` when *data* is not a note."""
    if len(data) > MAX_NOTE_BYTES:
        _refuse(f"{len(data)} bytes are more than {MAX_NOTE_BYTES}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("it is not UTF-8")
    if _has_control(whole):
        _refuse("it has control characters")
    # The text may hold blank lines itself; the last one ends it.
    text, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        _refuse("it does not end in a blank line and signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        _refuse(f"{len(lines)} signatures are more than {MAX_SIGNATURES}")
    return Note(text + "\n", tuple(_parse_signature(line) for line in lines))


def open_note(data: bytes, keys: Sequence[VerifierKey]) -> tuple[str, tuple[VerifierKey, ...]]:
    """Return the text of a note and which of *keys* signed it, at least one, in the note's order.

    Raises `IntegrityError` when *data* is not a note, a key we know has not signed what its line claims, or no
    key we know has signed; `ConfigError` when two different *keys* have one name and id.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.id), key) != key:
            raise ConfigError(f"two keys are known as {key.name}+{key.id.hex()}")
    note = parse_note(data)
    signed = dict[VerifierKey, None]()
    for signature in note.signatures:
        found = known.get((signature.name, signature.key_id))
        if found is None:
            continue
        if not found.verifies(note.text.encode("utf-8"), signature.data):
            raise IntegrityError(f"the signature of {found.name}+{found.id.hex()} is not over this text")
        signed[found] = None
    if not signed:
        raise IntegrityError("the note is not signed by any key that is known here")
    return note.text, tuple(signed)


def _parse_signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = _from_base64(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or data is None or len(data) <= _ID_BYTES:
        _refuse("a line after the blank one is not a signature")
    return Signature(name, data[:_ID_BYTES], data[_ID_BYTES:])


def _refuse(why: str) -> NoReturn:
    raise IntegrityError(f"not a signed note: {why}")


def _is_name(name: str) -> bool:
    spoilt = any(each.isspace() or each == "+" or category(each) == "Cs" for each in name)
    return bool(name) and not spoilt and not _has_control(name)


def _has_control(text: str) -> bool:
    return _CONTROL.search(text) is not None


def _key_bytes(rest: str, what: str) -> bytes:
    """Return the 32 bytes of a key from ``id+base64``; the id is left to the caller."""
    data = _from_base64(rest.partition("+")[2])
    if data is None or len(data) != len(_ED25519) + KEY_BYTES:
        raise ConfigError(f"{what} is not of the form name+id+base64")
    if not data.startswith(_ED25519):
        raise ConfigError(f"{what} is of type {data[0]}; only Ed25519, type 1, is read")
    return data[len(_ED25519) :]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes | None:
    """Return the bytes of which *text* is the one standard base64 form (RFC 4648, 4); None when it is not that."""
    try:
        data = base64.b64decode(text)
    except ValueError:
        return None
    return data if _base64(data) == text else None

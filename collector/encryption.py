"""Key-encryption keys by reference: ``file:PATH`` that its owner alone can read, ``env:NAME``, or a keeper's (a KMS).

A keeper is whatever an entry point of the group ``evidenced.encryption`` names: called with what follows its name and a
colon in the reference, it returns a `collector.sealing.KeyEncryptionKey`. The key itself need never leave it.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field

from collector.errors import ConfigError, IntegrityError
from collector.private_files import read_private, write_private
from collector.sealing import KEY_BYTES, KeyEncryptionKey, Keyring, NoKeyring
from collector.secrets import check_reference, resolve_secret

_FORM = "evidenced-encryption-key:"
_NONCE = 12
_OTHERWISE = "make another one, and `evidenced encryption rewrap`."
_REFERENCE = r"^[a-z][a-z0-9-]*:."


class EncryptionSettings(BaseModel):
    """The section [encryption]: under which key the keys of sealed contents are wrapped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(
        default="",
        pattern=f"^$|{_REFERENCE}",
        description="Key-encryption key: file:/absolute/path, env:NAME, or NAME:... of an installed key keeper.",
    )
    previous: list[str] = Field(
        default=[], description="Keys that it replaces, until `evidenced encryption rewrap` has left none under them."
    )


class LocalKey:
    """A key-encryption key of 32 random bytes that this process holds: AES-256-GCM."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.name = f"local:{sha256(b'evidenced encryption key' + key).hexdigest()[:16]}"

    def wrap(self, secret: bytes, context: str) -> bytes:
        """See `KeyEncryptionKey`."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, secret, context.encode())

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """See `KeyEncryptionKey`."""
        try:
            return AESGCM(self._key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(f"what is wrapped does not open with the key {self.name}") from error


class Keys:
    """The `Keyring` of a configuration. A key is opened when it is first needed, and once."""

    otherwise = "the configuration does not name it"

    def __init__(self, references: Sequence[str]) -> None:
        self._references = references
        self._opened: dict[str, KeyEncryptionKey] = {}

    def current(self) -> KeyEncryptionKey:
        """See `Keyring`."""
        return self._open(self._references[0])

    def named(self, name: str) -> KeyEncryptionKey:
        """See `Keyring`."""
        for reference in self._references:
            if (key := self._open(reference)).name == name:
                return key
        raise ConfigError(
            f"it is sealed under the key {name}, and {self.otherwise}",
            hint="Name it in encryption.previous, and run `evidenced encryption rewrap`.",
        )

    def _open(self, reference: str) -> KeyEncryptionKey:
        if reference not in self._opened:
            self._opened[reference] = open_key(reference)
        return self._opened[reference]


class LocalKeys(Keys):
    """Of the keys of a configuration those that stand in files and variables: no keeper is asked for another."""

    otherwise = "it is none of the keys in files and variables, and this process asks no keeper of keys"

    def __init__(self, references: Sequence[str]) -> None:
        super().__init__([each for each in references if each.partition(":")[0] in ("file", "env")])

    def current(self) -> KeyEncryptionKey:
        """Raise `ConfigError`: this process seals nothing."""
        raise ConfigError("this process seals nothing")


def local_keyring(settings: EncryptionSettings) -> Keyring:
    """Return, of the keys that *settings* names, those that no keeper has; none is opened yet."""
    return LocalKeys([settings.key, *settings.previous])


def keyring(settings: EncryptionSettings) -> Keyring:
    """Return the keys that *settings* names; none is opened yet."""
    return Keys([settings.key, *settings.previous]) if settings.key else NoKeyring()


def open_key(reference: str) -> KeyEncryptionKey:
    """Return the key that *reference* names. Raises `ConfigError`, which never quotes it."""
    form, _, name = reference.partition(":")
    if form == "file":
        check_reference(reference)
        text = read_private(Path(name).expanduser(), "encryption key", _OTHERWISE)
        if text is None:
            raise ConfigError(f"{reference}: there is no such file", hint=_MAKE)
        return _parsed(reference, text)
    if form == "env":
        return _parsed(reference, resolve_secret(reference))
    return _keeper(form, reference)(name)


def create_key(path: Path) -> LocalKey:
    """Make a key in the new file *path*, for its owner alone. Raises `ConfigError`."""
    key = os.urandom(KEY_BYTES)
    write_private(path.expanduser(), _FORM + b64encode(key).decode("ascii"))
    return LocalKey(key)


_MAKE = "`evidenced encryption create-key FILE` writes one. Without the right key what is sealed cannot be read."


def _parsed(reference: str, text: str) -> LocalKey:
    try:
        key = b64decode(text.strip().removeprefix(_FORM), validate=True)
    except ValueError:
        key = b""
    if not text.strip().startswith(_FORM) or len(key) != KEY_BYTES:
        raise ConfigError(f"{reference}: it holds no encryption key", hint=_MAKE)
    return LocalKey(key)


def _keeper(form: str, reference: str) -> Callable[[str], KeyEncryptionKey]:
    points = entry_points(group="evidenced.encryption", name=form)
    if not points:
        raise ConfigError(
            f"{reference}: nothing that keeps encryption keys is installed under the name {form!r}",
            hint="Write file:/absolute/path or env:NAME, or install the package that has it.",
        )
    found: Callable[[str], KeyEncryptionKey] = next(iter(points)).load()
    return found

"""Signing keys by reference: ``file:PATH`` that its owner alone can read, ``env:NAME``, or a keeper such as a KMS.

A keeper is found by its entry point (`collector.keeper`): ``NAME:KEY`` is what the keeper NAME has as KEY. The key
itself need never leave it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from collector.errors import ConfigError
from collector.keeper import KEEPERS, KeptKey
from collector.log.note import Signer, SignerKey, VerifierKey
from collector.secrets import check_reference, resolve_secret
from collector.signer.memory import sync_folder

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 4096


class _Kept:
    """A `Signer` by a key that stays with its keeper."""

    def __init__(self, log: str, kept: KeptKey) -> None:
        self.key = VerifierKey(log, kept.public)
        self._kept = kept

    def sign(self, text: bytes) -> bytes:
        """See `Signer.sign`."""
        return self._kept.sign(text)


def open_key(reference: str, log: str) -> Signer | None:
    """Return the key that *reference* names, or None when it is a file that is not there yet.

    One that a keeper has bears the name of *log*; others have the name that is written in them. Raises `ConfigError`
    for one that others than its owner can read, or that is no key, and `KeeperError`; never quotes the key.
    """
    form, _, name = reference.partition(":")
    if form == "file":
        check_reference(reference)
        text = _private_text(Path(name).expanduser())
        return None if text is None else _parsed(reference, text)
    if form == "env":
        return _parsed(reference, resolve_secret(reference))
    return _Kept(log, _keeper(form, reference)(name))


def create_key(reference: str, name: str) -> SignerKey:
    """Make a key called *name* in the file that *reference* names, never over another. Raises `ConfigError`."""
    path = Path(reference.partition(":")[2]).expanduser()
    key = SignerKey.generate(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(key.secret_text() + "\n")
            file.flush()
            os.fsync(handle)
        sync_folder(path.parent)
    except FileExistsError:
        raise ConfigError(f"{path} is there already and was left as it is") from None
    except OSError as error:
        raise ConfigError(f"{path}: the key cannot be written: {error.strerror}") from error
    return key


def _private_text(path: Path) -> str | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: the signing key cannot be read: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        # Of the file that is open, not of whatever has its name by then.
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{path}: the signing key is not a file")
        if found.st_mode & _OTHERS:
            raise ConfigError(
                f"{path}: others than its owner can read the signing key (mode {stat.S_IMODE(found.st_mode):04o})",
                hint=f"chmod 600 {path}; if somebody may have read it, `evidenced keys rotate`, then revoke it.",
            )
        return file.read(_MOST_BYTES).decode("utf-8", "replace").strip()


def _parsed(reference: str, text: str) -> SignerKey:
    try:
        return SignerKey.parse(text.strip())
    except ConfigError as error:
        raise ConfigError(f"{reference}: {error.message}", hint="`evidenced keys create` writes one.") from error


def _keeper(form: str, reference: str) -> Callable[[str], KeptKey]:
    points = entry_points(group=KEEPERS, name=form)
    if not points:
        raise ConfigError(
            f"{reference}: nothing that keeps keys is installed under the name {form!r}",
            hint="Write file:/absolute/path or env:NAME, or install the package that has it.",
        )
    found: Callable[[str], KeptKey] = next(iter(points)).load()
    return found

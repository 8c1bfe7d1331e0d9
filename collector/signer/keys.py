"""Signing keys by reference: ``file:PATH`` that its owner alone can read, ``env:NAME``, or a keeper such as a KMS.

A keeper is found by its entry point (`collector.keeper`): ``NAME:KEY`` is what the keeper NAME has as KEY. The key
itself need never leave it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from collector.errors import ConfigError
from collector.keeper import KEEPERS, KeptKey
from collector.log.note import Signer, SignerKey, VerifierKey
from collector.private_files import read_private, write_private
from collector.secrets import check_reference, resolve_secret

_OTHERWISE = "`evidenced keys rotate`, then revoke it."


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
        text = read_private(Path(name).expanduser(), "signing key", _OTHERWISE)
        return None if text is None else _parsed(reference, text)
    if form == "env":
        return _parsed(reference, resolve_secret(reference))
    return _Kept(log, _keeper(form, reference)(name))


def create_key(reference: str, name: str) -> SignerKey:
    """Make a key called *name* in the file that *reference* names, never over another. Raises `ConfigError`."""
    key = SignerKey.generate(name)
    write_private(Path(reference.partition(":")[2]).expanduser(), key.secret_text())
    return key


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

"""Signing keys by reference: ``file:PATH`` that its owner alone can read, ``env:NAME``, or a keeper such as a KMS.

A keeper is whatever an entry point of the group ``evidenced.signers`` names: called with what follows its name and a
colon in the reference, it returns a `collector.log.note.Signer`. The key itself need never leave it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from collector.errors import ConfigError
from collector.log.note import Signer, SignerKey
from collector.private_files import read_private, write_private
from collector.secrets import check_reference, resolve_secret

_OTHERWISE = "`evidenced keys rotate`, then revoke it."


def open_key(reference: str) -> Signer | None:
    """Return the key that *reference* names, or None when it is a file that is not there yet.

    Raises `ConfigError` for one that others than its owner can read, or that is no key; never quotes it.
    """
    form, _, name = reference.partition(":")
    if form == "file":
        check_reference(reference)
        text = read_private(Path(name).expanduser(), "signing key", _OTHERWISE)
        return None if text is None else _parsed(reference, text)
    if form == "env":
        return _parsed(reference, resolve_secret(reference))
    return _keeper(form, reference)(name)


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


def _keeper(form: str, reference: str) -> Callable[[str], Signer]:
    points = entry_points(group="evidenced.signers", name=form)
    if not points:
        raise ConfigError(
            f"{reference}: nothing that keeps keys is installed under the name {form!r}",
            hint="Write file:/absolute/path or env:NAME, or install the package that has it.",
        )
    found: Callable[[str], Signer] = next(iter(points)).load()
    return found

"""Secrets stay out of the configuration: they are named by reference, and a literal one is found and refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from collector.errors import ConfigError
from collector.model import Json
from collector.toml_lines import Place

_HINT = "Name it by reference: env:NAME for a variable, file:/absolute/path for a file."
_REFERENCE = re.compile(r"(env|file):.*")

# Forms that are secrets wherever they stand, in a comment too.
_FORMS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[a-z]-[A-Za-z0-9-]{10,}")),
    ("a Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("a Stripe key", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("a JSON Web Token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    ("a password in a URL", re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@\"']*:[^\s/@\"']+@", re.IGNORECASE)),
    ("a password in a URL", re.compile(r"://[^\s\"']*[?&](?:password|passwd|pwd)=[^\s&\"']", re.IGNORECASE)),
)
_AWS_SECRET = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9/+]{40}")
_SECRET_KEY = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|token|api_?key|private_key|access_key|client_secret)$"
)


def is_reference(text: str) -> bool:
    """Return whether *text* names a secret (``env:NAME``, ``file:PATH``) instead of being one."""
    return _REFERENCE.fullmatch(text) is not None


def check_reference(text: str) -> None:
    """Raise `ConfigError` when the reference *text* cannot name anything, whatever this machine holds."""
    form, _, name = text.partition(":")
    if form == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ConfigError(f"{text!r} does not name an environment variable", hint=_HINT)
    if form == "file" and not (name == "~" or name.startswith("~/") or Path(name).is_absolute()):
        # Relative to what? The daemon and the operator's shell do not stand in the same folder.
        raise ConfigError(f"{text!r} is not an absolute path", hint=_HINT)


def resolve_secret(reference: str) -> str:
    """Return the secret that *reference* names: ``env:NAME``, or ``file:PATH`` without the newline at its end.

    A path is absolute or starts with ``~``. Raises `ConfigError` for what is no reference, and for a variable or file
    that is missing, unreadable or empty; the message names the reference, never a secret.
    """
    if not is_reference(reference):
        raise ConfigError("a secret is written out where a reference belongs", hint=_HINT)
    check_reference(reference)
    form, _, name = reference.partition(":")
    secret = os.environ.get(name, "") if form == "env" else _read(reference, Path(name).expanduser())
    if not secret:
        raise ConfigError(f"{reference} is {'not set' if form == 'env' else 'empty'}")
    return secret


def _read(reference: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        raise ConfigError(f"{reference}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{reference}: cannot be read: {type(error).__name__}") from error


def literal_secret(text: str, key: str = "") -> str:
    """Return what secret *text* looks like, as the value of *key* ("a GitHub token"); empty for none."""
    if is_reference(text):
        return ""
    for what, form in _FORMS:
        if form.search(text):
            return what
    if _AWS_SECRET.fullmatch(text):
        return "an AWS secret key"
    return "a secret" if text and _SECRET_KEY.search(key.lower()) else ""


def literal_secrets(value: Json, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield the place of every literal secret in the document *value*, and what it looks like."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from literal_secrets(each, (*place, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from literal_secrets(each, (*place, number))
    elif isinstance(value, str):
        key = next((part for part in reversed(place) if isinstance(part, str)), "")
        if what := literal_secret(value, key):
            yield place, what

"""Secrets stay out of the configuration: they are named by reference, and a literal one is found and refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from collector.errors import ConfigError
from collector.model import Json
from collector.redact import scrub
from collector.secret_shapes import is_secret
from collector.toml_lines import Place

_HINT = "Name it by reference: env:NAME for a variable, file:/absolute/path for a file."
_REFERENCE = re.compile(r"(env|file):.*")

_MARK = re.compile(r"\[redacted:([a-z_]+)\]")
# In a configuration these need no look at the value's form. An AWS secret key has none but its length and mixture;
# what begins with a slash is taken for a path.
_SECRET_KEY = re.compile(r"(?:^|_)(?:pass|password|passwd|passphrase|secret|token|api_?key|private_key|access_key)$")
_AWS_SECRET = re.compile(r"(?!/)(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9/+]{40}")
_BETWEEN_WORDS = re.compile(r"[\s\"'=,#\[\]{}]+")


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


def given_by_reference(value: str) -> str:
    """Return *value*, a setting that is empty or names a secret. Raises ValueError, as settings' validators do."""
    if value and not is_reference(value):
        raise ValueError("a secret is given by reference: env:NAME or file:PATH")
    try:
        if value:
            check_reference(value)
    except ConfigError as error:
        raise ValueError(error.message) from error
    return value


Reference = Annotated[str, AfterValidator(given_by_reference)]
"""A field of settings that names a secret; empty where there is none."""


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
    """Return what secret stands in *text*, the value of *key* or a whole line; empty when it holds none."""
    if is_reference(text):
        return ""
    found = _MARK.search(scrub(text))
    if found and found[0] not in text:
        return f"a secret ({found[1].replace('_', ' ')})"
    if any(_AWS_SECRET.fullmatch(word) for word in _BETWEEN_WORDS.split(text)):
        return "a secret (aws secret key)"
    return "a secret" if _SECRET_KEY.search(key.lower()) and is_secret(text, words=True) else ""


def literal_secrets(value: Json, place: Place = ()) -> Iterator[tuple[Place, str, int]]:
    """Yield the place of every literal secret in the document *value*, what it looks like, and its line breaks."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from literal_secrets(each, (*place, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from literal_secrets(each, (*place, number))
    elif isinstance(value, str):
        key = next((part for part in reversed(place) if isinstance(part, str)), "")
        if what := literal_secret(value, key):
            yield place, what, value.count("\n")

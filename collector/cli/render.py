"""Showing answers: text that cannot harm a terminal, tables without art, one JSON document.

Evidence is other people's text. Whatever could move the cursor, change colours or reorder letters is shown as an
escape (``\\x1b``, ``\\u202e``), in tables, in messages and, as JSON's own escapes, in JSON.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from collector.clock import iso
from collector.errors import QueryError
from collector.model import Json

# Python calls controls, bidirectional and other format marks, separators, surrogates and unassigned points unprintable.
# These it prints, although nobody can see them: fillers and variation selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def safe(text: str) -> str:
    """Return *text* on one line with every character that could deceive or harm a terminal written as an escape."""
    return _replaced(text, _escape)


def size(octets: int) -> str:
    """Return a number of bytes as people say it: ``812 B``, ``27.0 MB``."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - SI units
            return f"{octets} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def plural(count: int, word: str) -> str:
    """Return ``1 gap``, ``2 gaps``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def plain(value: Any) -> Json:  # noqa: PLR0911 - one line a type
    """Return *value* as JSON: times RFC 3339 in UTC, lengths in seconds, digests ``sha256:...``, records as objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return "sha256:" + value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value


def show_json(value: Any) -> None:
    """Write *value* to stdout as one JSON document with sorted keys."""
    text = json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # The only raw newlines of a JSON document are those of its own indentation.
    write("".join(_replaced(line, _json_escape) + "\n" for line in text.split("\n")))


def write(text: str) -> None:
    """Write *text* to stdout; when the reader is gone, end quietly with the code a shell gives to SIGPIPE."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at exit and would complain; there it must find something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None


def write_file(path: Path, data: bytes) -> None:
    """Write *data* to the file *path*. Raises `QueryError` when that cannot be done."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise QueryError(f"{path}: cannot be written: {error.strerror}") from error


def note(text: str) -> None:
    """Write a remark to stderr, never the answer."""
    typer.echo(safe(text), err=True)


def progress(text: str) -> None:
    """Write a line of progress to stderr when somebody is watching."""
    if sys.stderr.isatty():
        note(text)


def _escape(character: str) -> str:
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004 - the three widths of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1]


def _replaced(text: str, escape: Callable[[str], str]) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(escape(each) if _harmful(each) else each for each in text)


def _harmful(character: str) -> bool:
    if character.isprintable():
        return _UNSEEN.match(character) is not None
    return unicodedata.category(character) != "Zs"

"""How records are put into words, the same in every command and on every page.

Evidence is other people's text: whatever could move a cursor, change colours or reorder letters is an escape
(``\\x1b``, ``\\u202e``).
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Protocol

from collector.clock import iso
from collector.model import Detail, Json, Outcome, Reason

# Python calls controls, bidirectional and other format marks, separators, surrogates and unassigned points unprintable.
# These it prints, although nobody can see them: fillers and variation selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_AS_IT_IS = frozenset({str, int, float, bool})


class _Shortfall(Protocol):
    @property
    def outcome(self) -> Outcome: ...
    @property
    def reason(self) -> Reason | None: ...


class _Outcome(_Shortfall, Protocol):
    @property
    def detail(self) -> Detail | None: ...


def came_of(record: _Outcome) -> str:
    """Return the outcome of a run or slot in a word or two: ``unchanged``, ``failed: denied``, ``missed``."""
    if record.outcome is Outcome.COLLECTED:
        return str(record.detail or record.outcome)
    return fell_short(record)


def fell_short(record: _Shortfall) -> str:
    """Return what became of slots that were not collected: ``missed``, ``failed: denied``."""
    if record.outcome is Outcome.MISSED and record.reason:
        return f"missed, and failed: {record.reason}"
    return f"{record.outcome}: {record.reason}" if record.reason else str(record.outcome)


def safe(text: str) -> str:
    """Return *text* on one line with every character that could deceive or harm a terminal written as an escape."""
    return replaced(text, _escape)


def span(length: timedelta | None) -> str:
    """Return *length* as people say it, in its two largest units: ``2 d 3 h``, ``5 min``, ``0.2 s``; ``-`` for None."""
    if length is None:
        return "-"
    seconds = abs(length).total_seconds()
    sign = "-" if length < timedelta() else ""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds the tenths matter
        return f"{sign}{seconds:.1f} s"
    left = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return sign + " ".join(parts[:2])


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


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


def plain(value: Any) -> Json:  # noqa: PLR0911 - one line a type
    """Return *value* as JSON: times RFC 3339 in UTC, lengths in seconds, digests ``sha256:...``, records as objects."""
    if value is None or type(value) in _AS_IT_IS:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
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


def replaced(text: str, escape: Callable[[str], str]) -> str:
    """Return *text* with every character that could deceive or harm as *escape* writes it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(escape(each) if _harmful(each) else each for each in text)


def _harmful(character: str) -> bool:
    if character.isprintable():
        return _UNSEEN.match(character) is not None
    return unicodedata.category(character) != "Zs"


def _escape(character: str) -> str:
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004 - the three widths of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004

"""What may be written in a request: names, texts, instants and numbers, each with its bounds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from collector.clock import from_ms, parse_instant
from collector.errors import QueryError

_EARLIEST = from_ms(0)
_LATEST = parse_instant("9000-01-01")
_LARGEST = 2**53 - 1  # what JSON and JavaScript still count exactly


def _sayable(text: str) -> str:
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise ValueError("it holds a character that is no text")
    return text


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("write a date, 2026-03-14, or a time, 2026-03-14T03:00:00Z")  # noqa: TRY004 - pydantic's way
    try:
        at = parse_instant(value)
    except QueryError as error:
        raise ValueError(f"{error.message}; {error.hint()}") from error
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("it is not between 1970 and 9000")
    return at


_sayable_text = AfterValidator(_sayable)
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), _sayable_text]
"""What something is called: an engagement, a source, a kind, a control."""
Maybe = Annotated[str, StringConstraints(max_length=200), _sayable_text]
"""A name, or nothing."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=4_000), _sayable_text]
"""What a source calls an item."""
Note = Annotated[str, StringConstraints(max_length=4_000), _sayable_text]
"""What a person writes beside what they record."""
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An ISO date (midnight UTC) or time; one without a zone is UTC."""
Number = Annotated[int, Field(ge=1, le=_LARGEST)]
"""The number of something recorded."""
HexDigest = Annotated[str, StringConstraints(pattern=r"^(sha256:)?[0-9a-f]{64}$")]
"""A SHA-256, with or without its name in front."""

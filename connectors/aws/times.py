"""A timestamp parser for botocore: most of the time of large pages goes into dateutil otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.utils import parse_timestamp


def fast_timestamp(value: Any) -> datetime:
    """Return what botocore's `parse_timestamp` gives, always aware and in UTC; a time without zone is UTC.

    ISO 8601 texts and numbers (seconds since 1970) are read here, anything else (RFC 822) by botocore.
    Raises ValueError as botocore does.
    """
    try:
        if isinstance(value, str) and value[4:5] == "-":
            return _utc(datetime.fromisoformat(value))
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        # A form or a year that only dateutil knows.
        return _utc(parse_timestamp(value))
    return _utc(parse_timestamp(value))


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

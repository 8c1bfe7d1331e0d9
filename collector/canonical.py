"""Canonical bytes: one value, one byte string, one digest (design 7). Version 1 of the form.

Equal to RFC 8785 (JCS) on the normalised domain; golden vectors are in ``tests/vectors/canonical.json``.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable
from datetime import UTC, datetime

import orjson

from collector.errors import Invalid
from collector.model import Json

CANONICAL_VERSION = 1
_SAFE_INTEGER = 2**53


def normalise(value: Json) -> Json:
    """Return *value* as plain JSON: UTC times with ``Z``, bytes as base64, whole floats as integers.

    Integers beyond 2**53, which RFC 8785 cannot carry, become decimal strings.
    Raises `Invalid` for NaN, an infinity, a time without zone, a key that is not text, or an unknown type.
    """
    # Exact types first: they are nearly all of any document, and isinstance chains cost half of the hashing rate.
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is dict:
        return {_key(key): normalise(each) for key, each in value.items()}
    if kind is list or kind is tuple:
        return [normalise(each) for each in value]
    return _normalise_scalar(value)


def canonical(value: Json) -> bytes:
    """Return the canonical UTF-8 bytes of *value* (normalised first). Raises `Invalid` as `normalise` does."""
    try:
        return orjson.dumps(normalise(value), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Invalid(f"an item cannot be written as JSON: {error}") from error


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of *data*: 32 raw bytes."""
    return hashlib.sha256(data).digest()


def population_root(contents: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the RFC 6962 Merkle tree hash over (key digest, artifact digest) pairs in ascending key order.

    A leaf is the 64 bytes of the pair; pairs may come in any order. The root of nothing is SHA-256 of nothing.
    """
    level = [hashlib.sha256(b"\x00" + key + artifact).digest() for key, artifact in sorted(contents)]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        # Pairing left to right and promoting an odd last node gives the RFC's split at the largest power of two.
        pairs = [
            hashlib.sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = pairs + level[-1:] if len(level) % 2 else pairs
    return level[0]


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise Invalid(f"an object key is not text: {type(key).__name__}")


def _normalise_scalar(value: Json) -> Json:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return _normalise_float(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Invalid("a time without a zone cannot be evidence")
        text = value.astimezone(UTC).isoformat(timespec="microseconds" if value.microsecond else "seconds")
        return text.replace("+00:00", "Z")
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {_key(key): normalise(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [normalise(each) for each in value]
    raise Invalid(f"a value of type {type(value).__name__} is not JSON")


def _normalise_float(value: float) -> Json:
    if not math.isfinite(value):
        raise Invalid("NaN and infinity are not JSON")
    if value.is_integer() and abs(value) <= _SAFE_INTEGER:
        return int(value)
    return value

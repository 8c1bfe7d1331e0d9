"""Canonical bytes: one value, one byte string, one digest (design 7). Version 1 of the form.

Equal to RFC 8785 (JCS) on the normalised domain; golden vectors are in ``tests/vectors/canonical.json``.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import orjson

from collector.errors import Invalid
from collector.model import Json

CANONICAL_VERSION = 1
_SAFE_INTEGER = 2**53 - 1
_ASTRAL = re.compile(rb"[\xf0-\xf4]")
_MOST_ZEROS = 6  # ECMAScript writes 0.000001 but 1e-7


def normalise(value: Json) -> Json:
    """Return *value* as plain JSON: UTC times with ``Z``, bytes as base64, whole floats as integers.

    Whole numbers beyond 2**53 - 1, on which JSON readers disagree, become decimal strings. Normalising again changes
    nothing. Raises `Invalid` for NaN, an infinity, a time without zone, a key that is not text, or an unknown type.
    """
    try:
        return _plain(value, _unchanged)
    except RecursionError:
        raise Invalid("an item is nested without end") from None


def canonical(value: Json) -> bytes:
    """Return the canonical UTF-8 bytes of *value* (normalised first). Raises `Invalid` as `normalise` does, and for
    text that is not Unicode or nesting beyond 254 levels.
    """
    try:
        plain = _plain(value, _written)
        data = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
        # orjson sorts keys by code point and RFC 8785 by UTF-16 code unit: they differ only beyond the BMP.
        if not data.isascii() and _ASTRAL.search(data):
            return orjson.dumps(_in_utf16_order(plain))
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Invalid(f"an item cannot be written as JSON: {error}") from error
    return data


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of *data*: 32 raw bytes."""
    return hashlib.sha256(data).digest()


def population_root(contents: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the RFC 6962 Merkle tree hash over (key digest, artifact digest) pairs in ascending key order.

    A leaf is the 64 bytes of the pair; pairs may come in any order. The root of nothing is SHA-256 of nothing.
    """
    return set_root(key + artifact for key, artifact in contents)


def set_root(leaves: Iterable[bytes]) -> bytes:
    """Return the RFC 6962 Merkle tree hash over *leaves* in ascending order, whatever theirs is."""
    level = [hashlib.sha256(b"\x00" + each).digest() for each in sorted(leaves)]
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


def _plain(value: Json, real: Callable[[float], Json]) -> Json:
    # Exact types first, and text without a call: they are nearly all of any document and set the hashing rate.
    kind = type(value)
    if kind is dict:
        return {
            key if type(key) is str else _key(key): each if type(each) is str else _plain(each, real)
            for key, each in value.items()
        }
    if kind is list or kind is tuple:
        return [each if type(each) is str else _plain(each, real) for each in value]
    if kind is str or kind is bool or value is None:
        return value
    return _rare(value, real)


def _rare(value: Json, real: Callable[[float], Json]) -> Json:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid("NaN and infinity are not JSON")
        return _scalar(int(value)) if value.is_integer() else real(value)
    if isinstance(value, dict):
        return _plain(dict(value), real)
    if isinstance(value, list | tuple):
        return _plain(list(value), real)
    return _scalar(value)


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise Invalid(f"an object key is not text: {type(key).__name__}")


def _scalar(value: Json) -> Json:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value) if abs(value) <= _SAFE_INTEGER else str(int(value))
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise Invalid(f"a value of type {type(value).__name__} is not JSON")


def _time(value: datetime) -> str:
    if value.tzinfo is None:
        raise Invalid("a time without a zone cannot be evidence")
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise Invalid("a time is outside the years 1 to 9999 in UTC") from None
    return value.isoformat(timespec="microseconds" if value.microsecond else "seconds").replace("+00:00", "Z")


def _unchanged(value: float) -> float:
    return float(value)


def _written(value: float) -> orjson.Fragment:
    """Return the text that ECMAScript gives a number that is not whole (so it is below 2**53)."""
    # Not left to orjson: how it writes 1.5e-6 is its own affair and changes between its versions; a digest may not.
    digits, _, exponent = float.__repr__(value).partition("e-")
    if exponent and int(exponent) <= _MOST_ZEROS:
        sign, digits = ("-", digits[1:]) if digits[0] == "-" else ("", digits)
        return orjson.Fragment(f"{sign}0.{'0' * (int(exponent) - 1)}{digits.replace('.', '')}")
    return orjson.Fragment(f"{digits}e-{int(exponent)}" if exponent else digits)


def _in_utf16_order(value: Json) -> Json:
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return {key: _in_utf16_order(each) for key, each in ordered}
    return [_in_utf16_order(each) for each in value] if isinstance(value, list) else value

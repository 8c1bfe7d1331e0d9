"""A leaf of the log: a flat or nested JSON object under 1 KB in a restricted RFC 8785 profile (design 8).

- Keys are ASCII, so that code point, UTF-8 and UTF-16 order are one; objects hold each key once.
- Numbers are integers between -(2**53 - 1) and 2**53 - 1; strings are any Unicode text without lone surrogates.
- ``kind`` and ``at`` (milliseconds UTC) are always there; the other keys belong to the kind.
- One value has one encoding; bytes that are not that encoding are not a leaf.

No personal data: a leaf cannot be erased. It holds digests, counts, ids and names of sources.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from collector.errors import IntegrityError
from collector.log.tree import leaf_hash
from collector.model import Json

MAX_BYTES = 1023
MAX_DEPTH = 8
MAX_INTEGER = 2**53 - 1
_RESERVED = ("kind", "at")


class OutsideProfile(ValueError):
    """The value cannot be a leaf: an error of the caller, who must digest what is long and leave out what varies."""


class LeafKind(StrEnum):
    """What a leaf commits to."""

    GENESIS = "genesis"
    PLAN = "plan"
    SWEEP = "sweep"
    UPLOAD = "upload"
    TAG = "tag"
    REVIEW = "review"
    TOMBSTONE = "tombstone"
    CHECKPOINT = "checkpoint"
    KEY = "key"
    ACCESS = "access"
    VERIFY = "verify"
    GAP = "gap"
    ENGAGEMENT = "engagement"
    POPULATION = "population"
    SAMPLE = "sample"
    RECONCILIATION = "reconciliation"
    REQUEST = "request"
    TOKEN = "token"


@dataclass(frozen=True, slots=True)
class LeafContent:
    """What a leaf says: its *kind*, when (*at_ms*, milliseconds UTC), and the kind's own *payload*."""

    kind: LeafKind
    at_ms: int
    payload: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf as stored: its position in the log, its exact bytes, and what they say."""

    index: int
    data: bytes
    content: LeafContent

    @property
    def kind(self) -> LeafKind:
        """What the leaf commits to."""
        return self.content.kind

    @property
    def at_ms(self) -> int:
        """When it was appended, by our clock: milliseconds UTC."""
        return self.content.at_ms

    @property
    def payload(self) -> dict[str, Json]:
        """The kind's own part of the leaf."""
        return self.content.payload

    @property
    def hash(self) -> bytes:
        """The leaf's hash in the tree."""
        return leaf_hash(self.data)


def encode_leaf(kind: LeafKind, at_ms: int, payload: Mapping[str, Json]) -> bytes:
    """Return the exact bytes of a leaf. Raises `OutsideProfile`; ValueError when there is no such kind."""
    for key in _RESERVED:
        if key in payload:
            raise OutsideProfile(f"{key!r} is the leaf's own and cannot be in the payload")
    return _encode({**payload, "kind": LeafKind(kind).value, "at": at_ms})


def decode_leaf(data: bytes) -> LeafContent:
    """Return what the leaf *data* says. Raises `IntegrityError` for any bytes that `encode_leaf` cannot have made."""
    if len(data) > MAX_BYTES:
        raise IntegrityError(f"not a leaf: {len(data)} bytes, more than {MAX_BYTES}")
    try:
        value = json.loads(data.decode("utf-8"))
        again = _encode(value)
        kind = LeafKind(value.pop("kind"))
    except (ValueError, KeyError, RecursionError) as error:
        raise IntegrityError(f"not a leaf: {error}") from error
    if again != data:
        raise IntegrityError("not a leaf: the bytes are not the one encoding of what they say")
    at_ms = value.pop("at")
    return LeafContent(kind, at_ms, value)


def _encode(value: Json) -> bytes:
    if not isinstance(value, dict):
        raise OutsideProfile(f"a leaf is an object, not {type(value).__name__}")
    if type(value.get("at")) is not int:
        raise OutsideProfile("'at' is not a whole number of milliseconds")
    _check(value, "leaf", MAX_DEPTH)
    # With ensure_ascii off, Python's escapes are exactly those of RFC 8785, 3.2.2.2.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise OutsideProfile("a text holds a lone surrogate, which UTF-8 cannot carry") from error
    if len(data) > MAX_BYTES:
        raise OutsideProfile(f"a leaf of {len(data)} bytes, more than {MAX_BYTES}")
    return data


def _check(value: Json, place: str, depth: int) -> None:
    if isinstance(value, bool | str) or value is None:
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise OutsideProfile(f"{place}: an integer beyond 2**53 - 1")
        return
    if not isinstance(value, dict | list):
        raise OutsideProfile(f"{place}: {type(value).__name__} is not in the profile")
    if depth == 0:
        raise OutsideProfile(f"{place}: nested deeper than {MAX_DEPTH}")
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(value, dict) and not (isinstance(key, str) and key.isascii()):
            raise OutsideProfile(f"{place}: the key {key!r} is not ASCII text")
        _check(each, f"{place}/{key}", depth - 1)

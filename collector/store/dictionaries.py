"""Dictionaries: what the contents of one family have in common, so that each is packed without it (design 7).

A family is a kind, or the volatile fields of one subject; contents that name none are packed by themselves. A
dictionary is made once, from the first contents of its family that come in number, in the transaction that stores
them; it never changes, and the codec of a content names it. It holds pieces of those contents: what may ever have to
be erased must name no family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

import zstandard
from sqlalchemy import Connection, Row, func, select

from collector.canonical import digest
from collector.errors import IntegrityError
from collector.model import Subject
from collector.store.bulk import insert_rows
from collector.store.packing import LEVEL, TRAINED, Packer, Words, pack, unpack
from collector.store.tables import dictionary

MOST = 30_000
"""So many dictionaries a store has at most: a codec is a number of two bytes."""
_FEWEST = 4
_ENOUGH = 24  # to train on; fewer are a better dictionary as they are
_SAMPLES = 128
_SAMPLE_BYTES = 1024 * 1024
_SIZE = 16 * 1024
_LARGEST = 64 * 1024
_WORTH_IT = 1024
_TIGHTER = 15
_FEW = 16
_KEPT = 128
_VOLATILE = " volatile"


def volatile_family(subject: Subject) -> str:
    """Return the family of the documents of volatile fields of *subject*."""
    return f"{subject.source} {subject.kind} {subject.scope}{_VOLATILE}"


def packers(conn: Connection, contents: Mapping[str, Sequence[bytes]]) -> dict[str, Packer]:
    """Return by family what packs its *contents*, which are new; dictionaries that are made for them are stored.

    For the writer's transaction. The contents must be stored in it too: a dictionary that none uses is a difference.
    """
    found: dict[str, Packer] = {}
    families = [each for each in contents if each]
    if families:
        rows = conn.execute(select(dictionary).where(dictionary.c.family.in_(families)))
        for row in rows:
            # Only a first population brings many contents at once. Those that come later, and the volatile fields of
            # each day, are most of a year's bytes, and are never many.
            tight = row.family.endswith(_VOLATILE) or len(contents[row.family]) <= _FEW
            found[row.family] = _opened(row, _TIGHTER if tight else LEVEL).packer(TRAINED + row.id)
    made = [(each, words) for each in families if each not in found and (words := _made(each, contents[each]))]
    if made:
        last = int(conn.execute(select(func.coalesce(func.max(dictionary.c.id), 0))).scalar_one())
        new = []
        for number, (family, words) in enumerate(made[: MOST - last], last + 1):
            codec, packed = pack(words)
            new.append((number, family, name_of(family, words), codec, packed))
            found[family] = _ready(words, LEVEL).packer(TRAINED + number)
        insert_rows(conn, dictionary, new)
    return {family: found.get(family) or Packer() for family in contents}


def name_of(family: str, words: bytes) -> bytes:
    """Return the digest of a dictionary: over its family too, so that neither can be another's."""
    return digest(family.encode() + b"\0" + words)


def words_of(family: str, name: bytes, codec: int, packed: bytes, level: int | None = None) -> Words:
    """Return the words of a `dictionary` row; for packing too with the *level* of zstd.

    Raises `IntegrityError` unless they are those that the row names.
    """
    words = unpack(codec, packed)
    if name_of(family, words) != name:
        raise IntegrityError(f"the dictionary of {family}: its words have another digest")
    return _ready(words, level)


def for_codec(conn: Connection, codec: int) -> Words | None:
    """Return the words that *codec* needs, from the store; None when it needs none.

    Raises `IntegrityError` when they are not there or not what they were.
    """
    if codec < TRAINED:
        return None
    row = conn.execute(select(dictionary).where(dictionary.c.id == codec - TRAINED)).first()
    if row is None:
        raise IntegrityError(f"stored bytes need dictionary {codec - TRAINED}, which is not there")
    return _opened(row)


def _opened(row: Row[Any], level: int | None = None) -> Words:
    return words_of(row.family, bytes(row.digest), row.codec, bytes(row.bytes), level)


_ready = lru_cache(maxsize=_KEPT)(Words)


def _made(family: str, contents: Sequence[bytes]) -> bytes | None:
    """Return words for *contents*; None where they would gain nothing."""
    if family.endswith(_VOLATILE):
        # The same items have such fields the next day: the first document is the best dictionary for the others.
        return contents[0][:_LARGEST] if len(contents[0]) >= _WORTH_IT else None
    # From all of them, for those that come first may be of one source: so a few teach as much as all would.
    some = contents[:: max(1, len(contents) // _SAMPLES)]
    sizes = accumulate(len(each) for each in some)
    samples = [each for each, size in zip(some, sizes, strict=False) if size <= _SAMPLE_BYTES]
    if len(samples) < _FEWEST:
        return None
    words = _trained(samples) if len(samples) >= _ENOUGH else b"".join(samples)[:_SIZE]
    return words if words and _gains(_ready(words, LEVEL), samples[:_ENOUGH]) else None


def _trained(samples: Sequence[bytes]) -> bytes | None:
    try:
        # With every parameter given, the same samples make the same dictionary, and no time goes into finding better.
        return zstandard.train_dictionary(_SIZE, [*samples], k=500, d=8, f=16).as_bytes()
    except zstandard.ZstdError:
        return None  # the samples have too little in common


def _gains(words: Words, some: Sequence[bytes]) -> bool:
    with_words = words.packer(TRAINED)
    return sum(len(with_words(each)[1]) for each in some) < sum(len(pack(each)[1]) for each in some)

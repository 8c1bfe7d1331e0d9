"""An artifact against its digest, and the dictionaries that contents are packed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from collector.canonical import digest
from collector.errors import IntegrityError
from collector.store.dictionaries import words_of
from collector.store.evidence import Evidence, Row
from collector.store.packing import TRAINED, Words, unpack
from collector.verify.dictionaries import counted
from collector.verify.differences import Differences


def read_words(evidence: Evidence, differences: Differences) -> dict[int, Words]:
    """Return the words of the dictionaries by codec: of those whose bytes are what they were."""
    found: dict[int, Words] = {}
    for row in counted(evidence, differences, "dictionary"):
        with differences.at("dictionary", row["id"]):
            found[TRAINED + row["id"]] = _words(row)
    return found


def require_words_used(words: Mapping[int, Words], used: Set[int], differences: Differences) -> None:
    """Note every dictionary of *words* with which no content is packed; *used* are the codecs of all contents."""
    for codec in sorted(words.keys() - used):
        differences.add("dictionary", codec - TRAINED, "no content is packed with it")


def stored_content(evidence: Evidence, row: Row) -> bytes:
    """Return the raw bytes of an `artifact` row as `content` does, its dictionary looked up in *evidence*."""

    def words(codec: int) -> Words | None:
        found = evidence.one("dictionary", id=codec - TRAINED)
        return _words(found) if found else None

    return content(row, words)


def _words(row: Row) -> Words:
    return words_of(row["family"], row["digest"], row["codec"], row["bytes"])


def content(row: Row, words: Callable[[int], Words | None]) -> bytes:
    """Return the raw bytes of an `artifact` row; *words* gives the dictionary of a codec.

    Raises `IntegrityError` unless they are what the row says.
    """
    if row["bytes"] is None:
        raise IntegrityError("its bytes are not in the store")
    if row["uri"] is not None:
        raise IntegrityError("its bytes are in the store, and an address beside them")
    known = words(row["codec"]) if row["codec"] >= TRAINED else None
    if row["codec"] >= TRAINED and known is None:
        raise IntegrityError(f"it is packed with dictionary {row['codec'] - TRAINED}, which is not there or altered")
    data = unpack(row["codec"], row["bytes"], known)
    if len(data) != row["length"]:
        raise IntegrityError(f"it has {len(data)} bytes, not the {row['length']} that are recorded")
    if digest(data) != row["digest"]:
        raise IntegrityError("its bytes have another digest")
    return data

"""Sealed contents and erasures: what has a key, what has a tombstone, and, with the keys, what opens to what.

Without the keys every envelope is still compared with its name; that it opens is then a remark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from collector.canonical import digest
from collector.errors import IntegrityError
from collector.sealing import MAGIC, NOT_AT_HAND, Keyring, SubjectKey, unseal
from collector.store.evidence import Evidence, Row
from collector.store.packing import Words
from collector.store.subject_keys import opened_key
from collector.verify.contents import content, read_words, require_words_used
from collector.verify.dictionaries import Dictionaries, Items, counted
from collector.verify.differences import Differences
from collector.verify.numbered import Grouped, Numbered


class Seals:
    """The keys of subjects as recorded, opened with *keys* where those can; what they could not open is counted."""

    def __init__(self, evidence: Evidence, known: Dictionaries, keys: Keyring, differences: Differences) -> None:
        self._rows = {row["id"]: row for row in evidence.rows("sealing_key")}
        self._known, self._keys, self._differences = known, keys, differences
        self._opened: dict[int, SubjectKey | None] = {}
        self._why = ""
        self.unopened = 0
        self.items: set[int] = set()
        self.people: set[int] = set()
        self.nameless: set[int] = set()
        for row in evidence.rows("tombstone"):
            self.items.update(() if row["item"] is None else (row["item"],))
            self.people.update(() if row["person"] is None else (row["person"],))

    def key(self, number: int) -> SubjectKey | None:
        """Return the key in record *number*, None when it cannot be opened here. Raises `IntegrityError`, KeyError."""
        if number not in self._opened:
            row = self._rows[number]
            try:
                subject = self._known.subject(row["subject"])
                self._opened[number] = opened_key(self._keys, number, row["kek"], row["wrapped"], subject)
            except NOT_AT_HAND as error:
                self._opened[number], self._why = None, error.message
        self.unopened += self._opened[number] is None
        return self._opened[number]

    def require_subject(self, number: int, subject: int | None) -> None:
        """Raise ValueError unless record *number* is of *subject*."""
        if self._rows[number]["subject"] != subject:
            raise ValueError(f"its key is under that of another subject, {self._rows[number]['subject']}")

    def close(self, erased: int) -> None:
        """Remark what was not opened, and how much was erased. For when everything was read."""
        if self.unopened:
            self._differences.remark(
                f"{self.unopened:,} sealed things were compared by their digests alone: {self._why}"
            )
        if erased or self.items or self.people:
            self._differences.remark(
                f"erased, each by a tombstone: {erased:,} contents, {len(self.items):,} items, "
                f"{len(self.people):,} names of people"
            )


def read_contents(evidence: Evidence, seals: Seals, differences: Differences) -> Numbered:
    """Unpack and digest every content, and return the digests by number: those named, whatever the bytes are.

    What a tombstone names must be gone, key and all, and be there again, beside, where a later sweep brought it; what
    is sealed must have its key, and open with it.
    """
    names = Numbered()
    words = read_words(evidence, differences)
    used: set[int] = set()
    gone = Grouped(counted(evidence, differences, "erased"), "artifact")
    wrapped = Grouped(counted(evidence, differences, "artifact_key"), "artifact")
    regained = Grouped(counted(evidence, differences, "regained"), "artifact")
    again = evidence.brought_again()
    erased = 0
    for row in counted(evidence, differences, "artifact"):
        with differences.at("artifact", row["id"]):
            names.add(row["id"], row["digest"])
            used.add(row["codec"])
            keys = wrapped.take(row["id"])
            if gone.take(row["id"]):
                erased += 1
                _require_gone(row, keys)
                for kept in regained.take(row["id"]):
                    used.add(kept["codec"])
                    content(row | {"codec": kept["codec"], "bytes": kept["bytes"]}, words.get)
                    again.discard(row["id"])
                if row["id"] in again:
                    raise IntegrityError("it was erased, and a later sweep brought it again: its bytes are not there")
            else:
                _compare(row, keys, seals, words)
    require_words_used(words, used, differences)
    for table, left in (("erased", gone), ("artifact_key", wrapped), ("regained", regained)):
        for row in left.left():
            differences.add(table, row["artifact"], f"there is no artifact {row['artifact']} that it could be of")
    seals.close(erased)
    return names


def _require_gone(row: Row, keys: Sequence[Row]) -> None:
    if row["bytes"] is not None or row["uri"] is not None or keys:
        raise IntegrityError("a tombstone says that it is erased, and it is there")


def _compare(row: Row, keys: Sequence[Row], seals: Seals, words: Mapping[int, Words]) -> None:
    data = content(row, words.get)
    if not data.startswith(MAGIC):
        if keys:
            raise IntegrityError("it is not sealed, and has a key")
        return
    if not keys:
        raise IntegrityError("it is sealed, and its key is not there")
    if (key := seals.key(keys[0]["sealing"])) is not None:
        unseal(data, key.content_secret(row["digest"], keys[0]["wrapped"]))


def read_items(evidence: Evidence, seals: Seals, differences: Differences) -> Items:
    """Read the items; a key that a tombstone names is no difference, nor is one that is sealed; another key is."""
    found = Items()
    wrapped = Grouped(counted(evidence, differences, "item_key"), "item")
    for row in counted(evidence, differences, "item"):
        with differences.at("item", row["id"]):
            found.add(row)
            _compare_key(row, wrapped.take(row["id"]), seals)
            if row["id"] in seals.nameless:
                _require_erased(evidence, row)
    for row in wrapped.left():
        differences.add("item_key", row["item"], f"there is no item {row['item']}")
    return found


def _compare_key(row: Row, keys: Sequence[Row], seals: Seals) -> None:
    if row["key"] is not None:
        if keys:
            raise ValueError("its key is in plain, and sealed beside it")
        if digest(row["key"]) != row["key_digest"]:
            raise ValueError("its key is not the one that its digest is of")
    elif keys:
        seals.require_subject(keys[0]["sealing"], row["subject"])
        if (key := seals.key(keys[0]["sealing"])) is not None:
            key.item_secret(row["key_digest"], keys[0]["wrapped"])
    elif row["id"] in seals.items:
        seals.nameless.add(row["id"])
    else:
        raise ValueError("it has no key, and no tombstone says that it was erased")


def _require_erased(evidence: Evidence, row: Row) -> None:
    """Raise ValueError when the item in *row*, whose key is gone, has a content that is not."""
    for version in evidence.where("item_version", subject=row["subject"], item=row["id"]):
        if evidence.one("erased", artifact=version["artifact"]) is None:
            raise ValueError(f"it has no key, and its artifact {version['artifact']} was not erased")


def check_people(evidence: Evidence, seals: Seals, differences: Differences) -> None:
    """Note each person whose name is gone without a tombstone, or there in spite of one."""
    for row in evidence.rows("actor"):
        if (row["name"] is None) is not (row["id"] in seals.people):
            gone = row["name"] is None
            what = "the name is gone, and no tombstone says so" if gone else "a tombstone says that the name is erased"
            differences.add("actor", row["id"], what)


def erased_by(evidence: Evidence) -> Iterator[Row]:
    """Yield the rows of `erased` by tombstone."""
    return evidence.rows("erased", "tombstone", "artifact")

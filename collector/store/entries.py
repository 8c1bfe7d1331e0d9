"""What a sweep adds, as its leaf commits to it: one canonical entry for each new state and each kept volatile document.

`sweep_root` is the commitment; `collector.store.commitments` makes it again from what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collector.canonical import canonical, population_root
from collector.log.tree import leaf_hash, node_hash
from collector.model import Subject

GONE = bytes(32)


def state_entry(subject: Subject, at: int, count: int, root: bytes, changes: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the entry of a new state; *changes* are (key digest, artifact digest, `GONE` for none)."""
    said = {
        "subject": subject_name(subject),
        "at": at,
        "count": count,
        "root": root.hex(),
        "changes": population_root(changes).hex(),
    }
    return canonical(said)


def volatile_entry(subject: Subject, at: int, name: bytes) -> bytes:
    """Return the entry of the volatile fields whose document has the digest *name*."""
    return canonical({"subject": subject_name(subject), "at": at, "volatile": name.hex()})


def subject_name(subject: Subject) -> str:
    """Return *subject* as entries and messages name it."""
    return f"{subject.source} {subject.kind} {subject.scope}"


def sweep_root(sheet: bytes, frame: bytes, notes: bytes, entries: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 tree hash over a sweep's sheet (its bytes), digests of frame and notes, and its *entries*.

    A digest is empty where there is none. Each is a leaf of its own, so that one entry can be proven without the rest.
    """
    level = [leaf_hash(each) for each in (sheet, frame, notes, *entries)]
    while len(level) > 1:
        # A node without a neighbour is promoted: so the RFC's split at the largest power of two comes about.
        pairs = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[-1:] if len(level) % 2 else pairs
    return level[0]

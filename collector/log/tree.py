"""The Merkle tree of RFC 6962 (section 2.1), pure: hashes, roots, appending, proofs and their verification.

- A leaf hash is SHA-256(0x00 || leaf), an inner hash SHA-256(0x01 || left || right); the root of nothing is SHA-256().
- A tree of any size is a row of complete subtrees, its *peaks*: one for each bit of the size, largest first.
- A proof is a list of 32-byte hashes in the order of the RFC: from the leaf up.
- Proofs are made from complete subtrees alone, so whoever keeps their hashes reads O(log n) of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256

from collector.errors import IntegrityError, QueryError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A complete subtree: the leaves ``[index << level, (index + 1) << level)``; level 0 is a leaf."""

    level: int
    index: int


NodeReader = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hashes of the nodes asked for, in that order; raises rather than leave one out."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf's bytes (RFC 6962, 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node from the hashes of its children (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def peaks(size: int) -> list[Node]:
    """Return the complete subtrees that make up a tree of *size* leaves, largest (leftmost) first."""
    return [Node(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if (size >> level) & 1]


def root(hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash from the hashes of a tree's peaks, largest first."""
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes)) if hashes else EMPTY_ROOT


def append(size: int, hashes: Sequence[bytes], leaf: bytes) -> tuple[list[tuple[Node, bytes]], list[bytes]]:
    """Return what one more leaf hash makes of a tree of *size* leaves whose peaks have *hashes*.

    The first part is the inner nodes that the leaf completes, lowest first; the second the hashes of the new peaks.
    """
    completed: list[tuple[Node, bytes]] = []
    rest, current = list(hashes), leaf
    # As adding one carries in binary, a leaf completes a node for every level at which the tree ends in a whole one.
    for level in range(size.bit_length()):
        if not (size >> level) & 1:
            break
        current = node_hash(rest.pop(), current)
        completed.append((Node(level + 1, size >> level + 1), current))
    return completed, [*rest, current]


def inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Return the audit path of leaf *index* in the tree of the first *size* leaves (RFC 6962, 2.1.1).

    Raises `QueryError` when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise QueryError(f"a log of {size} leaves has no leaf {index}", hint="Leaves are counted from 0.")
    return _read_all(_path(index, size), read)


def consistency_proof(old: int, new: int, read: NodeReader) -> list[bytes]:
    """Return the proof that the first *old* leaves of the tree of *new* leaves are a tree of their own (2.1.2).

    It is empty when *old* is 0 or *new*. Raises `QueryError` when *old* is more than *new*, or negative.
    """
    if not 0 <= old <= new:
        raise QueryError(f"a log of {new} leaves never was one of {old}")
    if old in (0, new):
        return []
    # The old tree's last peak, then the path up from it; the verifier knows a lone peak: it is the old root.
    last, lone = _last_peak(old)
    path = _path(old - 1, new)[last.level :]
    return _read_all(path if lone else [[last], *path], read)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `IntegrityError` unless *proof* shows that the *size* leaves under *root* hold hash *leaf* at *index*."""
    if not 0 <= index < size:
        raise IntegrityError(f"no inclusion: a log of {size} leaves has no leaf {index}")
    levels = _levels(index, size)
    _require_hashes(proof, len(levels), leaf, root)
    if _climb(leaf, index, levels, proof) != root:
        raise IntegrityError(f"no inclusion: the proof of leaf {index} in {size} leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `IntegrityError` unless *proof* shows that *new* leaves under *new_root* begin with *old* under *old_root*.

    The log of no leaves has the root `EMPTY_ROOT` and is the beginning of any other.
    """
    if not 0 <= old <= new:
        raise IntegrityError(f"no consistency: a log of {old} leaves cannot become one of {new}")
    if old in (0, new):
        _require_hashes(proof, 0, old_root, new_root)
        if (old == 0 and old_root != EMPTY_ROOT) or (old == new and old_root != new_root):
            raise IntegrityError(f"no consistency: two roots for one log of {old} leaves")
        return
    last, lone = _last_peak(old)
    levels = _levels(old - 1, new)[last.level :]
    _require_hashes(proof, len(levels) + (not lone), old_root, new_root)
    seed, path = (old_root, proof) if lone else (proof[0], proof[1:])
    # Of the path, the old tree holds what lies to the left; what lies to the right was appended later.
    left = [each for level, each in zip(levels, path, strict=True) if _is_right(old - 1, level)]
    if reduce(lambda right, each: node_hash(each, right), left, seed) != old_root:
        raise IntegrityError(f"no consistency: the proof from {old} to {new} leads to another old root")
    if _climb(seed, old - 1, levels, path) != new_root:
        raise IntegrityError(f"no consistency: the proof from {old} to {new} leads to another new root")


def _levels(index: int, size: int) -> list[int]:
    """Return the levels at which what stands over leaf *index* has a sibling; elsewhere the right edge promotes it."""
    return [level for level in range(size.bit_length()) if _sibling(index, level) << level < size]


def _sibling(index: int, level: int) -> int:
    return (index >> level) ^ 1


def _is_right(index: int, level: int) -> bool:
    return (index >> level) & 1 == 1


def _last_peak(size: int) -> tuple[Node, bool]:
    """Return the last peak of a tree that is not empty, and whether it is the only one."""
    all_peaks = peaks(size)
    return all_peaks[-1], len(all_peaks) == 1


def _path(index: int, size: int) -> list[list[Node]]:
    """Return the siblings on the way up from leaf *index*, lowest first, each as the complete subtrees in it."""
    path = []
    for level in _levels(index, size):
        start = _sibling(index, level) << level
        # A sibling at the right edge need not be complete.
        under = peaks(min(1 << level, size - start))
        path.append([Node(peak.level, peak.index + (start >> peak.level)) for peak in under])
    return path


def _read_all(groups: Sequence[Sequence[Node]], read: NodeReader) -> list[bytes]:
    hashes = iter(read([node for group in groups for node in group]))
    return [root([next(hashes) for _ in group]) for group in groups]


def _climb(seed: bytes, index: int, levels: Sequence[int], path: Sequence[bytes]) -> bytes:
    current = seed
    for level, sibling in zip(levels, path, strict=True):
        current = node_hash(sibling, current) if _is_right(index, level) else node_hash(current, sibling)
    return current


def _require_hashes(proof: Sequence[bytes], count: int, *others: bytes) -> None:
    if len(proof) != count:
        raise IntegrityError(f"the proof has {len(proof)} hashes instead of {count}")
    if any(len(each) != HASH_BYTES for each in (*proof, *others)):
        raise IntegrityError(f"the proof has a hash that is not of {HASH_BYTES} bytes")

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
    return [Node(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1]


def root(hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash from the hashes of a tree's peaks, largest first."""
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes)) if hashes else EMPTY_ROOT


def append(size: int, hashes: Sequence[bytes], leaf: bytes) -> tuple[list[tuple[Node, bytes]], list[bytes]]:
    """Return what one more leaf hash makes of a tree of *size* leaves whose peaks have *hashes*.

    The first part is the inner nodes that the leaf completes, lowest first; the second the hashes of the new peaks.
    """
    completed: list[tuple[Node, bytes]] = []
    rest, current = list(hashes), leaf
    # A leaf completes one node for each 1 at the end of its index, as adding one carries in binary.
    for level in range(1, _trailing_zeros(size + 1) + 1):
        current = node_hash(rest.pop(), current)
        completed.append((Node(level, size >> level), current))
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
    shift = _trailing_zeros(old)
    # The old tree's last peak, then the path up from it; the verifier knows a lone peak: it is the old root.
    path = _path(old - 1, new)[shift:]
    return _read_all(path if old == 1 << shift else [[Node(shift, old - 1 >> shift)], *path], read)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `IntegrityError` unless *proof* shows that the *size* leaves under *root* hold hash *leaf* at *index*."""
    if not 0 <= index < size:
        raise IntegrityError(f"no inclusion: a log of {size} leaves has no leaf {index}")
    inner = _inner(index, size)
    _require_hashes(proof, inner + (index >> inner).bit_count())
    if _climb(leaf, index, proof, inner) != root:
        raise IntegrityError(f"no inclusion: the proof of leaf {index} in {size} leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `IntegrityError` unless *proof* shows that *new* leaves under *new_root* begin with *old* under *old_root*.

    The log of no leaves has the root `EMPTY_ROOT` and is the beginning of any other.
    """
    if not 0 <= old <= new:
        raise IntegrityError(f"no consistency: a log of {old} leaves cannot become one of {new}")
    if old in (0, new):
        _require_hashes(proof, 0)
        if old_root != (new_root if old else EMPTY_ROOT) or (new == 0 and new_root != EMPTY_ROOT):
            raise IntegrityError(f"no consistency: two roots for one log of {old} leaves")
        return
    shift = _trailing_zeros(old)
    inner = _inner(old - 1, new) - shift
    index = old - 1 >> shift
    seeded = old == 1 << shift
    _require_hashes(proof, (not seeded) + inner + (index >> inner).bit_count())
    seed, path = (old_root, proof) if seeded else (proof[0], proof[1:])
    # Of the path, the old tree holds what lies to the left; what lies to the right was appended later.
    left = [each for level, each in enumerate(path) if _on_the_left(level, index, inner)]
    if reduce(lambda right, each: node_hash(each, right), left, seed) != old_root:
        raise IntegrityError(f"no consistency: the proof from {old} to {new} leads to another old root")
    if _climb(seed, index, path, inner) != new_root:
        raise IntegrityError(f"no consistency: the proof from {old} to {new} leads to another new root")


def _inner(index: int, size: int) -> int:
    """Levels below the one where the way up from *index* meets the tree's right edge; above, all siblings are left."""
    return (index ^ size - 1).bit_length()


def _path(index: int, size: int) -> list[list[Node]]:
    """Siblings on the way up from leaf *index*, lowest first, each as the peaks of what lies under it."""
    inner = _inner(index, size)
    path = [[Node(level, index >> level ^ 1)] for level in range(inner)]
    if path:
        # The highest of these reaches the tree's right edge, where it need not be complete.
        start = (index >> inner - 1 ^ 1) << inner - 1
        path[-1] = [peak for peak in peaks(size) if peak.index << peak.level >= start]
    return path + [
        [Node(level, (index >> level) - 1)] for level in range(inner, index.bit_length()) if index >> level & 1
    ]


def _read_all(groups: Sequence[Sequence[Node]], read: NodeReader) -> list[bytes]:
    hashes = iter(read([node for group in groups for node in group]))
    return [root([next(hashes) for _ in group]) for group in groups]


def _climb(seed: bytes, index: int, path: Sequence[bytes], inner: int) -> bytes:
    current = seed
    for level, sibling in enumerate(path):
        pair = (sibling, current) if _on_the_left(level, index, inner) else (current, sibling)
        current = node_hash(*pair)
    return current


def _on_the_left(level: int, index: int, inner: int) -> bool:
    return level >= inner or index >> level & 1 == 1


def _require_hashes(proof: Sequence[bytes], count: int) -> None:
    if len(proof) != count:
        raise IntegrityError(f"the proof has {len(proof)} hashes instead of {count}")
    if any(len(each) != HASH_BYTES for each in proof):
        raise IntegrityError(f"the proof has a hash that is not of {HASH_BYTES} bytes")


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1

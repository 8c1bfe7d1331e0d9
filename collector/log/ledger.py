"""The log on a database: append, read and prove, on the caller's connection and inside the caller's transaction.

- `create` and `append` lock the head row before they read it, so that appends stand in line and never fork:
  PostgreSQL by ``SELECT ... FOR UPDATE``; on SQLite the caller must already hold the write lock (``BEGIN IMMEDIATE``).
- What is appended commits and rolls back with the caller's own rows; nothing here begins, commits or rolls back.
- Hashes are taken from stored bytes; a leaf's columns are projections of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, tuple_, type_coerce, update
from sqlalchemy.types import NullType

from collector.errors import IntegrityError, QueryError, StoreError
from collector.log import tree
from collector.log.leaf import LeafContent, LeafKind, decode_leaf, encode_leaf
from collector.log.tables import log_head, log_leaf, log_node
from collector.log.tree import HASH_BYTES, Node
from collector.model import Json

_PAGE = 1000
# The drivers' own values: SQLAlchemy's reading of a BLOB makes bytes(n) of a number that someone put in its place.
_DATA = type_coerce(log_leaf.c.bytes, NullType()).label("bytes")
_HASH = type_coerce(log_node.c.hash, NullType()).label("hash")
_HEAD = (
    log_head.c.size,
    type_coerce(log_head.c.root, NullType()).label("root"),
    type_coerce(log_head.c.peaks, NullType()).label("peaks"),
)


@dataclass(frozen=True, slots=True)
class LogHead:
    """The log at one moment: how many leaves it has and the Merkle tree hash over them."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf as stored: its position, its exact bytes, and what they say."""

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
        return tree.leaf_hash(self.data)


@dataclass(frozen=True, slots=True)
class _Head:
    size: int
    root: bytes
    peaks: tuple[bytes, ...]


def create(conn: Connection, payload: Mapping[str, Json], at_ms: int) -> int:
    """Start the log with its genesis leaf and return that leaf's index, 0.

    Raises `StoreError` when the store already has a log, `OutsideProfile` as `encode_leaf` does.
    """
    if conn.execute(select(*_HEAD).with_for_update()).first() is not None:
        raise StoreError("the store already has a log", hint="Open the store instead of creating it.")
    conn.execute(insert(log_head).values(id=1, size=0, root=tree.EMPTY_ROOT, peaks=b""))
    return append(conn, LeafKind.GENESIS, payload, at_ms)


def append(conn: Connection, kind: LeafKind, payload: Mapping[str, Json], at_ms: int) -> int:
    """Append one leaf and return its index; it counts when the caller commits.

    Raises `OutsideProfile` as `encode_leaf` does; ValueError for a genesis that is not first, or another that is;
    `IntegrityError` when the head row is missing, contradicts itself or changed in spite of the lock.
    """
    data = encode_leaf(kind, at_ms, payload)
    head = _read_head(conn, lock=True)
    index = head.size
    if (LeafKind(kind) is LeafKind.GENESIS) != (index == 0):
        raise ValueError(f"a {kind} leaf cannot be leaf {index}: a log begins with its one genesis")
    completed, peaks = tree.append(index, head.peaks, tree.leaf_hash(data))
    conn.execute(insert(log_leaf).values(idx=index, kind=LeafKind(kind).value, at=at_ms, bytes=data))
    if completed:
        rows = [{"level": node.level, "idx": node.index, "hash": each} for node, each in completed]
        conn.execute(insert(log_node), rows)
    moved = conn.execute(
        update(log_head)
        .where(log_head.c.id == 1, log_head.c.size == index)
        .values(size=index + 1, root=tree.root(peaks), peaks=b"".join(peaks))
    )
    if moved.rowcount != 1:
        raise IntegrityError(f"log head: it left size {index} while leaf {index} was being appended")
    return index


def head(conn: Connection) -> LogHead:
    """Return the log's size and root. Raises `IntegrityError` when the head row is missing or contradicts itself."""
    found = _read_head(conn)
    return LogHead(found.size, found.root)


def leaf(conn: Connection, index: int) -> Leaf:
    """Return one leaf. Raises `QueryError` when there is none at *index*, `IntegrityError` when it is not a leaf."""
    for each in leaves(conn, index, index + 1):
        return each
    raise QueryError(f"the log has no leaf {index}", hint="Leaves are counted from 0.")


def leaves(conn: Connection, start: int = 0, end: int | None = None) -> Iterator[Leaf]:
    """Yield the leaves ``[start, end)`` in order; to the last one when *end* is None.

    Raises `IntegrityError` where a leaf is missing before the last one, or its bytes are not a leaf.
    """
    for index, data, _, _ in stored_leaves(conn, start, end):
        yield Leaf(index, data, _decode(index, data))


def stored_leaves(conn: Connection, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes, Json, Json]]:
    """Yield (index, bytes, kind column, at column) of the leaves ``[start, end)``, the columns as they were found.

    Raises `IntegrityError` where a leaf is missing before the last one, or its bytes are not bytes.
    """
    query = select(log_leaf.c.idx, _DATA, log_leaf.c.kind, log_leaf.c.at).order_by(log_leaf.c.idx).limit(_PAGE)
    expected = start
    while end is None or expected < end:
        page = query.where(log_leaf.c.idx >= expected)
        rows = conn.execute(page if end is None else page.where(log_leaf.c.idx < end)).all()
        for index, data, kind, at in rows:
            if index != expected:
                raise IntegrityError(f"log leaf {expected}: it is missing")
            yield index, _stored_bytes(data, f"log leaf {index}"), kind, at
            expected += 1
        if len(rows) < _PAGE:
            return


def root_at(conn: Connection, size: int) -> bytes:
    """Return the root that the log had at *size* leaves. Raises `QueryError` when it never had as many."""
    _require_size(conn, size)
    return tree.root(node_reader(conn)(tree.peaks(size)))


def inclusion_proof(conn: Connection, index: int, size: int) -> list[bytes]:
    """Return the audit path of leaf *index* in the log of *size* leaves (RFC 6962, 2.1.1).

    Raises `QueryError` when there is no such leaf or size, `IntegrityError` when a node it needs is missing.
    """
    _require_size(conn, size)
    return tree.inclusion_proof(index, size, node_reader(conn))


def consistency_proof(conn: Connection, old: int, new: int) -> list[bytes]:
    """Return the proof that the log of *new* leaves begins with that of *old* leaves (RFC 6962, 2.1.2).

    Raises `QueryError` when there never was such a size, `IntegrityError` when a node it needs is missing.
    """
    _require_size(conn, new)
    return tree.consistency_proof(old, new, node_reader(conn))


def node_reader(conn: Connection) -> tree.NodeReader:
    """Return what reads hashes of complete subtrees from the database: two queries, whatever the number of nodes."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        inner = [(node.level, node.index) for node in nodes if node.level]
        wanted_leaves = [node.index for node in nodes if not node.level]
        found: dict[Node, bytes] = {}
        if inner:
            query = select(log_node.c.level, log_node.c.idx, _HASH)
            for level, index, value in conn.execute(query.where(tuple_(log_node.c.level, log_node.c.idx).in_(inner))):
                found[Node(level, index)] = stored_hash(value, f"log node {level}/{index}")
        if wanted_leaves:
            query = select(log_leaf.c.idx, _DATA)
            for index, data in conn.execute(query.where(log_leaf.c.idx.in_(wanted_leaves))):
                found[Node(0, index)] = tree.leaf_hash(_stored_bytes(data, f"log leaf {index}"))
        for node in nodes:
            if node not in found:
                raise IntegrityError(f"log node {node.level}/{node.index}: it is missing")
        return [found[node] for node in nodes]

    return read


def stored_hash(value: object, place: str) -> bytes:
    """Return *value* when it is 32 bytes; raises `IntegrityError` naming *place* otherwise."""
    data = _stored_bytes(value, place)
    if len(data) != HASH_BYTES:
        raise IntegrityError(f"{place}: {len(data)} bytes are not a SHA-256")
    return data


def _stored_bytes(value: object, place: str) -> bytes:
    if not isinstance(value, bytes):
        raise IntegrityError(f"{place}: {type(value).__name__} stands where bytes were stored")
    return value


def _decode(index: int, data: bytes) -> LeafContent:
    try:
        return decode_leaf(data)
    except IntegrityError as error:
        raise IntegrityError(f"log leaf {index}: {error.message}") from error


def _require_size(conn: Connection, size: int) -> None:
    now = _read_head(conn).size
    if not 0 <= size <= now:
        raise QueryError(f"the log has {now} leaves and never had {size}")


def _read_head(conn: Connection, *, lock: bool = False) -> _Head:
    query = select(*_HEAD)
    rows = conn.execute(query.with_for_update() if lock else query).all()
    if len(rows) != 1:
        raise IntegrityError(f"log head: {len(rows)} rows instead of one")
    size, root, data = rows[0]
    if not isinstance(size, int) or size < 0:
        raise IntegrityError(f"log head: {size!r} is not a size")
    data = _stored_bytes(data, "log head peaks")
    peaks = tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))
    if len(data) != size.bit_count() * HASH_BYTES or tree.root(peaks) != stored_hash(root, "log head root"):
        raise IntegrityError("log head: its size, peaks and root contradict each other")
    return _Head(size, root, peaks)

"""The log on a database: append, read and prove, on the caller's connection and inside the caller's transaction.

- `create` and `append` lock the head row before they read it, so that appends stand in line and never fork:
  PostgreSQL by ``SELECT ... FOR UPDATE``; on SQLite the caller must already hold the write lock (``BEGIN IMMEDIATE``).
- What is appended commits and rolls back with the caller's own rows; nothing here begins, commits or rolls back.
- Hashes are taken from stored bytes, packed or not (`collector.log.packing`); a leaf's columns are projections of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, type_coerce, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import NullType

from collector.errors import IntegrityError, QueryError, StoreError
from collector.log import tree
from collector.log.leaf import Leaf, LeafContent, LeafKind, decode_leaf, encode_leaf
from collector.log.packing import pack_leaf, unpack_leaf
from collector.log.tables import log_head, log_leaf, log_node
from collector.log.tree import HASH_BYTES, Node
from collector.model import Json

_PAGE = 1000
_STEP = 4
"""Every fourth level of nodes is stored, a row for 16 below it; what lies between is hashed from those when needed."""
# The drivers' own values: SQLAlchemy's reading of a BLOB makes bytes(n) of a number that someone put in its place.
_DATA = type_coerce(log_leaf.c.bytes, NullType()).label("bytes")
_HASH = type_coerce(log_node.c.hash, NullType()).label("hash")
_HEAD = (
    log_head.c.size,
    type_coerce(log_head.c.root, NullType()).label("root"),
    type_coerce(log_head.c.peaks, NullType()).label("peaks"),
)

_ONLY_HEAD = select(*_HEAD)
_LOCKED_HEAD = _ONLY_HEAD.with_for_update()
_LEAF = insert(log_leaf)
_MOVE = (
    update(log_head)
    .where(log_head.c.id == 1, log_head.c.size == bindparam("from"))
    .values({each: bindparam(each) for each in ("size", "root", "peaks")})
)


@dataclass(frozen=True, slots=True)
class LogHead:
    """The log at one moment: how many leaves it has and the Merkle tree hash over them."""

    size: int
    root: bytes


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
    conn.execute(_LEAF, {"idx": index, "kind": LeafKind(kind).value, "at": at_ms, "bytes": pack_leaf(data)})
    rows = [{"level": node.level, "idx": node.index, "hash": each} for node, each in completed if _is_stored(node)]
    if rows:
        conn.execute(insert(log_node), rows)
    moved = conn.execute(_MOVE, {"from": index, "size": index + 1, "root": tree.root(peaks), "peaks": b"".join(peaks)})
    if moved.rowcount != 1:
        raise IntegrityError(f"log head: it left size {index} while leaf {index} was being appended")
    return index


def head(conn: Connection) -> LogHead:
    """Return the log's size and root. Raises `IntegrityError` when the head row is missing or contradicts itself."""
    found = _read_head(conn)
    return LogHead(found.size, found.root)


def leaf(conn: Connection, index: int) -> Leaf:
    """Return one leaf. Raises `QueryError` when there is none at *index*, `IntegrityError` as `leaves` does."""
    size = _read_head(conn).size
    if not 0 <= index < size:
        raise QueryError(f"a log of {size} leaves has no leaf {index}", hint="Leaves are counted from 0.")
    return next(leaves(conn, index, index + 1))


def leaves(conn: Connection, start: int = 0, end: int | None = None) -> Iterator[Leaf]:
    """Yield the leaves ``[start, end)`` in order, as far as the log goes; to the last one when *end* is None.

    Raises `IntegrityError` where a leaf is missing, or its bytes are not a leaf; `QueryError` for a negative *start*.
    """
    if start < 0:
        raise QueryError(f"the log has no leaf {start}", hint="Leaves are counted from 0.")
    size = _read_head(conn).size
    end = size if end is None else min(end, size)
    for index, data, _, _ in _stored_leaves(conn, start, end):
        yield Leaf(index, data, _decode(index, data))


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


def check(conn: Connection, *, columns: bool = True) -> LogHead:
    """Recompute the whole log from its stored bytes and return the head that was proven.

    Compares every node, the peaks and the root, and every leaf's *columns* unless the caller has done so already.
    Raises `IntegrityError` naming the first place that differs. The caller's transaction must see one state of the
    database: on PostgreSQL, REPEATABLE READ. A log rewritten as a whole, by someone who also rewrote its nodes and
    head, passes: only a head kept elsewhere can tell.
    """
    _require_one_state(conn)
    head, read = _read_head(conn), node_reader(conn)
    size, peaks = 0, list[bytes]()
    unread: list[tuple[Node, bytes]] = []
    for index, data, kind, at in _stored_leaves(conn, 0, head.size):
        if columns:
            _compare_columns(Leaf(index, data, _decode(index, data)), kind, at)
        completed, peaks = tree.append(size, peaks, tree.leaf_hash(data))
        size += 1
        unread.extend((node, computed) for node, computed in completed if _is_stored(node))
        if len(unread) >= _PAGE:
            _compare_nodes(read, unread)
            unread = []
    _compare_nodes(read, unread)
    _require_no_more(conn, head.size)
    if tuple(peaks) != head.peaks:
        raise IntegrityError(f"log head: its root is not that of the {size} leaves")
    return LogHead(head.size, head.root)


def node_reader(conn: Connection) -> tree.NodeReader:
    """Return what reads hashes of complete subtrees from the database: at most two queries for any number of them."""
    read = _stored_reader(conn)

    def read_any(nodes: Sequence[Node]) -> list[bytes]:
        wanted = [_parts(node) for node in nodes]
        hashes = iter(read([part for parts in wanted for part in parts]))
        return [_fold([next(hashes) for _ in parts]) for parts in wanted]

    return read_any


def _is_stored(node: Node) -> bool:
    return node.level % _STEP == 0


def _parts(node: Node) -> list[Node]:
    """Return the nodes of the next stored level below that make up *node*; itself when it is stored."""
    height = node.level % _STEP
    return [Node(node.level - height, (node.index << height) + at) for at in range(1 << height)]


def _fold(hashes: list[bytes]) -> bytes:
    """Return the hash over a complete subtree from those of all its nodes of one level."""
    while len(hashes) > 1:
        hashes = [tree.node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def _stored_reader(conn: Connection) -> tree.NodeReader:
    def read(nodes: Sequence[Node]) -> list[bytes]:
        levels: dict[int, list[int]] = {}
        for node in nodes:
            levels.setdefault(node.level, []).append(node.index)
        found: dict[Node, bytes] = {}
        if 0 in levels:
            query = select(log_leaf.c.idx, _DATA).where(log_leaf.c.idx.in_(levels.pop(0)))
            for index, data in conn.execute(query):
                found[Node(0, index)] = tree.leaf_hash(_stored_leaf(index, data))
        if levels:
            # Level by level: SQLite scans the table for (level, idx) IN (...).
            wanted = [and_(log_node.c.level == level, log_node.c.idx.in_(each)) for level, each in levels.items()]
            for level, index, value in conn.execute(
                select(log_node.c.level, log_node.c.idx, _HASH).where(or_(*wanted))
            ):
                found[Node(level, index)] = _stored_hash(value, f"log node {level}/{index}")
        for node in nodes:
            if node not in found:
                raise IntegrityError(f"log node {node.level}/{node.index}: it is missing")
        return [found[node] for node in nodes]

    return read


def _stored_leaves(conn: Connection, start: int, end: int) -> Iterator[tuple[int, bytes, Json, Json]]:
    """Yield (index, bytes, kind column, at column), in order, without a gap, the columns as they were found."""
    query = select(log_leaf.c.idx, _DATA, log_leaf.c.kind, log_leaf.c.at).order_by(log_leaf.c.idx).limit(_PAGE)
    expected = start
    while expected < end:
        try:
            rows = conn.execute(query.where(log_leaf.c.idx >= expected, log_leaf.c.idx < end)).all()
        except OperationalError as error:
            if "decode to UTF-8" not in str(error.orig):
                raise
            raise IntegrityError(f"log leaf {expected} or one after it: its kind is not text") from error
        for index, data, kind, at in rows:
            if index != expected:
                raise IntegrityError(f"log leaf {expected}: it is missing")
            yield index, _stored_leaf(index, data), kind, at
            expected += 1
        if not rows:
            raise IntegrityError(f"log leaf {expected}: it is missing")


def _compare_columns(leaf: Leaf, kind: Json, at: Json) -> None:
    if kind != leaf.kind.value:
        raise IntegrityError(f"log leaf {leaf.index}: its column says kind {kind!r}, its bytes {leaf.kind.value!r}")
    if type(at) is not int or at != leaf.at_ms:
        raise IntegrityError(f"log leaf {leaf.index}: its column says at {at!r}, its bytes {leaf.at_ms}")
    if (leaf.kind is LeafKind.GENESIS) != (leaf.index == 0):
        raise IntegrityError(f"log leaf {leaf.index}: a {leaf.kind.value} leaf cannot stand here")


def _compare_nodes(read: tree.NodeReader, nodes: Sequence[tuple[Node, bytes]]) -> None:
    stored = read([node for node, _ in nodes])
    for (node, computed), found in zip(nodes, stored, strict=True):
        if found != computed:
            start, end = node.index << node.level, (node.index + 1) << node.level
            raise IntegrityError(
                f"log node {node.level}/{node.index}: it is not the hash of leaves {start} to {end - 1}"
            )


def _require_no_more(conn: Connection, size: int) -> None:
    """Raise unless there are no leaves and nodes but those of a log of *size* leaves, all of which were found."""
    count, lowest, highest = conn.execute(
        select(func.count(), func.min(log_leaf.c.idx), func.max(log_leaf.c.idx))
    ).one()
    if count != size:
        raise IntegrityError(
            f"log leaf {lowest if lowest < 0 else highest}: the head counts {size} leaves, not {count}"
        )
    query = select(log_node.c.level, func.count()).group_by(log_node.c.level).order_by(log_node.c.level)
    for level, nodes in conn.execute(query):
        allowed = size >> level if isinstance(level, int) and level > 0 and level % _STEP == 0 else 0
        if nodes != allowed:
            raise IntegrityError(f"log nodes of level {level}: {nodes} instead of {allowed}")


def _require_one_state(conn: Connection) -> None:
    # Otherwise a leaf appended between two of our queries would look like tampering.
    if conn.dialect.name == "postgresql" and conn.get_isolation_level() not in ("REPEATABLE READ", "SERIALIZABLE"):
        raise ValueError("the log can be checked only in a transaction that sees one state: REPEATABLE READ")


def _stored_hash(value: object, place: str) -> bytes:
    data = _stored_bytes(value, place)
    if len(data) != HASH_BYTES:
        raise IntegrityError(f"{place}: {len(data)} bytes are not a SHA-256")
    return data


def _stored_leaf(index: int, value: object) -> bytes:
    place = f"log leaf {index}"
    try:
        return unpack_leaf(_stored_bytes(value, place))
    except IntegrityError as error:
        raise IntegrityError(
            error.message if error.message.startswith(place) else f"{place}: {error.message}"
        ) from error


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
    rows = conn.execute(_LOCKED_HEAD if lock else _ONLY_HEAD).all()
    if len(rows) != 1:
        raise IntegrityError(f"log head: {len(rows)} rows instead of one")
    size, root, data = rows[0]
    if not isinstance(size, int) or size < 0:
        raise IntegrityError(f"log head: {size!r} is not a size")
    data = _stored_bytes(data, "log head peaks")
    peaks = tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))
    if len(data) != size.bit_count() * HASH_BYTES or tree.root(peaks) != _stored_hash(root, "log head root"):
        raise IntegrityError("log head: its size, peaks and root contradict each other")
    return _Head(size, root, peaks)

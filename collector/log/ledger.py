"""The log on a database: append, read and prove, on the caller's connection and inside the caller's transaction.

- `create` and `append` lock the head row before they read it, so that appends stand in line and never fork:
  PostgreSQL by ``SELECT ... FOR UPDATE``; on SQLite the caller must already hold the write lock (``BEGIN IMMEDIATE``).
- What is appended commits and rolls back with the caller's own rows; nothing here begins, commits or rolls back.
- Hashes are taken from stored bytes, packed or not (`collector.log.packing`); a leaf's columns are projections of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from collector.errors import IntegrityError, QueryError, StoreError
from collector.log import tree
from collector.log.leaf import Leaf, LeafKind, encode_leaf
from collector.log.packing import pack_leaf
from collector.log.stored import PAGE, STEP, Head, decoded, is_stored, node_reader, read_head, stored_leaves
from collector.log.tables import log_head, log_leaf, log_node
from collector.log.tree import Node
from collector.model import Json

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


def create(conn: Connection, payload: Mapping[str, Json], at_ms: int) -> int:
    """Start the log with its genesis leaf and return that leaf's index, 0.

    Raises `StoreError` when the store already has a log, `OutsideProfile` as `encode_leaf` does.
    """
    if conn.execute(select(log_head.c.size).with_for_update()).first() is not None:
        raise StoreError("the store already has a log", hint="Open the store instead of creating it.")
    conn.execute(insert(log_head).values(id=1, size=0, root=tree.EMPTY_ROOT, peaks=b""))
    return append(conn, LeafKind.GENESIS, payload, at_ms)


class Tip:
    """The end of the log, locked for the rest of the transaction: what is appended by it alone comes after it.

    Raises `IntegrityError` when the head row is missing or contradicts itself.
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._head = read_head(conn, lock=True)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._head.size

    def append(self, kind: LeafKind, payload: Mapping[str, Json], at_ms: int) -> int:
        """Append one leaf and return its index; raises as the function does."""
        data = encode_leaf(kind, at_ms, payload)
        index = self._head.size
        if (LeafKind(kind) is LeafKind.GENESIS) != (index == 0):
            raise ValueError(f"a {kind} leaf cannot be leaf {index}: a log begins with its one genesis")
        completed, peaks = tree.append(index, self._head.peaks, tree.leaf_hash(data))
        row = {"idx": index, "kind": LeafKind(kind).value, "at": at_ms, "bytes": pack_leaf(data)}
        self._conn.execute(_LEAF, row)
        rows = [{"level": node.level, "idx": node.index, "hash": each} for node, each in completed if is_stored(node)]
        if rows:
            self._conn.execute(insert(log_node), rows)
        root = tree.root(peaks)
        moved = self._conn.execute(_MOVE, {"from": index, "size": index + 1, "root": root, "peaks": b"".join(peaks)})
        if moved.rowcount != 1:
            raise IntegrityError(f"log head: it left size {index} while leaf {index} was being appended")
        self._head = Head(index + 1, root, tuple(peaks))
        return index


def append(conn: Connection, kind: LeafKind, payload: Mapping[str, Json], at_ms: int) -> int:
    """Append one leaf and return its index; it counts when the caller commits.

    Raises `OutsideProfile` as `encode_leaf` does; ValueError for a genesis that is not first, or another that is;
    `IntegrityError` when the head row is missing, contradicts itself or changed in spite of the lock.
    """
    return Tip(conn).append(kind, payload, at_ms)


def head(conn: Connection) -> LogHead:
    """Return the log's size and root. Raises `IntegrityError` when the head row is missing or contradicts itself."""
    found = read_head(conn)
    return LogHead(found.size, found.root)


def leaf(conn: Connection, index: int) -> Leaf:
    """Return one leaf. Raises `QueryError` when there is none at *index*, `IntegrityError` as `leaves` does."""
    size = read_head(conn).size
    if not 0 <= index < size:
        raise QueryError(f"a log of {size} leaves has no leaf {index}", hint="Leaves are counted from 0.")
    return next(leaves(conn, index, index + 1))


def leaves(conn: Connection, start: int = 0, end: int | None = None) -> Iterator[Leaf]:
    """Yield the leaves ``[start, end)`` in order, as far as the log goes; to the last one when *end* is None.

    Raises `IntegrityError` where a leaf is missing, or its bytes are not a leaf; `QueryError` for a negative *start*.
    """
    if start < 0:
        raise QueryError(f"the log has no leaf {start}", hint="Leaves are counted from 0.")
    size = read_head(conn).size
    end = size if end is None else min(end, size)
    for index, data, _, _ in stored_leaves(conn, start, end):
        yield Leaf(index, data, decoded(index, data))


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
    head, read = read_head(conn), node_reader(conn)
    size, peaks = 0, list[bytes]()
    unread: list[tuple[Node, bytes]] = []
    for index, data, kind, at in stored_leaves(conn, 0, head.size):
        if columns:
            _compare_columns(Leaf(index, data, decoded(index, data)), kind, at)
        completed, peaks = tree.append(size, peaks, tree.leaf_hash(data))
        size += 1
        unread.extend((node, computed) for node, computed in completed if is_stored(node))
        if len(unread) >= PAGE:
            _compare_nodes(read, unread)
            unread = []
    _compare_nodes(read, unread)
    _require_no_more(conn, head.size)
    if tuple(peaks) != head.peaks:
        raise IntegrityError(f"log head: its root is not that of the {size} leaves")
    return LogHead(head.size, head.root)


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
        allowed = size >> level if isinstance(level, int) and level > 0 and level % STEP == 0 else 0
        if nodes != allowed:
            raise IntegrityError(f"log nodes of level {level}: {nodes} instead of {allowed}")


def _require_one_state(conn: Connection) -> None:
    # Otherwise a leaf appended between two of our queries would look like tampering.
    if conn.dialect.name == "postgresql" and conn.get_isolation_level() not in ("REPEATABLE READ", "SERIALIZABLE"):
        raise ValueError("the log can be checked only in a transaction that sees one state: REPEATABLE READ")


def _require_size(conn: Connection, size: int) -> None:
    now = read_head(conn).size
    if not 0 <= size <= now:
        raise QueryError(f"the log has {now} leaves and never had {size}")

"""The log's rows as they are stored: read, unpacked and looked at, before anything believes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select, type_coerce
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import NullType

from collector.errors import IntegrityError
from collector.log import tree
from collector.log.leaf import LeafContent, decode_leaf
from collector.log.packing import unpack_leaf
from collector.log.tables import log_head, log_leaf, log_node
from collector.log.tree import HASH_BYTES, Node
from collector.model import Json

PAGE = 1000
STEP = 4
"""Every fourth level of nodes is stored, a row for 16 below it; what lies between is hashed from those when needed."""
# The drivers' own values: SQLAlchemy's reading of a BLOB makes bytes(n) of a number that someone put in its place.
_DATA = type_coerce(log_leaf.c.bytes, NullType()).label("bytes")
_HASH = type_coerce(log_node.c.hash, NullType()).label("hash")
_ONLY_HEAD = select(
    log_head.c.size,
    type_coerce(log_head.c.root, NullType()).label("root"),
    type_coerce(log_head.c.peaks, NullType()).label("peaks"),
)
_LOCKED_HEAD = _ONLY_HEAD.with_for_update()


@dataclass(frozen=True, slots=True)
class Head:
    """The head row: how many leaves there are, the hash over all, and those of the complete subtrees."""

    size: int
    root: bytes
    peaks: tuple[bytes, ...]


def read_head(conn: Connection, *, lock: bool = False) -> Head:
    """Return the head row, locked if so. Raises `IntegrityError` when it is missing or contradicts itself."""
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
    return Head(size, root, peaks)


def stored_leaves(conn: Connection, start: int, end: int) -> Iterator[tuple[int, bytes, Json, Json]]:
    """Yield (index, bytes, kind column, at column), in order, without a gap, the columns as they were found."""
    query = select(log_leaf.c.idx, _DATA, log_leaf.c.kind, log_leaf.c.at).order_by(log_leaf.c.idx).limit(PAGE)
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


def node_reader(conn: Connection) -> tree.NodeReader:
    """Return what reads hashes of complete subtrees from the database: at most two queries for any number of them."""
    read = _stored_reader(conn)

    def read_any(nodes: Sequence[Node]) -> list[bytes]:
        wanted = [_parts(node) for node in nodes]
        hashes = iter(read([part for parts in wanted for part in parts]))
        return [_fold([next(hashes) for _ in parts]) for parts in wanted]

    return read_any


def is_stored(node: Node) -> bool:
    """Return whether *node* has a row of its own."""
    return node.level % STEP == 0


def _parts(node: Node) -> list[Node]:
    """Return the nodes of the next stored level below that make up *node*; itself when it is stored."""
    height = node.level % STEP
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


def _stored_hash(value: object, place: str) -> bytes:
    data = _stored_bytes(value, place)
    if len(data) != HASH_BYTES:
        raise IntegrityError(f"{place}: {len(data)} bytes are not a SHA-256")
    return data


def _stored_leaf(index: int, value: object) -> bytes:
    stored = _stored_bytes(value, f"log leaf {index}")
    try:
        return unpack_leaf(stored)
    except IntegrityError as error:
        raise IntegrityError(f"log leaf {index}: {error.message}") from error


def _stored_bytes(value: object, place: str) -> bytes:
    if not isinstance(value, bytes):
        raise IntegrityError(f"{place}: {type(value).__name__} stands where bytes were stored")
    return value


def decoded(index: int, data: bytes) -> LeafContent:
    """Return what leaf *index* says. Raises `IntegrityError` when *data* is no leaf."""
    try:
        return decode_leaf(data)
    except IntegrityError as error:
        raise IntegrityError(f"log leaf {index}: {error.message}") from error

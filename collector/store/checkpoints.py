"""Checkpoints as recorded: the signed notes, the tokens of time stamp authorities, the receipts of anchors.

What is here is kept for those who verify; the notes themselves count only where somebody else holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import orjson
from sqlalchemy import Connection, Row, Table, func, insert, select

from collector.canonical import canonical, digest
from collector.clock import from_ms
from collector.errors import QueryError
from collector.log import ledger
from collector.log.checkpoint import Checkpoint
from collector.log.keys import KeyEvent
from collector.log.leaf import LeafContent, LeafKind, decode_leaf
from collector.log.ledger import LogHead
from collector.log.note import parse_note
from collector.log.packing import unpack_leaf
from collector.log.tables import log_leaf
from collector.model import Json
from collector.store import signing
from collector.store.checkpoint_tables import checkpoint, checkpoint_anchor, checkpoint_token
from collector.store.connection import Database
from collector.store.contents import next_id
from collector.store.records import CheckpointRecord, EpochRecord, ReceiptRecord, TokenRecord

_Writing = Callable[[], AbstractContextManager[tuple[Connection, int]]]


class Checkpoints:
    """The checkpoints of one store, and the log as whoever signs it needs to see it."""

    def __init__(self, database: Database, writing: _Writing) -> None:
        self._database = database
        self._writing = writing

    # The log

    def head(self) -> LogHead:
        """Return the size and root of the log as committed."""
        with self._database.reading() as conn:
            return ledger.head(conn)

    def root_at(self, size: int) -> bytes:
        """Return the root that the log had at *size* leaves. Raises `QueryError` when it never had as many."""
        with self._database.reading() as conn:
            return ledger.root_at(conn, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the log of *new* leaves begins with that of *old*, as `ledger.consistency_proof`."""
        with self._database.reading() as conn:
            return ledger.consistency_proof(conn, old, new)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the audit path of leaf *index* in the log of *size* leaves, as `ledger.inclusion_proof`."""
        with self._database.reading() as conn:
            return ledger.inclusion_proof(conn, index, size)

    def add_verification(self, said: dict[str, Json]) -> int:
        """Record what a verification came to, as a leaf that has no row, and return the leaf's index."""
        with self._writing() as (conn, now):
            return ledger.append(conn, LeafKind.VERIFY, said, now)

    def last_verification(self) -> LeafContent | None:
        """Return what the last verification that was recorded came to, or None."""
        # From the end back: it is as far as one is old.
        query = select(log_leaf.c.bytes).where(log_leaf.c.kind == LeafKind.VERIFY.value)
        with self._database.reading() as conn:
            found = conn.execute(query.order_by(log_leaf.c.idx.desc()).limit(1)).scalar()
        return None if found is None else decode_leaf(unpack_leaf(bytes(found)))

    # Keys and epochs

    def add_key(self, event: KeyEvent) -> KeyEvent:
        """Record what happened to a key, and return it with its time and leaf."""
        with self._writing() as (conn, now):
            return signing.append_key(conn, event, now)

    def key_events(self) -> list[KeyEvent]:
        """Return everything that happened to keys, oldest first; `collector.log.keys.trust` makes sense of it."""
        with self._database.reading() as conn:
            return signing.key_events(conn)

    def add_epoch(self, number: int, note: bytes, *, reason: str, actor: str) -> EpochRecord:
        """Declare the loss of what the checkpoint *note* covers and the log does not, and begin epoch *number*.

        Raises `QueryError` unless it comes after the epoch that the log is in.
        """
        with self._writing() as (conn, now):
            return signing.append_epoch(conn, number, note, reason=reason, name=actor, now=now)

    def epoch(self) -> int:
        """Return the epoch that the log is in, from 1."""
        with self._database.reading() as conn:
            return signing.current_epoch(conn)

    def epochs(self) -> list[EpochRecord]:
        """Return every declared loss, oldest first."""
        with self._database.reading() as conn:
            return signing.epochs(conn)

    # Notes

    def add(self, note: bytes, epoch: int) -> CheckpointRecord:
        """Record the signed *note* with a leaf of its own, which the next checkpoint covers."""
        size = Checkpoint.parse(parse_note(note).text).size
        with self._writing() as (conn, now):
            number = next_id(conn, checkpoint.c.id)
            said: dict[str, Json] = {"checkpoint": number, "epoch": epoch, "size": size, "note": digest(note).hex()}
            leaf = ledger.append(conn, LeafKind.CHECKPOINT, said, now)
            row = {"id": number, "epoch": epoch, "size": size, "note": note, "at": now, "leaf": leaf}
            conn.execute(insert(checkpoint).values(row))
        return CheckpointRecord(number, epoch, size, note, from_ms(now), leaf)

    def all(self, *, newest: int | None = None) -> list[CheckpointRecord]:
        """Return every checkpoint, oldest first, or the *newest* so many of them."""
        query = select(checkpoint).order_by(checkpoint.c.id.desc()).limit(newest)
        with self._database.reading() as conn:
            return [_checkpoint(row) for row in conn.execute(query)][::-1]

    def last(self) -> CheckpointRecord | None:
        """Return the last checkpoint, or None."""
        return next(iter(self.all(newest=1)), None)

    def of_size(self, size: int) -> CheckpointRecord:
        """Return the last checkpoint that covers exactly *size* leaves. Raises `QueryError` when there is none."""
        query = select(checkpoint).where(checkpoint.c.size == size).order_by(checkpoint.c.id.desc()).limit(1)
        with self._database.reading() as conn:
            row = conn.execute(query).first()
        if row is None:
            raise QueryError(f"there is no checkpoint of size {size}", hint="`evidenced log show` lists them.")
        return _checkpoint(row)

    # Tokens and receipts

    def add_token(self, number: int, authority: str, token: bytes) -> None:
        """Record the response of *authority* over checkpoint *number*; nothing when one is recorded already."""
        said: dict[str, Json] = {"checkpoint": number, "authority": authority, "token": digest(token).hex()}
        self._add(checkpoint_token, said, {"authority": authority}, token=token)

    def add_receipt(self, number: int, anchor: str, receipt: dict[str, Json]) -> None:
        """Record where *anchor* keeps checkpoint *number*; nothing when that is recorded already."""
        text = canonical(receipt)
        said: dict[str, Json] = {"checkpoint": number, "anchor": anchor, "receipt": digest(text).hex()}
        self._add(checkpoint_anchor, said, {"anchor": anchor}, receipt=text.decode("utf-8"))

    def tokens(self, number: int | None = None) -> list[TokenRecord]:
        """Return the tokens of checkpoint *number*, or all of them, in the order of checkpoints."""
        return [
            TokenRecord(row.checkpoint, row.authority, bytes(row.token), from_ms(row.at), row.leaf)
            for row in self._of(checkpoint_token, number)
        ]

    def receipts(self, number: int | None = None) -> list[ReceiptRecord]:
        """Return the receipts of checkpoint *number*, or all of them, in the order of checkpoints."""
        return [
            ReceiptRecord(row.checkpoint, row.anchor, orjson.loads(row.receipt), from_ms(row.at), row.leaf)
            for row in self._of(checkpoint_anchor, number)
        ]

    def stamped_by(self, authority: str) -> CheckpointRecord | None:
        """Return the newest checkpoint that *authority* stamped, or None."""
        return self._newest(checkpoint_token, "authority", authority)

    def held_by(self, anchor: str) -> CheckpointRecord | None:
        """Return the newest checkpoint that *anchor* holds, or None."""
        return self._newest(checkpoint_anchor, "anchor", anchor)

    def after(self, number: int, *, limit: int | None = None) -> list[CheckpointRecord]:
        """Return the checkpoints after *number*, oldest first, at most *limit*."""
        query = select(checkpoint).where(checkpoint.c.id > number).order_by(checkpoint.c.id).limit(limit)
        with self._database.reading() as conn:
            return [_checkpoint(row) for row in conn.execute(query)]

    def _add(self, table: Table, said: dict[str, Json], key: dict[str, str], **rest: Json) -> None:
        key_is = [table.c[name] == value for name, value in key.items()]
        with self._writing() as (conn, now):
            query = select(table.c.leaf).where(table.c.checkpoint == said["checkpoint"], *key_is)
            if conn.execute(query).first() is None:
                leaf = ledger.append(conn, LeafKind.CHECKPOINT, said, now)
                conn.execute(insert(table).values(checkpoint=said["checkpoint"], **key, **rest, at=now, leaf=leaf))

    def _of(self, table: Table, number: int | None) -> Iterator[Row[tuple[Json, ...]]]:
        query = select(table).order_by(table.c.checkpoint, table.c.leaf)
        with self._database.reading() as conn:
            yield from conn.execute(query if number is None else query.where(table.c.checkpoint == number)).all()

    def _newest(self, table: Table, column: str, name: str) -> CheckpointRecord | None:
        newest = select(func.max(table.c.checkpoint)).where(table.c[column] == name).scalar_subquery()
        with self._database.reading() as conn:
            row = conn.execute(select(checkpoint).where(checkpoint.c.id == newest)).first()
        return None if row is None else _checkpoint(row)


def quoted(conn: Connection) -> dict[str, Json]:
    """Return what a sweep's leaf says of the last checkpoint: its size, and half of its note's digest.

    Nobody could know the digest before the note was signed, so the sweep is not older than the checkpoint.
    """
    row = conn.execute(_LAST).first()
    return {} if row is None else {"checkpoint": row.size, "signed": digest(bytes(row.note)).hex()[:_QUOTED]}


_QUOTED = 32
_LAST = select(checkpoint.c.size, checkpoint.c.note).order_by(checkpoint.c.id.desc()).limit(1)


def _checkpoint(row: Row[tuple[Json, ...]]) -> CheckpointRecord:
    return CheckpointRecord(row.id, row.epoch, row.size, bytes(row.note), from_ms(row.at), row.leaf)

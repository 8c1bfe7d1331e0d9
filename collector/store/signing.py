"""What is recorded of keys and epochs: rows and the leaves that commit to them, on the caller's connection."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from collector.canonical import canonical, digest
from collector.clock import from_ms
from collector.errors import QueryError
from collector.log import ledger
from collector.log.keys import KeyAct, KeyEvent
from collector.log.leaf import LeafKind
from collector.log.note import VerifierKey
from collector.store.checkpoint_tables import log_epoch, signing_key
from collector.store.contents import next_id
from collector.store.names import ensure_actor
from collector.store.records import EpochRecord
from collector.store.tables import actor


def append_key(conn: Connection, event: KeyEvent, now: int) -> KeyEvent:
    """Record *event* at *now* and return it with its time and leaf."""
    number = next_id(conn, signing_key.c.id)
    row = {
        "id": number,
        "act": event.act.value,
        "key": str(event.key),
        "replaces": str(event.replaces) if event.replaces else None,
        "overlap": event.overlap_until_ms,
        "until": event.until,
        "reason": event.reason,
        "actor": ensure_actor(conn, event.actor) if event.actor else None,
        "at": now,
    }
    said = {name: row[name] for name in ("act", "key", "replaces", "overlap", "until") if row[name] is not None}
    # What a person wrote stays out of the leaf, and so does who it was, but for a number.
    leaf = ledger.append(conn, LeafKind.KEY, {**said, "digest": digest(canonical(row)).hex()}, now)
    conn.execute(insert(signing_key).values(**row, leaf=leaf))
    return _event({**row, "leaf": leaf}, event.actor)


def key_events(conn: Connection) -> list[KeyEvent]:
    """Return everything that happened to keys, oldest first."""
    query = select(signing_key, actor.c.name).outerjoin(actor, actor.c.id == signing_key.c.actor)
    rows = conn.execute(query.order_by(signing_key.c.id)).mappings()
    return [_event(dict(row), row["name"] or "") for row in rows]


def _event(row: dict[str, object], name: str) -> KeyEvent:
    def number(column: str) -> int | None:
        value = row[column]
        return value if isinstance(value, int) else None

    return KeyEvent(
        KeyAct(str(row["act"])),
        VerifierKey.parse(str(row["key"])),
        number("at") or 0,
        number("leaf") or 0,
        VerifierKey.parse(str(row["replaces"])) if row["replaces"] else None,
        number("overlap"),
        number("until"),
        str(row["reason"]),
        name,
    )


def append_epoch(conn: Connection, number: int, note: bytes, *, reason: str, name: str, now: int) -> EpochRecord:
    """Declare the loss of what *note* (the last known checkpoint) covers beyond the log as it is; begin epoch *number*.

    Raises `QueryError` unless it comes after the epoch that the log is in.
    """
    if number <= current_epoch(conn):
        raise QueryError(f"the log is in epoch {current_epoch(conn)} already, so {number} cannot begin")
    size = ledger.head(conn).size
    row = {
        "id": number,
        "size": size,
        "note": note,
        "reason": reason,
        "actor": ensure_actor(conn, name),
        "at": now,
    }
    # A loss is a gap in what was recorded; what is said of it stands in the row.
    payload = {"epoch": number, "size": size, "note": digest(note).hex(), "digest": digest(canonical(row)).hex()}
    leaf = ledger.append(conn, LeafKind.GAP, payload, now)
    conn.execute(insert(log_epoch).values(**row, leaf=leaf))
    return EpochRecord(number, size, note, reason, name, from_ms(now), leaf)


def current_epoch(conn: Connection) -> int:
    """Return the epoch that the log is in, from 1."""
    return max((each.number for each in epochs(conn)), default=1)


def epochs(conn: Connection) -> list[EpochRecord]:
    """Return every declared loss, oldest first."""
    query = select(log_epoch, actor.c.name).join(actor, actor.c.id == log_epoch.c.actor).order_by(log_epoch.c.id)
    return [
        EpochRecord(row.id, row.size, bytes(row.note), row.reason, row.name or "", from_ms(row.at), row.leaf)
        for row in conn.execute(query)
    ]

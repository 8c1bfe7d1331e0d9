"""Tags by hand: dated claims by people, never edited; a later claim withdraws."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from collector.canonical import canonical, digest
from collector.clock import from_ms, to_ms
from collector.errors import QueryError
from collector.log import ledger
from collector.log.leaf import LeafKind
from collector.store.contents import next_id
from collector.store.names import ensure_actor
from collector.store.tables import actor as actors
from collector.store.tables import tag
from collector.tag import Tag


def append_tag(conn: Connection, claim: Tag) -> int:
    """Record *claim* and return the id it gets, from 1. Raises `QueryError` when it withdraws what does not exist."""
    if claim.withdraws is not None and not conn.execute(select(tag.c.id).where(tag.c.id == claim.withdraws)).first():
        raise QueryError(f"there is no tag {claim.withdraws}", hint="`evidenced tag list` shows those that stand.")
    number = next_id(conn, tag.c.id)
    row = {
        "id": number,
        "target": claim.target,
        "control": claim.control,
        "note": claim.note,
        "actor": ensure_actor(conn, claim.actor),
        "at": to_ms(claim.at),
        "withdraws": claim.withdraws,
    }
    # What a person wrote stays out of the leaf: it may name people, and a leaf cannot be erased.
    payload = {"tag": number, "digest": digest(canonical(row)).hex()}
    conn.execute(insert(tag).values(**row, leaf=ledger.append(conn, LeafKind.TAG, payload, to_ms(claim.at))))
    return number


def tags(conn: Connection, *, target: str | None = None, control: str | None = None) -> list[Tag]:
    """Return every tag, withdrawn ones and withdrawals too, oldest first; of one *target* or *control* if given."""
    columns = tag.c
    query = select(
        columns.id, columns.target, columns.control, columns.note, actors.c.name, columns.at, columns.withdraws
    ).join(actors, actors.c.id == columns.actor)
    if target is not None:
        query = query.where(columns.target == target)
    if control is not None:
        query = query.where(columns.control == control)
    return [
        Tag(number, of, by, note, name or "", from_ms(at), withdraws)
        for number, of, by, note, name, at, withdraws in conn.execute(query.order_by(columns.id))
    ]

"""Snapshot requests: ad hoc triggers, with who asked and why; the sweep that answers one names it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, exists, insert, select

from collector.canonical import canonical, digest
from collector.clock import from_ms, to_ms
from collector.errors import IntegrityError, Unknown
from collector.model import SnapshotRequest
from collector.store.contents import next_id
from collector.store.names import ensure_actor
from collector.store.tables import actor, snapshot_request, sweep


def append_request(conn: Connection, request: SnapshotRequest) -> int:
    """Record *request* and return its id, from 1."""
    number = next_id(conn, snapshot_request.c.id)
    conn.execute(
        insert(snapshot_request).values(
            id=number,
            source=request.source,
            kinds=canonical(request.kinds).decode(),
            reason=request.reason,
            actor=ensure_actor(conn, request.actor),
            at=to_ms(request.at),
        )
    )
    return number


def pending_requests(conn: Connection) -> list[SnapshotRequest]:
    """Return the requests that no last sweep has answered, oldest first."""
    answered = exists().where(sweep.c.request == snapshot_request.c.id, sweep.c.request != 0, sweep.c.last)
    return [_request(tuple(row)) for row in conn.execute(_REQUESTS.where(~answered).order_by(snapshot_request.c.id))]


def request(conn: Connection, number: int) -> SnapshotRequest:
    """Return the request *number*. Raises `Unknown` when there is none."""
    row = conn.execute(_REQUESTS.where(snapshot_request.c.id == number)).first()
    if row is None:
        raise Unknown(f"there is no snapshot request {number}")
    return _request(tuple(row))


def request_of(conn: Connection, number: int) -> SnapshotRequest | None:
    """Return the request that sweep *number* answered, or None."""
    query = _REQUESTS.join(sweep, sweep.c.request == snapshot_request.c.id).where(sweep.c.id == number)
    row = conn.execute(query).first()
    return None if row is None else _request(tuple(row))


def _request(row: tuple[Any, ...]) -> SnapshotRequest:
    number, source, kinds, reason, name, at = row
    return SnapshotRequest(source, tuple(orjson.loads(kinds)), reason, name or "", from_ms(at), number)


def request_digest(conn: Connection, number: int) -> bytes:
    """Return the digest by which a sweep commits to the request *number*; the person appears by number only."""
    columns = snapshot_request.c
    row = conn.execute(select(*columns).where(columns.id == number)).first()
    if row is None:
        raise IntegrityError(f"a sweep names snapshot request {number}, which was never recorded")
    return digest(canonical(dict(row._mapping)))


_REQUESTS = select(
    snapshot_request.c.id,
    snapshot_request.c.source,
    snapshot_request.c.kinds,
    snapshot_request.c.reason,
    actor.c.name,
    snapshot_request.c.at,
).join(actor, actor.c.id == snapshot_request.c.actor)

"""What a copy must prove of itself beyond its rows: contents have their digests, populations their roots."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from collector.canonical import population_root
from collector.errors import IntegrityError
from collector.store.contents import read_by_id
from collector.store.sealing_tables import erased, regained
from collector.store.tables import artifact, item, item_version, population_state

_AT_A_TIME = 1000


def check_arrived(conn: Connection) -> None:
    """Make every content and every subject's present population again from what *conn* sees.

    Raises `IntegrityError` for a content with another digest, and for a population that is not the one its last state
    commits to. Of an event kind only the contents count: its state's root is over one window.
    """
    for number in _contents(conn):
        read_by_id(conn, number)
    last = select(func.max(population_state.c.id)).group_by(population_state.c.subject)
    query = select(population_state).where(population_state.c.id.in_(last), population_state.c.since.is_(None))
    for state in conn.execute(query.order_by(population_state.c.id)).all():
        entries = _population(conn, state.subject)
        if len(entries) != state._mapping["count"] or population_root(entries) != state.root:
            raise IntegrityError(f"population_state {state.id}: its items do not make its root")


def _population(conn: Connection, subject: int) -> list[tuple[bytes, bytes]]:
    query = (
        select(item.c.key_digest, artifact.c.digest)
        .select_from(item_version)
        .join(item, item.c.id == item_version.c.item)
        .join(artifact, artifact.c.id == item_version.c.artifact)
        .where(item_version.c.subject == subject, item_version.c.until.is_(None))
    )
    return [(bytes(key), bytes(name)) for key, name in conn.execute(query)]


def _contents(conn: Connection) -> Iterator[int]:
    last = 0
    gone = select(erased.c.artifact).except_(select(regained.c.artifact))
    kept = _NUMBERS.where(artifact.c.id.not_in(gone))
    while found := conn.execute(kept.where(artifact.c.id > last)).scalars().all():
        yield from found
        last = found[-1]


_NUMBERS = select(artifact.c.id).order_by(artifact.c.id).limit(_AT_A_TIME)

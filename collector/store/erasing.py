"""Erasure, evidenced: a tombstone says what is gone, when, why and by whom; the log goes on as it was.

- What goes: the ciphertext and the wrapped secrets, so key and content; a person's name. Nothing else in a store can.
- What stays: digests, states, leaves, run sheets. They hold no personal data, and every proof of a run still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from collector.canonical import canonical, digest, set_root
from collector.clock import from_ms
from collector.errors import QueryError
from collector.log import ledger
from collector.log.leaf import LeafKind
from collector.model import Json, Subject
from collector.store.bulk import PAGE
from collector.store.connection import Database
from collector.store.contents import next_id
from collector.store.names import Names, ensure_actor
from collector.store.sealing_tables import artifact_key, erased, item_key, tombstone
from collector.store.tables import actor, artifact, change, item, population_state
from collector.store.unsealing import Unsealing

_Writing = Callable[[], AbstractContextManager[tuple[Connection, int]]]


@dataclass(frozen=True, slots=True)
class Erasable:
    """What an erasure would take: *versions* contents of an item of *subject*, the first and last seen when.

    *plain* counts the contents of an item of that name that are not sealed: those cannot be erased.
    """

    subject: Subject
    item: int
    shown: str
    artifacts: tuple[int, ...]
    first: datetime | None
    last: datetime | None
    gone: bool
    plain: int = 0

    @property
    def versions(self) -> int:
        """How many contents there are."""
        return len(self.artifacts)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An erasure as recorded. *item* and *person* are numbers; *count* is of contents. *lingers*: see `Erasing`."""

    id: int
    count: int
    reason: str
    actor: str
    at: datetime
    leaf: int
    lingers: bool = field(default=False, compare=False)


class Erasing:
    """Erases in one store, in one transaction with its tombstone.

    SQLite overwrites what it frees and empties its write-ahead log; *lingers* says that a reader kept it from that.
    Backups, and what a PostgreSQL server keeps until VACUUM and in its archives, are beyond any transaction.
    """

    def __init__(self, database: Database, writing: _Writing, names: Names, unsealing: Unsealing) -> None:
        self._database = database
        self._writing = writing
        self._names = names
        self._unsealing = unsealing

    def find(self, subjects: Iterable[Subject], key: str) -> list[Erasable]:
        """Return what is kept of the item *key* in each of *subjects* that ever had it, erased or not."""
        with self._database.reading() as conn:
            numbers = {self._names.subject(conn, each): each for each in subjects}
            known = {number: each for number, each in numbers.items() if number is not None}
            query = select(item.c.id, item.c.subject, item.c.key, item.c.key_digest).where(
                item.c.subject.in_(list(known)),
                item.c.key_digest.in_(self._unsealing.digests_of(conn, known, key)),
            )
            rows = conn.execute(query.order_by(item.c.subject, item.c.id)).all()
            shown = self._unsealing.texts(conn, {row.id: bytes(row.key_digest) for row in rows if row.key is None})
            return [_erasable(conn, known[row.subject], row.id, shown.get(row.id, "")) for row in rows]

    def erase_item(self, found: Erasable, *, reason: str, actor: str) -> Tombstone:
        """Erase every content of the item in *found*, and its key. Raises `QueryError` when nothing of it is left."""
        with self._writing() as (conn, now):
            overwrite_what_is_freed(conn)
            now_found = _erasable(conn, found.subject, found.item, found.shown)
            if now_found.plain:
                raise plain_evidence(now_found)
            if now_found.gone:
                raise QueryError(f"{found.shown} is erased already")
            subject = self._names.subject(conn, found.subject)
            values = {"subject": subject, "item": found.item, "person": None}
            made = append_tombstone(conn, values, now_found.artifacts, reason=reason, name=actor, now=now)
            remove_contents(conn, now_found.artifacts)
            conn.execute(delete(item_key).where(item_key.c.item == found.item))
        return self._settled(made)

    def erase_person(self, name: str, *, reason: str, actor: str) -> Tombstone:
        """Erase the name of the person *name*: what they did stays, by number. Raises `QueryError` for nobody."""
        if name == actor:
            raise QueryError("who erases is recorded by name, so nobody erases their own", hint="Say --as NAME.")
        with self._writing() as (conn, now):
            overwrite_what_is_freed(conn)
            number = conn.execute(select(people.c.id).where(people.c.name == name)).scalar()
            if number is None:
                raise QueryError(f"nobody of the name {name!r} ever did anything here")
            values = {"subject": None, "item": None, "person": number}
            made = append_tombstone(conn, values, (), reason=reason, name=actor, now=now)
            conn.execute(update(people).where(people.c.id == number).values(name=None))
        return self._settled(made)

    def tombstones(self) -> list[Tombstone]:
        """Return every erasure, oldest first."""
        query = select(tombstone, people.c.name).join(people, people.c.id == tombstone.c.actor)
        with self._database.reading() as conn:
            return [
                Tombstone(row.id, row._mapping["count"], row.reason, row.name or "", from_ms(row.at), row.leaf)
                for row in conn.execute(query.order_by(tombstone.c.id))
            ]

    def _settled(self, made: Tombstone) -> Tombstone:
        return Tombstone(
            made.id, made.count, made.reason, made.actor, made.at, made.leaf, not self._database.truncate_wal()
        )


people = actor


def overwrite_what_is_freed(conn: Connection) -> None:
    """Let SQLite overwrite what this connection frees from here on; a server does that when it vacuums."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete = ON")


def append_tombstone(
    conn: Connection, values: Mapping[str, Json], artifacts: Sequence[int], *, reason: str, name: str, now: int
) -> Tombstone:
    """Record that *artifacts* (numbers) are erased, before they are: the guards ask for it."""
    if not reason.strip():
        raise QueryError("an erasure needs a reason", hint="It is kept for ever: name a request, not a person.")
    number = next_id(conn, tombstone.c.id)
    row = {
        "until": None,
        **values,
        "id": number,
        "count": len(artifacts),
        "reason": reason.strip(),
        "actor": ensure_actor(conn, name),
        "at": now,
    }
    said = tombstone_payload(row, artifacts, _digests(conn, artifacts))
    leaf = ledger.append(conn, LeafKind.TOMBSTONE, said, now)
    conn.execute(insert(tombstone).values(row | {"leaf": leaf}))
    if artifacts:
        conn.execute(insert(erased), [{"artifact": each, "tombstone": number} for each in artifacts])
    return Tombstone(number, len(artifacts), reason.strip(), name, from_ms(now), leaf)


def tombstone_payload(row: Mapping[str, Json], artifacts: Iterable[int], digests: Sequence[bytes]) -> dict[str, Json]:
    """Return what a leaf says of the `tombstone` in *row* that erased *artifacts* (numbers), whose names are *digests*.

    *erased* is the Merkle root over the digests: whoever has those of one tombstone can tell that they are all it took.
    """
    said = {"tombstone": row["id"], "digest": _row_digest(row, artifacts).hex()}
    return said | {"erased": set_root(digests).hex()} if digests else said


def _digests(conn: Connection, artifacts: Sequence[int]) -> list[bytes]:
    found: list[bytes] = []
    for start in range(0, len(artifacts), PAGE):
        query = select(artifact.c.digest).where(artifact.c.id.in_(artifacts[start : start + PAGE]))
        found += map(bytes, conn.execute(query).scalars())
    return found


def _row_digest(row: Mapping[str, Json], artifacts: Iterable[int]) -> bytes:
    """Return the digest of *row* and the numbers of what it erased.

    *until* is said where there is one, so that tombstones from before there was such a column keep their digests.
    """
    names = ("id", "subject", "item", "person", "count", "reason", "actor", "at")
    said = {name: row[name] for name in names} | {"erased": sorted(artifacts)}
    return digest(canonical(said if row["until"] is None else said | {"until": row["until"]}))


def remove_contents(conn: Connection, artifacts: Sequence[int]) -> None:
    """Remove the bytes and the wrapped secrets of *artifacts* (numbers), which a tombstone names."""
    for start in range(0, len(artifacts), PAGE):
        some = artifacts[start : start + PAGE]
        conn.execute(delete(artifact_key).where(artifact_key.c.artifact.in_(some)))
        conn.execute(update(artifact).where(artifact.c.id.in_(some)).values(bytes=None, uri=None))


def plain_evidence(found: Erasable) -> QueryError:
    """Return why what is not sealed is not erased."""
    return QueryError(
        f"{found.subject.kind} of {found.subject.source} was not sealed when this was recorded: plain evidence is "
        "append-only",
        hint='Only what is sealed can be erased: sealed = ["PATTERN"] in the source\'s table, from now on.',
    )


def _erasable(conn: Connection, subject: Subject, number: int, shown: str) -> Erasable:
    query = (
        select(change.c.artifact, artifact_key.c.sealing, erased.c.tombstone, population_state.c.at)
        .join(population_state, population_state.c.id == change.c.state)
        .outerjoin(artifact_key, artifact_key.c.artifact == change.c.artifact)
        .outerjoin(erased, erased.c.artifact == change.c.artifact)
        .where(change.c.item == number)
        .order_by(population_state.c.id)
    )
    rows = conn.execute(query).all()
    mine = dict.fromkeys(row.artifact for row in rows if row.sealing is not None)
    plain = {row.artifact for row in rows if row.artifact is not None and row.sealing is row.tombstone is None}
    named = conn.execute(select(func.count()).where(item_key.c.item == number)).scalar_one()
    times = [row.at for row in rows]
    first, last = (from_ms(each) if times else None for each in (min(times, default=0), max(times, default=0)))
    return Erasable(subject, number, shown, tuple(mine), first, last, not mine and not named, len(plain))

"""The keys of sealed subjects: recorded with a leaf, wrapped under a key-encryption key, opened when needed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, insert, select

from collector.canonical import canonical, digest
from collector.errors import IntegrityError
from collector.log import ledger
from collector.log.leaf import LeafKind
from collector.model import Json, Subject
from collector.sealing import Keyring, NoKeyring, SubjectKey
from collector.store.contents import next_id
from collector.store.entries import subject_name
from collector.store.names import Names
from collector.store.sealing_tables import sealing_key


class SubjectKeys:
    """The keys of one store's sealed subjects. *ring* opens them: given by whoever knows the configuration."""

    def __init__(self, names: Names) -> None:
        self.ring: Keyring = NoKeyring()
        self._names = names
        self._opened: dict[int, SubjectKey] = {}

    def use(self, ring: Keyring) -> None:
        """Open what is sealed with *ring* from now on."""
        self.ring = ring
        self._opened = {}

    def forget(self) -> None:
        """Drop what is kept: a writer whose transaction failed may have read what was never committed."""
        self._opened = {}

    def current(self, conn: Connection, subject: int) -> SubjectKey | None:
        """Return the key of *subject* (a number), or None when it was never sealed. Raises `ConfigError`."""
        last = conn.execute(select(func.max(sealing_key.c.id)).where(sealing_key.c.subject == subject)).scalar()
        return None if last is None else self.key(conn, last)

    def key(self, conn: Connection, number: int) -> SubjectKey:
        """Return the key that record *number* holds. Raises `ConfigError`, `IntegrityError`."""
        if number not in self._opened:
            row = conn.execute(select(sealing_key).where(sealing_key.c.id == number)).first()
            if row is None:
                raise IntegrityError(f"there is no record {number} of a subject's key, by which something is sealed")
            names = {id_: each for each, id_ in self._names.subjects(conn).items()}
            self._opened[number] = opened_key(self.ring, number, row.kek, bytes(row.wrapped), names[row.subject])
        return self._opened[number]

    def add(
        self, conn: Connection, number: int, subject: Subject, now: int, before: SubjectKey | None = None
    ) -> SubjectKey:
        """Record a fresh key of *subject* under the current key-encryption key, in place of the one *before*."""
        kek = self.ring.current()
        made = SubjectKey.make(next_id(conn, sealing_key.c.id), before.naming if before else b"")
        wrapped = kek.wrap(made.secret, subject_name(subject))
        row = {"id": made.number, "subject": number, "kek": kek.name, "wrapped": wrapped, "at": now}
        said: dict[str, Json] = {"sealing": made.number, "digest": sealing_digest(row).hex()}
        conn.execute(insert(sealing_key).values(row | {"leaf": ledger.append(conn, LeafKind.KEY, said, now)}))
        return made


def opened_key(ring: Keyring, number: int, kek: str, wrapped: bytes, subject: Subject) -> SubjectKey:
    """Return the key of *subject* that record *number* holds *wrapped* under *kek*.

    Raises `ConfigError` when *ring* has no such key, `IntegrityError` when it does not open.
    """
    return SubjectKey.opened(number, ring.named(kek).unwrap(wrapped, subject_name(subject)))


def sealing_digest(row: Mapping[str, Json]) -> bytes:
    """Return the digest by which a leaf commits to the `sealing_key` in *row*."""
    said = {name: row[name] for name in ("id", "subject", "kek", "at")} | {"wrapped": bytes(row["wrapped"]).hex()}
    return digest(canonical(said))

"""Wrap everything under another key-encryption key: the keys of subjects anew, and under them every secret.

No ciphertext is touched. One subject is one transaction, so what is interrupted goes on where it was. A fresh key for
each subject makes what an old backup holds useless once the old key-encryption key is destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from collector.model import Subject
from collector.sealing import SubjectKey
from collector.store.bulk import PAGE
from collector.store.connection import Database
from collector.store.names import Names
from collector.store.sealing_tables import artifact_key, item_key, sealing_key
from collector.store.subject_keys import SubjectKeys
from collector.store.tables import artifact, item

_Writing = Callable[[], AbstractContextManager[tuple[Connection, int]]]
_WRAPPED = (
    (artifact_key, artifact_key.c.artifact, artifact.c.id, artifact.c.digest),
    (item_key, item_key.c.item, item.c.id, item.c.key_digest),
)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many *subjects* have their key under the key-encryption key *kek*."""

    kek: str
    subjects: int


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What was wrapped anew under *kek*: the keys of so many *subjects*, so many *secrets* under them."""

    kek: str
    subjects: int
    secrets: int


class Rewrapping:
    """Changes the key-encryption key of one store."""

    def __init__(self, database: Database, writing: _Writing, names: Names, keys: SubjectKeys) -> None:
        self._database = database
        self._writing = writing
        self._names = names
        self._keys = keys

    def uses(self) -> list[KeyUse]:
        """Return under which key-encryption keys the keys of subjects are, by name."""
        last = select(func.max(sealing_key.c.id)).group_by(sealing_key.c.subject)
        query = select(sealing_key.c.kek, func.count()).where(sealing_key.c.id.in_(last)).group_by(sealing_key.c.kek)
        with self._database.reading() as conn:
            return [KeyUse(kek, count) for kek, count in conn.execute(query.order_by(sealing_key.c.kek))]

    def rewrap(self, done: Callable[[Subject], None] = lambda _: None) -> Rewrapped:
        """Wrap what is not under the current key-encryption key under it; *done* hears of each subject.

        Raises `ConfigError` when a key is not at hand, `IntegrityError` for what does not open.
        """
        kek = self._keys.ring.current().name
        subjects = secrets = 0
        with self._database.reading() as conn:
            numbers = set(conn.execute(select(sealing_key.c.subject)).scalars())
            known = {number: each for each, number in self._names.subjects(conn).items() if number in numbers}
        for number, subject in sorted(known.items()):
            with self._writing() as (conn, now):
                moved, count = self._subject(conn, number, subject, kek, now)
            self._keys.forget()
            subjects, secrets = subjects + moved, secrets + count
            if moved or count:
                done(subject)
        self._database.truncate_wal()
        return Rewrapped(kek, subjects, secrets)

    def _subject(self, conn: Connection, number: int, subject: Subject, kek: str, now: int) -> tuple[bool, int]:
        if self._database.path:
            conn.exec_driver_sql("PRAGMA secure_delete = ON")
        rows = conn.execute(select(sealing_key.c.id, sealing_key.c.kek).where(sealing_key.c.subject == number)).all()
        last = max(rows, key=lambda row: row.id)
        moves = last.kek != kek
        before = self._keys.key(conn, last.id)
        key = self._keys.add(conn, number, subject, now, before) if moves else before
        others = [row.id for row in rows if row.id != key.number]
        return moves, sum(self._rewrap(conn, *each, key, others) for each in _WRAPPED) if others else 0

    def _rewrap(
        self, conn: Connection, table: Any, of: Any, number: Any, name: Any, key: SubjectKey, others: list[int]
    ) -> int:
        count = 0
        query = select(of.label("of"), table.c.sealing, table.c.wrapped, name.label("name")).join(
            number.table, number == of
        )
        for page in _pages(conn, query.where(table.c.sealing.in_(others)).order_by(of), of):
            rows = [
                {
                    "which": row.of,
                    "anew": key.rewrapped(bytes(row.name), bytes(row.wrapped), self._keys.key(conn, row.sealing)),
                }
                for row in page
            ]
            query_ = update(table).where(of == bindparam("which"))
            conn.execute(query_.values(sealing=key.number, wrapped=bindparam("anew")), rows)
            count += len(rows)
        return count


def _pages(conn: Connection, query: Any, of: Any) -> Iterator[list[Any]]:
    last = 0
    while page := conn.execute(query.where(of > last).limit(PAGE)).all():
        yield list(page)
        last = page[-1].of

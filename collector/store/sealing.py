"""Sealed subjects in the store: the wrapped secrets of their contents and items, kept and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from collector.canonical import digest
from collector.errors import IntegrityError
from collector.model import Artifact, Head, ItemSecret, Observation, SealedItem, Subject
from collector.sealing import SubjectKey
from collector.store.bulk import among
from collector.store.connection import Database
from collector.store.contents import known
from collector.store.names import Names, ensure_subjects
from collector.store.populations import latest_state, numbers_of
from collector.store.reading import head as plain_head
from collector.store.sealing_tables import artifact_key, erased, item_key, tombstone
from collector.store.subject_keys import SubjectKeys
from collector.store.tables import artifact, item, item_version
from collector.store.unsealing import ITEM_SECRETS

Writing = Callable[[], AbstractContextManager[tuple[Connection, int]]]


class Sealing:
    """What is sealed in one store, by the *keys* of its subjects."""

    def __init__(self, database: Database, writing: Writing, names: Names) -> None:
        self.keys = SubjectKeys(names)
        self._database = database
        self._writing = writing
        self._names = names

    # For who collects

    def key_of(self, subject: Subject) -> SubjectKey:
        """Return the key of *subject*, made and recorded when it has none. Raises `ConfigError`."""
        with self._database.reading() as conn:
            number = self._names.subject(conn, subject)
            found = None if number is None else self.keys.current(conn, number)
        if found is not None:
            return found
        with self._writing() as (conn, now):
            number = ensure_subjects(conn, self._names, [subject])[subject]
            return self.keys.current(conn, number) or self.keys.add(conn, number, subject, now)

    def head(self, subject: Subject) -> Head:
        """Return the last good population of sealed *subject*, as read: no content is opened for it."""
        with self._database.reading() as conn:
            number = self._names.subject(conn, subject)
            found = plain_head(conn, number, subject)
            found.contents, found.keys, found.sealed = {}, {}, {}
            state = None if number is None else latest_state(conn, number)
            if number is None or state is None:
                return found
            for row in conn.execute(_open_items(number, state.since)):
                self._place(conn, found, row)
        return found

    def items(self, subject: Subject, digests: Iterable[bytes]) -> dict[bytes, ItemSecret]:
        """Return the secrets of those items of *subject*, by key digest, that are kept already."""
        found: dict[bytes, ItemSecret] = {}
        with self._database.reading() as conn:
            number = self._names.subject(conn, subject)
            for row in among(conn, ITEM_SECRETS.where(item.c.subject == number), item.c.key_digest, digests):
                name = bytes(row.key_digest)
                found[name] = self.keys.key(conn, row.sealing).item_secret(name, bytes(row.wrapped))
        return found

    def erasures(self) -> int:
        """Return the number of the last tombstone, 0 before the first."""
        with self._database.reading() as conn:
            return int(conn.execute(select(func.coalesce(func.max(tombstone.c.id), 0))).scalar_one())

    # For who writes: in the transaction that stores what the secrets open

    def keep(self, conn: Connection, artifacts: Iterable[Artifact], observations: Iterable[Observation] = ()) -> None:
        """Keep the secrets of the sealed ones of *artifacts* and *observations*, which are stored already."""
        sealed = [each for each in artifacts if each.secret is not None]
        if sealed:
            self._keep_contents(conn, sealed)
        for each in observations:
            if each.secrets:
                self._keep_items(conn, each.run.subject, each.secrets)

    def _place(self, conn: Connection, head: Head, row: Row[Any]) -> None:
        """Put one open item into *head*: as read, or among the unknown."""
        name, stored = bytes(row.key_digest), bytes(row.digest)
        if row.item_wrapped is None or row.wrapped is None or head.sealed is None:
            head.unknown[name] = stored
            return
        secret = self.keys.key(conn, row.item_sealing).item_secret(name, bytes(row.item_wrapped))
        content = self.keys.key(conn, row.sealing).content_secret(stored, bytes(row.wrapped))
        key = digest(secret.name.encode("utf-8", "surrogatepass"))
        head.contents[key] = content.plain
        head.keys[key] = secret.name
        head.sealed[key] = SealedItem(name, stored, secret)

    def _keep_contents(self, conn: Connection, artifacts: Sequence[Artifact]) -> None:
        ids = known(conn, [each.digest for each in artifacts])
        there = _present(conn, artifact_key.c.artifact, ids.values()) | _present(conn, erased.c.artifact, ids.values())
        keys = {each: self._require(conn, each) for each in {each.subject for each in artifacts}}
        rows = [
            {"artifact": ids[each.digest], "sealing": key.number, "wrapped": key.wrap(each.digest, each.secret)}
            for each in artifacts
            for key in [keys[each.subject]]
            if ids[each.digest] not in there and each.secret is not None
        ]
        if rows:
            conn.execute(insert(artifact_key), rows)

    def _keep_items(self, conn: Connection, subject: Subject, secrets: Mapping[bytes, ItemSecret]) -> None:
        key, number = self._require(conn, subject), self._names.subject(conn, subject)
        ids = {} if number is None else numbers_of(conn, number, secrets)
        there = _present(conn, item_key.c.item, ids.values())
        rows = [
            {"item": id_, "sealing": key.number, "wrapped": key.wrap(name, secrets[name])}
            for name, id_ in ids.items()
            if id_ not in there
        ]
        if rows:
            conn.execute(insert(item_key), rows)

    def _require(self, conn: Connection, subject: Subject | None) -> SubjectKey:
        number = None if subject is None else self._names.subject(conn, subject)
        found = None if number is None else self.keys.current(conn, number)
        if found is None:
            raise IntegrityError(f"{subject}: something is given as sealed, but there is no key for it")
        return found


def _open_items(subject: int, since: int | None) -> Any:
    query = (
        select(
            item.c.key_digest,
            artifact.c.digest,
            artifact_key.c.sealing,
            artifact_key.c.wrapped,
            item_key.c.sealing.label("item_sealing"),
            item_key.c.wrapped.label("item_wrapped"),
        )
        .select_from(item_version)
        .join(item, item.c.id == item_version.c.item)
        .join(artifact, artifact.c.id == item_version.c.artifact)
        .outerjoin(artifact_key, artifact_key.c.artifact == artifact.c.id)
        .outerjoin(item_key, item_key.c.item == item.c.id)
        .where(item_version.c.subject == subject, item_version.c.until.is_(None))
    )
    # As of any subject: of events, only those that the next window can bring again.
    return query if since is None else query.where(item_version.c.since >= since)


def _present(conn: Connection, column: Any, values: Iterable[int]) -> set[int]:
    return {value for (value,) in among(conn, select(column), column, values)}

"""Retention: contents that are older than they need be kept go, in bounded transactions, each with its tombstone.

What stays is told in `collector.store.expiry`. Digests, states, changes, items, leaves and run sheets stay in any case,
and so do documents of volatile fields: they are read without a word of erasure, and there is one a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from collector.clock import to_ms
from collector.model import Subject
from collector.store.connection import Database
from collector.store.erasing import Tombstone, append_tombstone, overwrite_what_is_freed, remove_contents
from collector.store.expiry import Expired, Term, find_expired, kept_for, stored_bytes
from collector.store.names import Names
from collector.store.tables import subject

_Writing = Callable[[], AbstractContextManager[tuple[Connection, int]]]
AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """What retention would take of *kind*: contents, and their bytes as stored.

    *kept* is by open engagement how many contents, old enough to go, it needs.
    """

    kind: str
    length: str
    contents: int
    bytes: int
    kept: dict[str, int]


@dataclass(frozen=True, slots=True)
class Retired:
    """What one transaction erased of *subject*."""

    subject: Subject
    tombstone: Tombstone


class Retaining:
    """Retention in one store. *at_a_time* bounds the contents that one transaction erases."""

    def __init__(self, database: Database, writing: _Writing, names: Names, at_a_time: int = AT_A_TIME) -> None:
        self._database = database
        self._writing = writing
        self._names = names
        self.at_a_time = at_a_time

    def outlook(self, terms: Sequence[Term]) -> list[Outlook]:
        """Return what `retain` would do with each of *terms*, of which no two are of one kind; nothing is changed."""
        with self._database.reading() as conn:
            kinds = {row.id: row.kind for row in conn.execute(select(subject.c.id, subject.c.kind))}
            of_kind: dict[str, list[int]] = {}
            for number, contents in find_expired(conn, terms).artifacts.items():
                of_kind.setdefault(kinds[number], []).extend(contents)
            kept = kept_for(conn, terms)
            return [
                Outlook(
                    each.kind,
                    each.length,
                    len(of_kind.get(each.kind, ())),
                    stored_bytes(conn, of_kind.get(each.kind, ())),
                    {engagement.name: count for engagement, count in kept.get(each.kind, ())},
                )
                for each in sorted(terms)
            ]

    def retain(self, terms: Sequence[Term], *, actor: str) -> Iterator[Retired]:
        """Erase what may go under *terms*, of which no two are of one kind; yield each tombstone once it is committed.

        Interrupted, what was yielded is done, and the next call goes on. Where people record something meanwhile, what
        may go is found anew.
        """
        while True:
            with self._database.reading() as conn:
                expired = find_expired(conn, terms)
                subjects = {number: each for each, number in self._names.subjects(conn).items()}
            try:
                yield from self._retired(expired, subjects, {each.kind: each for each in terms}, actor)
            except _OutdatedError:
                continue
            return

    def _retired(
        self, expired: Expired, subjects: Mapping[int, Subject], terms: Mapping[str, Term], actor: str
    ) -> Iterator[Retired]:
        for number, contents in expired.artifacts.items():
            for start in range(0, len(contents), self.at_a_time):
                some = contents[start : start + self.at_a_time]
                made = self._erase(expired, number, some, terms[subjects[number].kind], actor)
                if made is not None:
                    yield Retired(subjects[number], made)

    def _erase(self, expired: Expired, number: int, some: Sequence[int], term: Term, actor: str) -> Tombstone | None:
        """Erase those of *some* that may still go; None when there are none. Raises `_OutdatedError`."""
        with self._writing() as (conn, now):
            left = expired.still(conn, some)
            if left is None:
                raise _OutdatedError
            if not left:
                return None
            overwrite_what_is_freed(conn)
            values = {"subject": number, "item": None, "person": None, "until": to_ms(term.limit)}
            made = append_tombstone(conn, values, left, reason=f"retention {term.length}", name=actor, now=now)
            remove_contents(conn, left)
        return replace(made, lingers=not self._database.truncate_wal())


class _OutdatedError(Exception):
    """People recorded something since it was found what may go."""

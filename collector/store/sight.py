"""What of a store somebody within the terms of an engagement may know of: its sources and subjects, and no other.

Whatever a store answers begins with the names of sources and subjects (`Names`). Given these in their place, it has
never heard of what is out of scope.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from sqlalchemy import Connection, func, select

from collector.canonical import digest
from collector.engagement import Terms
from collector.model import Json, Subject
from collector.store.contents import read_by_id
from collector.store.names import Names
from collector.store.plans import planned_subjects
from collector.store.policies import WHOLE, Limits, RowSecurity
from collector.store.tables import controls, plan


class NamesWithin(Names):
    """The names of *everything* as far as *terms* go. Thread-safe; nothing is recorded through it.

    `begin` is for the start of each transaction. A source counts where a subject of it, observed or *planned* (by
    version, as remembered), is in scope.
    """

    def __init__(self, everything: Names, terms: Terms, planned: dict[int, frozenset[Subject]]) -> None:
        super().__init__()
        self._everything, self._terms, self._planned = everything, terms, planned
        self._held: dict[Subject, bool] = {}
        self._known, self._version = (-1, -1), -1
        self._expected: frozenset[str] = frozenset()
        self._documents: dict[str, frozenset[bytes]] = {}

    @property
    def whole(self) -> bool:
        """See `Names.whole`."""
        return False

    def holds(self, subject: Subject, /) -> bool:
        """See `Names.holds`."""
        if subject not in self._held:
            self._held[subject] = self._terms.holds(subject)
        return self._held[subject]

    def holds_source(self, name: str) -> bool:
        """Return whether who asks may know of the source *name*, observed or planned."""
        return name in self._expected or name in self._sources

    def begin(self, engagement: int, conn: Connection, security: RowSecurity) -> None:
        """Start a transaction of *engagement*: learn what is in scope, then see nothing else."""
        security.limit(conn, WHOLE)
        self._look(conn)
        sources, subjects = (",".join(map(str, each.values())) for each in (self._sources, self._subjects))
        security.limit(conn, Limits(str(engagement), sources, subjects, records=""))

    def _look(self, conn: Connection) -> None:
        every = self._everything.subjects(conn)
        known = self._everything.read, len(every)
        if known != self._known:
            self._subjects = {subject: number for subject, number in every.items() if self.holds(subject)}
            self._known = known
        version = int(conn.execute(select(func.max(plan.c.version))).scalar() or 0)
        if version != self._version:
            planned = planned_subjects(conn, self._planned)
            self._expected = frozenset(subject.source for subject in planned if self.holds(subject))
            self._version = version
        names = {subject.source for subject in self._subjects} | self._expected
        self._sources = {name: number for name, number in self._everything.numbered(conn).items() if name in names}

    def source(self, _: Connection, name: str) -> int | None:
        """See `Names.source`."""
        return self._sources.get(name)

    def sources(self, _: Connection) -> list[int]:
        """See `Names.sources`."""
        return list(self._sources.values())

    def source_named(self, conn: Connection, number: int) -> str:
        """See `Names.source_named`."""
        return self._everything.source_named(conn, number)

    def subject(self, _: Connection, wanted: Subject) -> int | None:
        """See `Names.subject`."""
        return self._subjects.get(wanted)

    def subjects(self, _: Connection) -> dict[Subject, int]:
        """See `Names.subjects`."""
        return dict(self._subjects)

    def documents(self, conn: Connection) -> set[bytes]:
        """Return the digests of what runs in scope name: procedures and settings of plans, and of every control set.

        A plan is recorded after the documents that it names and before the runs that name them again.
        """
        found: set[bytes] = set()
        for table in (plan, controls):
            for version, content in conn.execute(select(table.c.version, table.c.artifact)).all():
                place = f"{table.name} {version}"
                if place not in self._documents:
                    data = read_by_id(conn, content)
                    named = _named(self._terms, orjson.loads(data)) if table is plan else [digest(data)]
                    self._documents[place] = frozenset(named)
                found |= self._documents[place]
        return found


def _named(terms: Terms, document: Json) -> Iterator[bytes]:
    """Yield the digests of the procedures and settings that a plan's *document* names within *terms*."""
    for source in terms.planned(document)["sources"]:
        for name in (source["config"], *(kind["procedure"] for kind in source["kinds"])):
            yield bytes.fromhex(name.removeprefix("sha256:"))

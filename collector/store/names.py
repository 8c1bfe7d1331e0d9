"""Sources, subjects and people by number. A number once given never changes, so what was read may be remembered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, insert, select

from collector.model import Subject
from collector.store.contents import next_id
from collector.store.tables import actor, source, subject


@dataclass
class Names:
    """The dictionaries of one store in memory. A writer whose transaction fails must `forget` what it read there."""

    _sources: dict[str, int] = field(default_factory=dict)
    _subjects: dict[Subject, int] = field(default_factory=dict)
    read: int = 0
    """How often everything was read: what was made of it once may be another since."""

    @property
    def whole(self) -> bool:
        """Whether nothing is kept from who asks."""
        return True

    def holds(self, _: Subject, /) -> bool:
        """Return whether who asks may know of a subject."""
        return True

    def forget(self) -> None:
        """Drop everything; it is read again when it is needed."""
        self._sources, self._subjects = {}, {}

    def refresh(self, conn: Connection) -> None:
        """Read everything there is."""
        self.read += 1
        sources = {str(name): int(id_) for id_, name in conn.execute(select(source.c.id, source.c.name))}
        names = {id_: name for name, id_ in sources.items()}
        query = select(subject.c.id, subject.c.source, subject.c.kind, subject.c.scope)
        self._subjects = {Subject(names[of], kind, scope): id_ for id_, of, kind, scope in conn.execute(query)}
        self._sources = sources

    def source(self, conn: Connection, name: str) -> int | None:
        """Return the number of the source *name*, or None when the store has never heard of it."""
        if name not in self._sources:
            found = conn.execute(select(source.c.id).where(source.c.name == name)).scalar()
            if found is None:
                return None
            self._sources[name] = int(found)
        return self._sources[name]

    def sources(self, conn: Connection) -> list[int]:
        """Return the number of every source."""
        return list(self.numbered(conn).values())

    def numbered(self, conn: Connection) -> dict[str, int]:
        """Return every source with its number."""
        found = {str(name): int(id_) for id_, name in conn.execute(select(source.c.id, source.c.name))}
        self._sources |= found
        return found

    def source_named(self, conn: Connection, number: int) -> str:
        """Return the name of source *number*."""
        for name, id_ in self._sources.items():
            if id_ == number:
                return name
        return str(conn.execute(select(source.c.name).where(source.c.id == number)).scalar_one())

    def subject(self, conn: Connection, wanted: Subject) -> int | None:
        """Return the number of *wanted*, or None when the store has never heard of it."""
        if wanted not in self._subjects:
            query = select(subject.c.id).join(source, source.c.id == subject.c.source)
            found = conn.execute(
                query.where(
                    source.c.name == wanted.source, subject.c.kind == wanted.kind, subject.c.scope == wanted.scope
                )
            ).scalar()
            if found is None:
                return None
            self._subjects[wanted] = int(found)
        return self._subjects[wanted]

    def known(self, conn: Connection, wanted: Sequence[Subject]) -> dict[Subject, int]:
        """Return the numbers of those of *wanted* that the store has heard of."""
        if any(each not in self._subjects for each in wanted):
            self.refresh(conn)
        return {each: self._subjects[each] for each in wanted if each in self._subjects}

    def subjects(self, conn: Connection) -> dict[Subject, int]:
        """Return every subject with its number."""
        # Numbers are given out without gaps, so the last one tells whether all are known already. A transaction that is
        # kept from seeing some never sees a larger one than were known before.
        if (conn.execute(select(func.max(subject.c.id))).scalar() or 0) > len(self._subjects):
            self.refresh(conn)
        return dict(self._subjects)


def ensure_source(conn: Connection, names: Names, name: str) -> int:
    """Return the number of the source *name*, giving it one when it is new. For the writer's transaction."""
    return ensure_sources(conn, names, [name])[name]


def ensure_sources(conn: Connection, names: Names, wanted: Iterable[str]) -> dict[str, int]:
    """Return the numbers of the sources *wanted*, as `ensure_source` does for each."""
    found = {name: names.source(conn, name) for name in dict.fromkeys(wanted)}
    new = [name for name, number in found.items() if number is None]
    numbers = dict(zip(new, range(first := next_id(conn, source.c.id), first + len(new)), strict=True)) if new else {}
    if new:
        conn.execute(insert(source), [{"id": number, "name": name} for name, number in numbers.items()])
    return {name: numbers[name] if number is None else number for name, number in found.items()}


def ensure_subjects(conn: Connection, names: Names, wanted: Iterable[Subject]) -> dict[Subject, int]:
    """Return the numbers of *wanted*, giving one to each that is new. For the writer's transaction."""
    every = list(dict.fromkeys(wanted))
    ids = names.known(conn, every)
    return ids | add_subjects(conn, names, [each for each in every if each not in ids])


def add_subjects(conn: Connection, names: Names, new: Sequence[Subject]) -> dict[Subject, int]:
    """Give numbers to *new*, none of which the store has heard of, and return them. For the writer's transaction."""
    if not new:
        return {}
    sources = ensure_sources(conn, names, (each.source for each in new))
    ids = dict(zip(new, range(first := next_id(conn, subject.c.id), first + len(new)), strict=True))
    rows = [{"id": ids[each], "source": sources[each.source], "kind": each.kind, "scope": each.scope} for each in new]
    conn.execute(insert(subject), rows)
    return ids


def ensure_actor(conn: Connection, name: str) -> int:
    """Return the number of the person *name*, giving one to a new name. For the writer's transaction."""
    found = conn.execute(select(actor.c.id).where(actor.c.name == name)).scalar()
    if found is None:
        found = next_id(conn, actor.c.id)
        conn.execute(insert(actor).values(id=found, name=name))
    return int(found)

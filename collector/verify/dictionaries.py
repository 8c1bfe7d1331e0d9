"""The small tables that others refer to by number: sources, subjects, people, items; each must be referred to."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from collector.model import Subject
from collector.store.evidence import Evidence, Row, row_key
from collector.verify.differences import Differences
from collector.verify.numbered import Names, Numbered

# Their numbers are given out without a gap, in the order of recording; rows are never removed.
GAPLESS = {
    "actor": "id",
    "artifact": "id",
    "checkpoint": "id",
    "controls": "version",
    "dictionary": "id",
    "desk_act": "id",
    "item": "id",
    "missed": "id",
    "plan": "version",
    "population_state": "id",
    "sealing_key": "id",
    "signing_key": "id",
    "snapshot_request": "id",
    "source": "id",
    "subject": "id",
    "sweep": "id",
    "tag": "id",
    "tombstone": "id",
}


@dataclass
class Dictionaries:
    """Who is who, and which of them were referred to."""

    sources: dict[int, str] = field(default_factory=dict)
    subjects: dict[int, Subject] = field(default_factory=dict)
    numbers: dict[Subject, int] = field(default_factory=dict)
    actors: set[int] = field(default_factory=set)
    used_subjects: set[int] = field(default_factory=set)
    used_sources: set[int] = field(default_factory=set)
    used_actors: set[int] = field(default_factory=set)

    def source(self, number: int) -> str:
        """Return the name of source *number*, now referred to. Raises ValueError when there is none."""
        self.used_sources.add(number)
        if number not in self.sources:
            raise ValueError(f"it names source {number}, which is not there")
        return self.sources[number]

    def subject(self, number: int) -> Subject:
        """Return subject *number*, now referred to. Raises ValueError when there is none."""
        self.used_subjects.add(number)
        if number not in self.subjects:
            raise ValueError(f"it names subject {number}, which is not there")
        return self.subjects[number]

    def require_actor(self, number: int) -> None:
        """Note that person *number* is referred to. Raises ValueError when there is none."""
        self.used_actors.add(number)
        if number not in self.actors:
            raise ValueError(f"it names person {number}, who is not there")


def counted(evidence: Evidence, differences: Differences, table: str, *order: str) -> Iterator[Row]:
    """Yield the rows of *table* and count them; a number that is missing from the sequence is a difference."""
    number = GAPLESS.get(table)
    last = 0
    for row in evidence.rows(table, *order):
        differences.rows[table] += 1
        if number is not None and not order:
            if row[number] != last + 1:
                differences.add(
                    table, row_key(table, row), f"it does not follow {number} {last}: a row is not in place"
                )
            last = row[number]
        yield row


def read_dictionaries(evidence: Evidence, differences: Differences) -> Dictionaries:
    """Read sources, subjects and people."""
    found = Dictionaries()
    for row in counted(evidence, differences, "source"):
        found.sources[row["id"]] = row["name"]
    for row in counted(evidence, differences, "subject"):
        with differences.at("subject", row["id"]):
            subject = Subject(found.source(row["source"]), row["kind"], row["scope"])
            found.subjects[row["id"]] = subject
            if subject in found.numbers:
                raise ValueError(f"it is the same as subject {found.numbers[subject]}")
            found.numbers[subject] = row["id"]
    found.actors.update(row["id"] for row in counted(evidence, differences, "actor"))
    return found


def require_all_used(found: Dictionaries, differences: Differences) -> None:
    """Every name is recorded together with the first record that needs it."""
    for table, known, used in (
        ("source", found.sources.keys(), found.used_sources),
        ("subject", found.subjects.keys(), found.used_subjects),
        ("actor", found.actors, found.used_actors),
    ):
        for number in sorted(known - used):
            differences.add(table, number, "no record refers to it")


class ItemNames(Protocol):
    """The key digests of items by number, and whose they are; at hand or looked up."""

    @property
    def keys(self) -> Names:
        """The key digests."""

    def subject(self, number: int) -> int | None:
        """Return the subject (a number) of item *number*, or None when there is no such item."""


class Items:
    """The items by number: their key digests, and whose they are."""

    def __init__(self) -> None:
        self.keys = Numbered()
        self._subjects = array("q")

    def add(self, row: Row) -> None:
        """Keep an `item` row. Raises ValueError when its key digest is none."""
        self.keys.add(row["id"], row["key_digest"])
        self._subjects.append(row["subject"])

    def subject(self, number: int) -> int | None:
        """Return the subject (a number) of item *number*, or None when there is no such item."""
        place = self.keys.place(number)
        return None if place is None else self._subjects[place]

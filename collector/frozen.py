"""A frozen population: rows that anybody can read line by line, and a statement of how complete they are.

The rows are JSON Lines: one item a line, canonical JSON, in ascending order of source, scope and key digest. The
population is known by the SHA-256 of exactly these bytes, which the statement and the act's leaf name. docs/samples.md
specifies both for whoever has no copy of this program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from collector.canonical import canonical, digest
from collector.errors import IntegrityError
from collector.model import Json, Subject
from collector.presence import Presence

FORM = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a frozen population. *at* is when an event happened, None for a state or an undated event.

    *id* (hex) names the item within the population; *artifacts* are the digests (hex) of the forms that it had.
    """

    id: str
    source: str
    scope: str
    key: str
    first_seen: str
    last_seen: str
    joined: tuple[str, ...]
    left: tuple[str, ...]
    changes: int
    artifacts: tuple[str, ...]
    at: str | None

    @property
    def order(self) -> tuple[str, str]:
        """Where it stands in time: when it happened, else when it was first seen; then by id."""
        return self.at or self.first_seen, self.id


def row_id(subject: Subject, key_digest: bytes) -> str:
    """Return the id of an item: SHA-256 over source, scope and the hex key digest, each but the last ended by NUL."""
    text = f"{subject.source}\0{subject.scope}\0{key_digest.hex()}"
    return digest(text.encode("utf-8")).hex()


def row_line(subject: Subject, key: str, key_digest: bytes, found: Presence, at: datetime | None) -> bytes:
    """Return the line of an item, without its end."""
    said: dict[str, Json] = {
        "id": row_id(subject, key_digest),
        "source": subject.source,
        "scope": subject.scope,
        "key": key.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace"),
        "key_sha256": key_digest.hex(),
        "first_seen": stamp(found.first_seen),
        "last_seen": stamp(found.last_seen),
        "joined": [stamp(each) for each in found.joined],
        "left": [stamp(each) for each in found.left],
        "changes": found.changes,
        "artifacts": [each.hex() for each in found.artifacts],
    }
    if at is not None:
        said["at"] = stamp(at)
    return canonical(said)


def rows(data: bytes) -> Iterator[Row]:
    """Yield the rows of a frozen population, in order. Raises `IntegrityError` for bytes that are not such rows."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        if end < 0:
            raise IntegrityError("the rows of a frozen population end within a line")
        yield _row(data[start:end])
        start = end + 1


def stamp(at: datetime) -> str:
    """Return *at* in UTC with milliseconds, always of one length: the order of such texts is that of the times."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _row(line: bytes) -> Row:
    try:
        said = orjson.loads(line)
        return Row(
            said["id"],
            said["source"],
            said["scope"],
            said["key"],
            said["first_seen"],
            said["last_seen"],
            tuple(said["joined"]),
            tuple(said["left"]),
            said["changes"],
            tuple(said["artifacts"]),
            said.get("at"),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"a line is no row of a frozen population: {type(error).__name__}: {error}") from error

"""Ask for populations and items: heads, as-of, history, changes, volatile fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, Select, bindparam, func, or_, select

from collector.clock import from_ms, to_ms
from collector.model import Head, Json, Period, Subject
from collector.store.contents import read_by_id
from collector.store.names import Names
from collector.store.populations import latest_state
from collector.store.records import Existence, ItemVersion, RecordedChange
from collector.store.tables import artifact, change, item, item_version, population_state, volatile
from collector.store.volatile_columns import by_item


def head(conn: Connection, number: int | None, subject: Subject) -> Head:
    """Return the last good population of *subject*, whose number is None when the store has never heard of it."""
    found = Head(subject)
    state = None if number is None else latest_state(conn, number)
    if state is None:
        return found
    query = (
        select(item.c.key_digest, item.c.key, artifact.c.digest)
        .select_from(item_version)
        .join(item, item.c.id == item_version.c.item)
        .join(artifact, artifact.c.id == item_version.c.artifact)
        .where(item_version.c.subject == number, item_version.c.until.is_(None))
    )
    # Of events, only those that the next window can bring again: an event within it was first read after it happened,
    # so after the beginning of the last window.
    if state.since is not None:
        query = query.where(item_version.c.since >= state.since)
    for key_digest, key, name in conn.execute(query):
        found.contents[key_digest] = name
        found.keys[key_digest] = _text(key)
    found.population = state.root
    found.watermark = None if state.watermark is None else from_ms(state.watermark)
    kept = conn.execute(select(func.max(volatile.c.at)).where(volatile.c.subject == number)).scalar()
    found.volatile_day = "" if kept is None else from_ms(kept).date().isoformat()
    return found


class Naming(Protocol):
    """Who knows what the items of sealed subjects are called."""

    def texts(self, conn: Connection, items: Mapping[int, bytes]) -> dict[int, str]:
        """Return how the sealed *items* (number -> key digest) are shown."""

    def digests_of(self, conn: Connection, subjects: Iterable[int], key: str) -> list[bytes]:
        """Return the key digests under which an item called *key* may be stored in *subjects* (numbers)."""


def as_of(
    conn: Connection, subjects: Mapping[int, Subject], at: datetime, key: str | None, naming: Naming
) -> list[ItemVersion]:
    """Return the item versions of *subjects* (by number) that were valid at *at*, by subject and key."""
    ms = to_ms(at)
    query = _versions(subjects).where(
        item_version.c.since <= ms, or_(item_version.c.until.is_(None), item_version.c.until > ms)
    )
    found = _read_versions(conn, query, subjects, key, naming)
    places = {subject: place for place, subject in enumerate(sorted(subjects.values()))}
    return sorted(found, key=lambda each: (places[each.subject], each.key))


def history(conn: Connection, subjects: Mapping[int, Subject], key: str, naming: Naming) -> list[ItemVersion]:
    """Return every version of the item *key* in any of *subjects*, by subject, oldest first."""
    query = _versions(subjects).order_by(item_version.c.subject, item_version.c.state)
    versions = _read_versions(conn, query, subjects, key, naming)
    return sorted(versions, key=lambda each: each.subject)


def items_named(
    conn: Connection, subjects: Mapping[int, Subject], beginning: str, limit: int
) -> list[tuple[Subject, str]]:
    """Return the first *limit* items of *subjects* (by number) whose key text begins so, by key and subject."""
    low = beginning.encode("utf-8", "surrogatepass")
    # No byte of UTF-8 is 0xff, so everything that begins with *low* is before this.
    high = low + b"\xff"
    query = select(item.c.subject, item.c.key).where(
        item.c.subject.in_(sorted(subjects)), item.c.key >= low, item.c.key < high
    )
    rows = conn.execute(query.order_by(item.c.key, item.c.subject).limit(limit))
    return [(subjects[number], _text(key)) for number, key in rows]


def changes(
    conn: Connection, subjects: Mapping[int, Subject] | None, names: Names, period: Period, naming: Naming
) -> list[RecordedChange]:
    """Return what changed in *period*, oldest first; of all subjects when *subjects* is None."""
    query = _CHANGES if subjects is None else _CHANGES.where(population_state.c.subject.in_(subjects))
    known = subjects if subjects is not None else {id_: each for each, id_ in names.subjects(conn).items()}
    found: list[RecordedChange] = []
    # Many rows at once: fetching them one by one takes longer than finding them, and all of them are objects enough for
    # Python's collector of garbage to go through everything there is.
    for part in conn.execute(query, _ends(period)).partitions(_FETCHED):
        texts = _texts(conn, part, naming)
        times = {ms: from_ms(ms) for ms in {row[4] for row in part}}
        found += [
            RecordedChange(known[number], texts.get(id_) or _text(key), times[ms], was, now)
            for number, id_, _, key, ms, was, now in part
        ]
    return found


def population(
    conn: Connection,
    subjects: Mapping[int, Subject],
    period: Period,
    naming: Naming,
    *,
    after: str | None,
    limit: int | None,
) -> list[Existence]:
    """Return the items of *subjects* (by number) that existed at any time in *period*, as they were first recorded.

    That is by subject, then in the order in which the store first heard of each. *after* is the place of the last item
    of the page before; *limit* the most items to be returned.
    """
    subject, item_number = (0, 0) if after is None else (int(each) for each in after.split("-"))
    query = _EXISTED.where(item_version.c.subject.in_(sorted(number for number in subjects if number >= subject)))
    if after is not None:
        query = query.where(or_(item_version.c.subject > subject, item_version.c.item > item_number))
    found: list[Existence] = []
    rows = conn.execute(query, _ends(period), execution_options={"stream_results": limit is not None})
    of: tuple[int, int] | None = None
    for part in rows.partitions(_AT_A_TIME if limit is None else 2 * limit):
        texts = _texts(conn, part, naming)
        for number, item_, _, key, since, until, name in part:
            gone = None if until is None else from_ms(until)
            if (number, item_) == of:
                found[-1] = found[-1]._replace(gone=gone, artifact=name, forms=found[-1].forms + 1)
                continue
            if len(found) == limit:
                rows.close()
                return found
            of = number, item_
            place = f"{number}-{item_}"
            found.append(
                Existence(subjects[number], texts.get(item_) or _text(key), from_ms(since), gone, name, 1, place)
            )
    return found


def _ends(period: Period) -> dict[str, int]:
    return {"start": to_ms(period.start), "end": to_ms(period.end)}


_AT_A_TIME = 2_000
_FETCHED = 500
_ITEM = (item.c.id.label("item"), item.c.key_digest, item.c.key)
_BEFORE, _AFTER = artifact.alias("before"), artifact.alias("after")
_CHANGES = (
    select(population_state.c.subject, *_ITEM, population_state.c.at, _BEFORE.c.digest, _AFTER.c.digest)
    .select_from(population_state)
    .join(change, change.c.state == population_state.c.id)
    .join(item, item.c.id == change.c.item)
    .outerjoin(_BEFORE, _BEFORE.c.id == change.c.before)
    .outerjoin(_AFTER, _AFTER.c.id == change.c.artifact)
    .where(population_state.c.at >= bindparam("start"), population_state.c.at < bindparam("end"))
    # A sealed item's key is null, which each engine puts at another end.
    .order_by(population_state.c.at, population_state.c.id, item.c.key.is_(None), item.c.key, item.c.id)
)
_EXISTED = (
    select(
        item_version.c.subject,
        *_ITEM,
        item_version.c.since,
        item_version.c.until,
        artifact.c.digest,
    )
    .select_from(item_version)
    .join(item, item.c.id == item_version.c.item)
    .join(artifact, artifact.c.id == item_version.c.artifact)
    .where(
        item_version.c.since < bindparam("end"),
        or_(item_version.c.until.is_(None), item_version.c.until > bindparam("start")),
    )
    # The order of the primary key: a page is read where it lies, and nothing is sorted.
    .order_by(item_version.c.subject, item_version.c.item, item_version.c.state)
)


def volatile_fields(conn: Connection, number: int, at: datetime) -> dict[str, Json] | None:
    """Return the volatile fields of subject *number* last kept at or before *at*: ``{key: {path: value}}``.

    What is sealed is returned as it is stored.
    """
    query = select(volatile.c.artifact).where(volatile.c.subject == number, volatile.c.at <= to_ms(at))
    found = conn.execute(query.order_by(volatile.c.at.desc(), volatile.c.sweep.desc()).limit(1)).scalar()
    if found is None:
        return None
    return by_item(orjson.loads(read_by_id(conn, found)))


def _versions(subjects: Iterable[int]) -> Select[Any]:
    return (
        select(item_version.c.subject, *_ITEM, item_version.c.since, item_version.c.until, artifact.c.digest)
        .select_from(item_version)
        .join(item, item.c.id == item_version.c.item)
        .join(artifact, artifact.c.id == item_version.c.artifact)
        .where(item_version.c.subject.in_(list(subjects)))
    )


def _read_versions(
    conn: Connection,
    query: Select[Any],
    subjects: Mapping[int, Subject],
    key: str | None,
    naming: Naming,
) -> list[ItemVersion]:
    if key is not None:
        digests = naming.digests_of(conn, subjects, key)
        query = query.where(item.c.subject.in_(list(subjects)), item.c.key_digest.in_(digests))
    rows = conn.execute(query).all()
    texts = _texts(conn, rows, naming)
    return [
        ItemVersion(
            subjects[number],
            texts.get(id_) or _text(name),
            from_ms(since),
            None if until is None else from_ms(until),
            content,
        )
        for number, id_, _, name, since, until, content in rows
    ]


def _texts(conn: Connection, rows: Sequence[Any], naming: Naming) -> dict[int, str]:
    """Return what the sealed items of *rows* are called; in each row `_ITEM` comes second."""
    unnamed = {item_: bytes(key_digest) for _, item_, key_digest, key, *_ in rows if key is None}
    return naming.texts(conn, unnamed) if unnamed else {}


def _text(key: bytes | None) -> str:
    return "" if key is None else key.decode("utf-8", "surrogatepass")

"""Plans, control sets and missed slots: what was expected, dated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import TypeVar

import orjson
from sqlalchemy import Connection, Table, insert, select

from collector.canonical import canonical, digest
from collector.clock import from_ms, to_ms
from collector.errors import IntegrityError
from collector.log import ledger
from collector.log.leaf import LeafKind
from collector.model import Json, Missed, Period, Subject
from collector.store.contents import keep_one, next_id, read_by_id
from collector.store.names import Names, ensure_source, ensure_subjects
from collector.store.records import ControlsRecord, PlanRecord
from collector.store.tables import missed, missed_subject, plan

_Record = TypeVar("_Record", PlanRecord, ControlsRecord)


def append_version(
    conn: Connection, table: Table, document: Json, name: bytes, *, valid_from: datetime, recorded_ms: int
) -> int:
    """Record *document* as the next version in *table* (`plan` or `controls`) and return the version, from 1.

    Raises `IntegrityError` when *name* is not the digest of its canonical form.
    """
    data = canonical(document)
    if digest(data) != name:
        raise IntegrityError(f"the {table.name} document does not have the digest it is named by")
    version = next_id(conn, table.c.version)
    payload = {table.name: version, "valid_from": to_ms(valid_from), "document": name.hex()}
    row = {
        "version": version,
        "valid_from": to_ms(valid_from),
        "artifact": keep_one(conn, data),
        "recorded": recorded_ms,
        "leaf": ledger.append(conn, LeafKind.PLAN, payload, recorded_ms),
    }
    conn.execute(insert(table).values(row))
    return version


def versions(conn: Connection, table: Table, record: type[_Record], known: dict[int, _Record]) -> list[_Record]:
    """Return every version in *table*, oldest first; *known* remembers those read before, which never change."""
    new = select(table).where(table.c.version > max(known, default=0)).order_by(table.c.version)
    for row in conn.execute(new).all():
        data = read_by_id(conn, row.artifact)
        times = from_ms(row.valid_from), from_ms(row.recorded)
        known[row.version] = record(row.version, times[0], orjson.loads(data), digest(data), times[1])
    return [known[version] for version in sorted(known)]


def planned_subjects(conn: Connection, known: dict[int, frozenset[Subject]]) -> set[Subject]:
    """Return every subject of every plan; *known* remembers those of each version, which never change."""
    query = select(plan.c.version, plan.c.artifact).where(plan.c.version > max(known, default=0))
    for version, artifact in conn.execute(query).all():
        known[version] = frozenset(_subjects_of_plan(orjson.loads(read_by_id(conn, artifact))))
    return set().union(*known.values())


def _subjects_of_plan(document: Json) -> Iterator[Subject]:
    for source in document.get("sources", ()):
        for kind in source["kinds"]:
            for scope in source["scopes"]:
                if scope["level"] == kind["level"]:
                    yield Subject(source["name"], kind["name"], scope["name"])


def append_missed(conn: Connection, names: Names, record: Missed, recorded_ms: int) -> int:
    """Record slots that passed unread and return the id of the record, from 1."""
    number = next_id(conn, missed.c.id)
    if record.subjects is not None:
        # A table keeps no order: sorted, what the leaf commits to can be made again from the rows.
        record = replace(record, subjects=tuple(sorted(set(record.subjects))))
    row = {
        "id": number,
        "source": ensure_source(conn, names, record.source),
        "since": to_ms(record.period.start),
        "until": to_ms(record.period.end),
        "cause": record.cause,
        "plan": record.plan_version,
        "whole": record.subjects is None,
        "recorded": recorded_ms,
    }
    named = None if record.subjects is None else [each._asdict() for each in record.subjects]
    said = {**asdict(record), "period": [row["since"], row["until"]], "subjects": named}
    payload = {
        "missed": number,
        "source": record.source,
        "since": row["since"],
        "until": row["until"],
        "plan": record.plan_version,
        "digest": digest(canonical(said)).hex(),
    }
    leaf = ledger.append(conn, LeafKind.GAP, payload, recorded_ms)
    conn.execute(insert(missed).values(**row, leaf=leaf))
    subjects = ensure_subjects(conn, names, record.subjects or ())
    if subjects:
        conn.execute(insert(missed_subject), [{"missed": number, "subject": each} for each in subjects.values()])
    return number


def missed_between(conn: Connection, names: Names, period: Period, source: str | None) -> list[Missed]:
    """Return the records of missed slots that overlap *period*, oldest first."""
    query = select(missed).where(missed.c.since < to_ms(period.end), missed.c.until > to_ms(period.start))
    if source is not None:
        number = names.source(conn, source)
        query = query.where(missed.c.source == (-1 if number is None else number))
    rows = conn.execute(query.order_by(missed.c.since, missed.c.id)).all()
    named = not all(row.whole for row in rows)
    subjects = {number: subject for subject, number in names.subjects(conn).items()} if named else {}
    return [
        Missed(
            names.source_named(conn, row.source),
            Period(from_ms(row.since), from_ms(row.until)),
            row.cause,
            row.plan,
            None if row.whole else tuple(subjects[each] for each in _subjects_of(conn, row.id)),
        )
        for row in rows
    ]


def _subjects_of(conn: Connection, number: int) -> list[int]:
    query = select(missed_subject.c.subject).where(missed_subject.c.missed == number)
    return list(conn.execute(query.order_by(missed_subject.c.subject)).scalars())

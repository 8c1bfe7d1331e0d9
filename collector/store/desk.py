"""The auditor's desk as recorded: acts of people, each a row, a document and a leaf that commits to both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, insert, select

from collector.act import UNBOUND, Act, ActKind, NewAct, Rule, no_rule
from collector.canonical import canonical
from collector.clock import from_ms
from collector.engagement import Engagement, engagements, no_engagement, require_open
from collector.errors import QueryError, Unknown
from collector.log import ledger
from collector.log.leaf import LeafKind
from collector.model import Json, Period
from collector.store.connection import Database
from collector.store.contents import digests, keep_one, next_id, read_by_id
from collector.store.desk_tables import desk_act
from collector.store.names import ensure_actor
from collector.store.tables import actor

_Writing = Callable[[], AbstractContextManager[tuple[Connection, int]]]


_OUTSIDE = frozenset({ActKind.ENGAGEMENT, ActKind.TOKEN})
"""Acts by which terms are set and people let in: nobody records them from within an engagement."""


class Desk:
    """What people recorded in one store; with *only* the id of an engagement, nothing but what belongs to that."""

    def __init__(self, database: Database, writing: _Writing, only: int | None = None) -> None:
        self._database = database
        self._writing = writing
        self._only = only

    def record(self, acts: Sequence[NewAct], rule: Rule = no_rule) -> list[Act]:
        """Record *acts* (of one kind, for one engagement) in one transaction, with a leaf each; return them.

        Raises `QueryError`, and records nothing, when the engagement is closed or not there, and what *rule* raises.
        Within an engagement, every other one is not there, and neither its terms nor who is let in are recorded.
        """
        with self._writing() as (conn, now):
            if self._only is not None:
                _require_within(conn, acts, self._only)
            _require_allowed(conn, acts, rule)
            numbers = [_append(conn, each, now) for each in acts]
            return [_one(conn, number) for number in numbers]

    def acts(self, kind: ActKind, engagement: int | None = None) -> list[Act]:
        """Return the acts of *kind*, of one *engagement* or of all, oldest first."""
        with self._database.reading() as conn:
            return _acts(conn, self._within(_of(kind, engagement)))

    def newest(self, kind: ActKind) -> int:
        """Return the id of the last act of *kind*, 0 before the first: whether there is anything new since."""
        query = select(func.max(desk_act.c.id)).where(desk_act.c.kind == kind.value)
        with self._database.reading() as conn:
            return int(conn.execute(self._within(query)).scalar() or 0)

    def act(self, number: int, kind: ActKind) -> Act:
        """Return the act *number*. Raises `QueryError` when there is none of that *kind*."""
        with self._database.reading() as conn:
            found = _one(conn, number, kind)
        if self._only not in (None, found.engagement):
            raise no_act(number, kind)
        return found

    def engagements(self) -> list[Engagement]:
        """Return every engagement, closed ones too, oldest first."""
        return engagements(self.acts(ActKind.ENGAGEMENT))

    def protected_periods(self) -> list[Period]:
        """Return the periods of the engagements that are open, ascending: what they rest on must be kept."""
        with self._database.reading() as conn:
            found = [each for each in open_engagements(conn) if self._only in (None, each.id)]
        return sorted(each.terms.period for each in found)

    def _within(self, query: Select[Any]) -> Select[Any]:
        return query if self._only is None else query.where(desk_act.c.engagement == self._only)


def open_engagements(conn: Connection) -> list[Engagement]:
    """Return the engagements that are not closed, oldest first."""
    return [each for each in engagements(_acts(conn, _of(ActKind.ENGAGEMENT, None))) if each.closed is None]


_LARGEST = 2**63 - 1  # of the column
_EVERY = select(desk_act, actor.c.name).join(actor, actor.c.id == desk_act.c.actor).order_by(desk_act.c.id)


def _of(kind: ActKind, engagement: int | None) -> Select[Any]:
    query = _EVERY.where(desk_act.c.kind == kind.value)
    return query if engagement is None else query.where(desk_act.c.engagement == engagement)


def _require_allowed(conn: Connection, acts: Sequence[NewAct], rule: Rule) -> None:
    """Raise what forbids *acts*. Behind the write lock, so that no other writer comes between this and the record."""
    for engagement in {each.engagement for each in acts if each.engagement is not None and each.kind not in UNBOUND}:
        require_open(engagements(_acts(conn, _of(ActKind.ENGAGEMENT, engagement))), engagement)
    if acts and rule is not no_rule:
        rule(_acts(conn, _of(acts[0].kind, acts[0].engagement)))


def _require_within(conn: Connection, acts: Sequence[NewAct], only: int) -> None:
    """Raise unless *acts* belong to the engagement *only*, and concern nothing that does not."""
    for act in acts:
        if act.engagement is None or act.kind in _OUTSIDE:
            raise QueryError(f"the {act.kind} is not recorded from within an engagement", hint="Ask an admin.")
        if act.engagement != only:
            raise no_engagement(act.engagement)
    concerned = {act.about for act in acts if act.about is not None}
    query = select(desk_act.c.id).where(desk_act.c.id.in_(concerned), desk_act.c.engagement == only)
    for number in sorted(concerned - set(conn.execute(query).scalars())):
        raise no_act(number)


def _append(conn: Connection, act: NewAct, now: int) -> int:
    number = next_id(conn, desk_act.c.id)
    document = dict(act.document)
    if act.people is not None:
        document["people"] = [ensure_actor(conn, name) for name in act.people]
    row = {
        "id": number,
        "kind": act.kind.value,
        "engagement": number if act.engagement is None else act.engagement,
        "about": act.about,
        "document": keep_one(conn, canonical(document)),
        "artifact": None if act.data is None else keep_one(conn, act.data),
        "actor": ensure_actor(conn, act.actor),
        "at": now,
    }
    kept = digests(conn, [each for each in (row["document"], row["artifact"]) if isinstance(each, int)])
    leaf = ledger.append(conn, LeafKind(act.kind.value), act_payload(row, kept), now)
    conn.execute(insert(desk_act).values(**row, leaf=leaf))
    return number


def act_payload(row: dict[str, Any], names: dict[int, bytes]) -> dict[str, Json]:
    """Return what the leaf of a `desk_act` *row* says; *names* are the digests of artifacts by number.

    What a person wrote stays in the document, which can be erased; who it was is a number. Raises ValueError for an
    artifact that is not among *names*.
    """
    said: dict[str, Json] = {"act": row["id"], "engagement": row["engagement"], "by": row["actor"]}
    if row["about"] is not None:
        said["about"] = row["about"]
    for column in ("document", "artifact"):
        if row[column] is None:
            continue
        if row[column] not in names:
            raise ValueError(f"it names artifact {row[column]}, which is not there")
        said[column] = names[row[column]].hex()
    return said


def _one(conn: Connection, number: int, kind: ActKind | None = None) -> Act:
    found = _acts(conn, _EVERY.where(desk_act.c.id == number)) if number <= _LARGEST else []
    if not found or (kind is not None and found[0].kind is not kind):
        raise no_act(number, kind)
    return found[0]


def no_act(number: int | None, kind: ActKind | None = None) -> Unknown:
    """Return the error for a number that is no act, or none of *kind*: the same for one that may not be seen."""
    what = kind.value if kind else "act"
    return Unknown(f"there is no {what} {number}", hint="The list shows the numbers.")


def _acts(conn: Connection, query: Select[Any]) -> list[Act]:
    rows = conn.execute(query).all()
    named = digests(conn, (each for row in rows for each in (row.document, row.artifact) if each is not None))
    documents = {row.id: orjson.loads(read_by_id(conn, row.document)) for row in rows}
    people = _people(conn, {number for each in documents.values() for number in each.get("people", ())})
    return [
        Act(
            row.id,
            ActKind(row.kind),
            row.engagement,
            row.about,
            documents[row.id],
            named[row.document],
            None if row.artifact is None else named[row.artifact],
            tuple(people.get(number, "") for number in documents[row.id].get("people", ())),
            row.name or "",
            from_ms(row.at),
            row.leaf,
        )
        for row in rows
    ]


def _people(conn: Connection, numbers: Iterable[int]) -> dict[int, str]:
    query = select(actor.c.id, actor.c.name).where(actor.c.id.in_(sorted(numbers)))
    return {number: name or "" for number, name in conn.execute(query)}

"""What retention lets go: contents that only forms name which ended before a limit, and that nobody may still need.

- A form of a state ended when the next was seen, or when its item was gone; one that is open never did. An event ended
  when it was read: no later run says that it is over.
- Kept, whatever its age: what was valid at any time in the period of an open engagement (an event: what the window that
  brought it shares with the period); what anything else that is recorded names. For what people drew, froze or linked
  that is every digest that stands in their acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, distinct, except_, func, or_, select

from collector.act import UNBOUND, ActKind
from collector.clock import to_ms
from collector.engagement import Engagement
from collector.model import Period
from collector.store.contents import PAGE, known, read_by_id
from collector.store.desk import open_engagements
from collector.store.desk_tables import desk_act
from collector.store.sealing_tables import erased
from collector.store.tables import (
    artifact,
    change,
    controls,
    item_version,
    plan,
    population_state,
    subject,
    sweep,
    tag,
    volatile,
)

# That somebody was let in, or looked at something, is no need of it.
_CLAIMS = desk_act.c.kind.not_in(sorted(each.value for each in UNBOUND))
_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """How long contents of *kind* are kept: *length* as configured, so what ended before *limit* may go."""

    kind: str
    length: str
    limit: datetime


@dataclass(frozen=True, slots=True)
class _Marks:
    """How much was recorded of everything that can name a content."""

    state: int
    sweep: int
    acts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Expired:
    """What may go, as one state of the store tells: artifacts (numbers) by subject (number), ascending."""

    artifacts: dict[int, list[int]]
    marks: _Marks

    def still(self, conn: Connection, some: Sequence[int]) -> list[int] | None:
        """Return those of *some* artifacts that may still go, for the transaction that erases them; None: ask again.

        Engagements, samples and the like are looked at anew; of what sweeps recorded since, all that they name stays.
        """
        marks = _marks(conn)
        if marks.acts != self.marks.acts:
            return None
        named: set[int] = set()
        for query in _named_since(self.marks):
            named.update(conn.execute(query).scalars())
        for start in range(0, len(some), PAGE):
            page = erased.c.artifact.in_(some[start : start + PAGE])
            named.update(conn.execute(select(erased.c.artifact).where(page)).scalars())
        return [each for each in some if each not in named]


def find_expired(conn: Connection, terms: Sequence[Term]) -> Expired:
    """Return what may go under *terms*, of which no two are of one kind."""
    marks = _marks(conn)
    if not terms:
        return Expired({}, marks)
    goes = _expired(terms, [each.terms.period for each in open_engagements(conn)])
    left = set(conn.execute(_unneeded(goes)).scalars()) - set(known(conn, _said(conn)).values())
    found: dict[int, list[int]] = {}
    query = select(item_version.c.subject, item_version.c.artifact).select_from(_FORMS).where(goes)
    for number, content in conn.execute(query.distinct().order_by(item_version.c.subject, item_version.c.artifact)):
        if content in left:
            left.discard(content)
            found.setdefault(number, []).append(content)
    return Expired(found, marks)


def kept_for(conn: Connection, terms: Sequence[Term]) -> dict[str, list[tuple[Engagement, int]]]:
    """Return by kind how many contents, old enough to go under *terms*, each open engagement needs."""
    found: dict[str, list[tuple[Engagement, int]]] = {}
    for each in open_engagements(conn) if terms else ():
        query = select(subject.c.kind, func.count(distinct(item_version.c.artifact))).select_from(
            _FORMS.outerjoin(erased, erased.c.artifact == item_version.c.artifact)
        )
        query = query.where(_old(terms), _within(each.terms.period), erased.c.artifact.is_(None))
        for kind, count in conn.execute(query.group_by(subject.c.kind)):
            found.setdefault(kind, []).append((each, count))
    return found


def stored_bytes(conn: Connection, artifacts: Sequence[int]) -> int:
    """Return how many bytes *artifacts* (numbers) take as they are stored."""
    total = 0
    for start in range(0, len(artifacts), PAGE):
        query = select(func.coalesce(func.sum(func.length(artifact.c.bytes)), 0))
        total += int(conn.execute(query.where(artifact.c.id.in_(artifacts[start : start + PAGE]))).scalar_one())
    return total


_FORMS = item_version.join(population_state, population_state.c.id == item_version.c.state).join(
    subject, subject.c.id == item_version.c.subject
)
_HAPPENED = population_state.c.since.is_not(None)
_BEGINS = func.coalesce(population_state.c.since, item_version.c.since)
_ENDS = case((_HAPPENED, item_version.c.since + 1), else_=item_version.c.until)


def _old(terms: Sequence[Term]) -> ColumnElement[bool]:
    return or_(*(and_(subject.c.kind == each.kind, to_ms(each.limit) >= _ENDS) for each in terms))


def _within(period: Period) -> ColumnElement[bool]:
    return and_(to_ms(period.end) > _BEGINS, or_(_ENDS.is_(None), to_ms(period.start) < _ENDS))


def _expired(terms: Sequence[Term], protected: Sequence[Period]) -> ColumnElement[bool]:
    """Return what is true of the forms that may go. It is never null: what it is false of is needed."""
    kept = [(_within(period), 0) for period in protected]
    return case(*kept, (_old(terms), 1), else_=0) == 1


def _unneeded(goes: ColumnElement[bool]) -> Select[Any]:
    """Return the query for the artifacts of which nothing but forms that may go has need."""
    forms = select(item_version.c.artifact.label("artifact")).select_from(_FORMS)
    columns = (
        volatile.c.artifact,
        erased.c.artifact,
        sweep.c.frame,
        sweep.c.notes,
        plan.c.artifact,
        controls.c.artifact,
        desk_act.c.document,
        desk_act.c.artifact,
    )
    found = except_(forms.where(goes), forms.where(~goes), *(select(each) for each in columns)).subquery()
    return select(found.c.artifact)


def _named_since(marks: _Marks) -> Iterator[Select[Any]]:
    yield select(change.c.artifact).where(change.c.state > marks.state, change.c.artifact.is_not(None))
    yield select(volatile.c.artifact).where(volatile.c.sweep > marks.sweep)
    for column in (sweep.c.frame, sweep.c.notes):
        yield select(column).where(sweep.c.id > marks.sweep, column.is_not(None))


def _marks(conn: Connection) -> _Marks:
    columns = (population_state.c.id, sweep.c.id, plan.c.version, controls.c.version, tag.c.id)
    state, last, *acts = (conn.execute(select(func.coalesce(func.max(each), 0))).scalar_one() for each in columns)
    said = conn.execute(select(func.coalesce(func.max(desk_act.c.id), 0)).where(_CLAIMS)).scalar_one()
    return _Marks(state, last, (said, *acts))


def _said(conn: Connection) -> set[bytes]:
    """Return every digest that stands in what people recorded; a file that they brought is no record of ours."""
    found: set[bytes] = set()
    for row in conn.execute(select(desk_act.c.kind, desk_act.c.document, desk_act.c.artifact).where(_CLAIMS)).all():
        brought = row.artifact if row.kind != ActKind.UPLOAD else None
        for number in (row.document, brought):
            if number is not None:
                found.update(_DIGEST.findall(read_by_id(conn, number)))
    for target in conn.execute(select(tag.c.target).distinct()).scalars():
        found.update(_DIGEST.findall(target.encode("utf-8", "replace")))
    return {bytes.fromhex(each.decode()) for each in found}

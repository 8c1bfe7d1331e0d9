"""Kinds: what there was at an instant, what differs between two, how far it is covered, and the life of one item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from collector.ask.kinds_recorded import RecordedKind, recorded_kinds
from collector.ask.plans import recorded_plans
from collector.ask.populations import event_field
from collector.ask.slots import Question, criteria_of_kinds
from collector.clock import parse_instant
from collector.coverage import Tally
from collector.errors import QueryError, Unknown
from collector.gate import Engaged, Visit
from collector.model import Json, Subject
from collector.population import Difference, ItemAt, as_of, difference, shown_documents, subjects_of
from collector.store import Store
from collector.tag import load_controls
from collector.web import columns
from collector.web.covering import FIRST_OUTAGES, Covering, covering
from collector.web.pages import address, page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)

_ON_A_PAGE = 50
_SHOWN_RUNS = 8
_FEW = 2
_ORDERS = {"name": "by name", "missing": "most missing first", "longest": "longest gap first"}


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A row of a population: the item, where it is, and what the columns find in it; *withheld* says why nothing."""

    subject: Subject
    item: ItemAt
    values: Sequence[Json]
    withheld: str


class Asked(BaseModel):
    """What is asked of a kind, as the address says it."""

    at: str = ""
    since: str = Field(default="", alias="from")
    until: str = Field(default="", alias="to")
    source: str = ""
    scope: str = ""
    fields: str = ""
    skip: int = Field(default=0, ge=0, le=10_000_000)

    def address(self, name: str, kind: str, **other: object) -> str:
        """Return the address of the same question about *kind*, with *other* words in it."""
        words = {"at": self.at, "from_": self.since, "to": self.until, "source": self.source, "scope": self.scope}
        return address("e", name, "kinds", kind, **{**words, "fields": self.fields, **other})


@router.get("/e/{name}/kinds")
def kinds(
    request: Request, visit: Visitor, engaged: Within, sort: Literal["name", "missing", "longest"] = "name"
) -> HTMLResponse:
    """List the kinds in scope, with how far each is covered."""
    terms = engaged.engagement.terms
    known = _known(visit, engaged)
    found = covering(visit, engaged, Question(terms.period, by="kind", terms=terms))
    if found:
        rows = [replace(each, title=_about(known[each.name])) for each in found.coverage.rows if each.name in known]
        rows.sort(key=lambda each: _order(each.tally, sort), reverse=sort != "name")
        found = Covering(replace(found.coverage, rows=tuple(rows)), found.calendar)
    covered = {row.name for row in found.coverage.rows} if found else set()
    return page(
        request,
        visit,
        "kinds.html",
        engagement=engaged.engagement,
        found=found,
        by="kind",
        also={},
        others=sorted(known.keys() - covered),
        orders=[(words, address("e", engaged.engagement.name, "kinds", sort=each)) for each, words in _ORDERS.items()],
        order=_ORDERS[sort],
        api=(["kinds"], {}),
    )


@router.get("/e/{name}/kinds/{kind}")
def kind(
    request: Request, visit: Visitor, engaged: Within, kind: str, asked: Annotated[Asked, Query()]
) -> HTMLResponse:
    """Show a kind: its population at an instant, what differs between two, its coverage and its last runs."""
    terms, store, name = engaged.engagement.terms, engaged.store, engaged.engagement.name
    known = _subjects(store, kind)
    at = parse_instant(asked.at) if asked.at else min(terms.period.end, visit.now)
    populations = as_of(store, kind, at, now=visit.now, source=asked.source, scope=asked.scope)
    every = [(each.subject, item) for each in populations for item in each.items]
    expressions, rows = shown_items(store, every[asked.skip : asked.skip + _ON_A_PAGE], columns.typed(asked.fields))
    question = Question(terms.period, kind=kind, source=asked.source, by="scope", terms=terms)
    more = len(every) > asked.skip + _ON_A_PAGE
    return page(
        request,
        visit,
        "kind.html",
        engagement=engaged.engagement,
        terms=terms,
        kind=kind,
        asked=asked,
        at=at,
        populations=populations,
        events=event_field(store, known, visit.now),
        expressions=expressions,
        rows=rows,
        count=len(every),
        skipped=asked.skip,
        sources=sorted({each.source for each in known}),
        scopes=sorted({each.scope for each in known}),
        serves=_known(visit, engaged)[kind],
        difference=_difference(store, kind, asked, visit),
        found=_covering(visit, engaged, question),
        by="scope",
        also={"kind": kind},
        shown_outages=FIRST_OUTAGES,
        runs=store.runs(kind=kind, source=asked.source or None, scope=asked.scope or None, limit=_SHOWN_RUNS),
        first=asked.address(name, kind, at=at) if asked.skip else "",
        next=asked.address(name, kind, at=at, skip=asked.skip + _ON_A_PAGE) if more else "",
        api=(["kinds", kind, "as-of"], {"at": at}),
    )


def _subjects(store: Store, kind: str) -> list[Subject]:
    try:
        return subjects_of(store, kind)
    except QueryError as error:
        raise Unknown(error.message, hint="The list of evidence has every kind.") from error


def _known(visit: Visit, engaged: Engaged) -> dict[str, RecordedKind]:
    controls = load_controls(visit.config.controls_path)
    found = recorded_kinds(engaged.store, controls, engaged.engagement.terms, visit.now)
    return {each.kind: each for each in found}


def _about(found: RecordedKind) -> str:
    """Return in a few words what *found* serves, and where it is read."""
    sources = sorted({each.source for each in found.places})
    named = ", ".join(sources[:_FEW]) + (f" and {len(sources) - _FEW} more" if len(sources) > _FEW else "")
    scopes = found.places[0].scope if len(found.places) == 1 else f"{len(found.places)} scopes"
    return " · ".join(each for each in (", ".join(found.criteria), named, scopes) if each)


def _order(tally: Tally, sort: str) -> float:
    return {"missing": tally.failed + tally.missed, "longest": tally.longest_gap.total_seconds()}.get(sort, 0)


def shown_items(
    store: Store, items: Sequence[tuple[Subject, ItemAt]], expressions: Sequence[str]
) -> tuple[Sequence[str], list[ShownItem]]:
    """Return the columns that are shown of *items*, and the rows. Each content is read once, and for a page alone."""
    read = list(shown_documents(store, [item.artifact for _, item in items]))
    if not expressions:
        open_ = [(document, item.key) for (document, why), (_, item) in zip(read, items, strict=True) if not why]
        expressions = columns.picked([each for each, _ in open_], [key for _, key in open_])
    rows = [
        ShownItem(subject, item, () if why else columns.found_by(expressions, document), why)
        for (document, why), (subject, item) in zip(read, items, strict=True)
    ]
    return expressions, rows


def _difference(store: Store, kind: str, asked: Asked, visit: Visit) -> Difference | None:
    if not asked.since:
        return None
    end = parse_instant(asked.until) if asked.until else visit.now
    start = parse_instant(asked.since)
    return difference(store, kind, start, end, now=visit.now, source=asked.source, scope=asked.scope)


def _covering(visit: Visit, engaged: Engaged, question: Question) -> Covering | None:
    """Return the coverage of a kind; None also where no plan ever had it: it was read by hand alone."""
    planned = criteria_of_kinds(recorded_plans(engaged.store, engaged.engagement.terms))
    return covering(visit, engaged, question) if question.kind in planned else None

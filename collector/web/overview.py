"""An engagement at a glance: how far its period is covered, what is missing, what people owe, and who holds the log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from collector.ask.coverage import GROUPINGS, Question
from collector.ask.signed_log import log_status
from collector.clock import parse_instant
from collector.engagement import Examination
from collector.errors import QueryError
from collector.gate import Engaged
from collector.model import Period, Run, Subject
from collector.web.covering import FIRST_OUTAGES, covering, uploads_expected
from collector.web.pages import address, page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)

_GROUPS = tuple(each for each in GROUPINGS if each != "day")
_ON_A_PAGE = 50


@router.get("/")
def engagements(request: Request, visit: Visitor) -> HTMLResponse:
    """Show the engagements that the visitor may see, the newest first."""
    return page(request, visit, "engagements.html", engagements=visit.engagements()[::-1])


@router.get("/e/{name}")
def overview(request: Request, visit: Visitor, engaged: Within, by: str = "criterion") -> HTMLResponse:
    """Show the engagement, its coverage summed up by one of the groupings."""
    if by not in _GROUPS:
        raise QueryError(f"coverage is not summed up by {by!r}", hint=f"By: {', '.join(_GROUPS)}.")
    terms = engaged.engagement.terms
    type_i = terms.examination is Examination.TYPE_I and terms.period.start < visit.now
    return page(
        request,
        visit,
        "overview.html",
        engagement=engaged.engagement,
        terms=terms,
        found=None if type_i else covering(visit, engaged, Question(terms.period, by=by, terms=terms)),
        instant=_seen(engaged, terms.period.start) if type_i else None,
        by=by,
        groups=_GROUPS,
        shown_outages=FIRST_OUTAGES,
        uploads=uploads_expected(visit, engaged),
        log=log_status(engaged.store, visit.config, visit.now),
        also={},
        api=(["coverage"], {"by": by}),
    )


def _seen(engaged: Engaged, at: datetime) -> list[tuple[Subject, Run | None]]:
    """Return every subject in scope with the last good run by *at*; None for one that was not observed yet."""
    subjects = sorted(engaged.store.subjects(), key=lambda each: (each.kind, each.source, each.scope))
    return [(each, engaged.store.observations(each, at)[0]) for each in subjects]


class GapsAsked(BaseModel):
    """Which gaps are asked for, as the address says it."""

    criterion: str = ""
    control: str = ""
    kind: str = ""
    source: str = ""
    since: str = Field(default="", alias="from")
    until: str = Field(default="", alias="to")
    sort: Literal["longest", "newest", "oldest"] = "longest"
    skip: int = Field(default=0, ge=0, le=100_000)

    def only(self) -> dict[str, str]:
        """Return by what they are narrowed."""
        named = {name: getattr(self, name) for name in ("criterion", "control", "kind", "source")}
        return {name: value for name, value in named.items() if value}


@router.get("/e/{name}/gaps")
def gaps(request: Request, visit: Visitor, engaged: Within, asked: Annotated[GapsAsked, Query()]) -> HTMLResponse:
    """Show every gap, those together that began together for one cause."""
    terms = engaged.engagement.terms
    period = asked_period(terms.period, asked.since, asked.until)
    found = covering(visit, engaged, Question(period, by="kind", terms=terms, **asked.only()))
    every = found.outages if found else []
    if asked.sort != "longest":
        every = sorted(every, key=lambda each: each.period.start, reverse=asked.sort == "newest")

    def at(sort: str = asked.sort, skip: int = 0) -> str:
        typed = {**asked.only(), "from_": asked.since, "to": asked.until, "sort": sort}
        return address("e", engaged.engagement.name, "gaps", **typed, skip=skip or None)

    return page(
        request,
        visit,
        "gaps.html",
        engagement=engaged.engagement,
        found=found,
        period=period,
        asked=asked.only(),
        outages=every[asked.skip : asked.skip + _ON_A_PAGE],
        count=len(every),
        orders=[(each, at(sort=each)) for each in ("longest", "newest", "oldest")],
        sort=asked.sort,
        first=at() if asked.skip else "",
        next=at(skip=asked.skip + _ON_A_PAGE) if len(every) > asked.skip + _ON_A_PAGE else "",
    )


def asked_period(period: Period, since: str, until: str) -> Period:
    """Return the period that was typed, by default *period*. Raises `QueryError` for an empty one."""
    found = Period(parse_instant(since) if since else period.start, parse_instant(until) if until else period.end)
    if found.end <= found.start:
        raise QueryError("the period is empty", hint="It begins before it ends: from 2026-03-01 to 2026-04-01.")
    return found

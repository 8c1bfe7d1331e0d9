"""Frozen populations: what existed over the period, how complete that is, and what is drawn from it."""

from __future__ import annotations

import re
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from collector.access import Right
from collector.act import Act, ActKind
from collector.ask.populations import freeze, over_period
from collector.ask.samples import Wanted, draw
from collector.errors import QueryError
from collector.frozen import rows
from collector.gate import Engaged, Visit
from collector.model import Json
from collector.sample import EVERY, Method
from collector.web.pages import address
from collector.web.runs import saved
from collector.web.sending import Sender, Typed, answered, form_page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_ON_A_PAGE = 100
_GAPS = 12
_NOTHING = {"method": Method.RANDOM.value, "seed": "", "size": "", "stratum": "", "minimum": "1", "every": EVERY[0]}


@router.get("/e/{name}/populations")
def populations(request: Request, visit: Visitor, engaged: Within, kind: str = "") -> HTMLResponse:
    """Show the frozen populations, and the form that freezes another."""
    return _populations(request, visit, engaged, {"kind": kind})


@router.post("/e/{name}/populations")
def freezing(request: Request, visit: Sender, name: str, kind: Typed = "") -> Response:
    """Freeze the population of a kind over the engagement's period."""
    visit.require(Right.DRAW)
    engaged = visit.engaged(name)

    def record() -> str:
        over = over_period(engaged.store, kind, engaged.engagement, now=visit.now, grace=visit.grace)
        act = freeze(engaged.store, over, engaged.engagement, actor=visit.principal.name)
        return address("e", name, "populations", act.id)

    return answered(record, lambda error: _populations(request, visit, engaged, {"kind": kind}, error))


@router.get("/e/{name}/populations/{number}")
def population(
    request: Request,
    visit: Visitor,
    engaged: Within,
    number: int,
    skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> HTMLResponse:
    """Show one population: its statement, its rows, the runs it rests on, its samples, and the form for another."""
    act = engaged.store.desk.act(number, ActKind.POPULATION)
    return _population(request, visit, engaged, act, _NOTHING, skip=skip)


@router.get("/e/{name}/populations/{number}/rows.jsonl")
def rows_of(engaged: Within, number: int) -> Response:
    """Give the rows as they were frozen, to the byte: what the digest names."""
    act = engaged.store.desk.act(number, ActKind.POPULATION)
    return saved(engaged.store.artifact(act.artifact or b""), f"population-{number}.jsonl", "application/jsonl")


@router.get("/e/{name}/populations/{number}/statement.json")
def statement_of(engaged: Within, number: int) -> Response:
    """Give the statement as it was recorded, to the byte."""
    act = engaged.store.desk.act(number, ActKind.POPULATION)
    return saved(engaged.store.artifact(act.digest), f"population-{number}-statement.json", "application/json")


@router.post("/e/{name}/populations/{number}/samples")
def drawing(
    request: Request,
    visit: Sender,
    name: str,
    number: int,
    method: Typed = "",
    seed: Typed = "",
    size: Typed = "",
    stratum: Typed = "",
    minimum: Typed = "1",
    every: Typed = EVERY[0],
) -> Response:
    """Draw a sample and record it."""
    visit.require(Right.DRAW)
    engaged = visit.engaged(name)
    act = engaged.store.desk.act(number, ActKind.POPULATION)
    typed = {
        "method": method,
        "seed": seed,
        "size": size,
        "stratum": stratum,
        "minimum": minimum,
        "every": every,
    }

    def record() -> str:
        wanted = _wanted(typed)
        drawn = draw(engaged.store, str(number), wanted, visit.config.samples, actor=visit.principal.name)
        return address("e", name, "samples", drawn.id)

    return answered(record, lambda error: _population(request, visit, engaged, act, typed, error=error))


def _wanted(typed: dict[str, str]) -> Wanted:
    """Return what was typed as a draw. Raises `QueryError` for what no draw can be."""
    if typed["method"] not in list(Method):
        raise QueryError(f"a sample is not drawn {typed['method']!r}", hint=f"Methods: {', '.join(Method)}.")
    if typed["every"] not in EVERY:
        raise QueryError(f"dates are not drawn {typed['every']!r}", hint=f"They are drawn: {', '.join(EVERY)}.")
    if not re.fullmatch("[0-9]{1,6}", typed["minimum"]):
        raise QueryError(
            f"{typed['minimum'][:20]!r} is no number of items", hint="Write how many of each stratum, as 1."
        )
    return Wanted(
        Method(typed["method"]),
        typed["seed"],
        typed["size"].strip(),
        typed["stratum"].strip(),
        int(typed["minimum"]),
        typed["every"],
    )


def _populations(
    request: Request, visit: Visit, engaged: Engaged, typed: dict[str, str], error: QueryError | None = None
) -> HTMLResponse:
    desk, number = engaged.store.desk, engaged.engagement.id
    return form_page(
        request,
        visit,
        engaged,
        "populations.html",
        Right.DRAW,
        typed,
        error,
        api=(["populations"], {}),
        populations=desk.acts(ActKind.POPULATION, number)[::-1],
        samples=desk.acts(ActKind.SAMPLE, number)[::-1],
        reconciliations=desk.acts(ActKind.RECONCILIATION, number)[::-1],
        kinds=sorted({each.kind for each in engaged.store.subjects()}),
    )


def _population(
    request: Request,
    visit: Visit,
    engaged: Engaged,
    act: Act,
    typed: dict[str, str],
    *,
    skip: int = 0,
    error: QueryError | None = None,
) -> HTMLResponse:
    name, said = engaged.engagement.name, act.document
    here = address("e", name, "populations", act.id)
    found = list(islice(rows(engaged.store.artifact(act.artifact or b"")), skip, skip + _ON_A_PAGE))
    further = skip + _ON_A_PAGE < said["rows"]["count"]
    drawn = (each for each in engaged.store.desk.acts(ActKind.SAMPLE, act.engagement) if each.about == act.id)
    sizes = visit.config.samples
    return form_page(
        request,
        visit,
        engaged,
        "population.html",
        Right.DRAW,
        typed,
        error,
        act=act,
        api=(["populations", act.id], {}),
        said=said,
        rows=found,
        skip=skip,
        gaps=said["gaps"][:_GAPS],
        unseen=[each for each in said["subjects"] if not each["observed"]],
        samples=list(drawn),
        methods=list(Method),
        every=EVERY,
        usual=sizes.event if said["event_time"] else sizes.item,
        usual_dates=[(each, getattr(sizes, each)) for each in EVERY],
        seed=_suggested(act),
        first=here if skip else "",
        next=f"{here}?skip={skip + _ON_A_PAGE}#rows" if further else "",
    )


def _suggested(act: Act) -> Json:
    """Return an example of a seed that is public, and that nobody could choose to their liking."""
    return f"Winning numbers of the national lottery on {act.at:%Y-%m-%d}, in ascending order: ..."

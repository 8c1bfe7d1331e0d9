"""Reconciling two frozen populations: the form, and what was found, on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from collector.access import Right
from collector.act import Act, ActKind
from collector.ask.reconciling import Side, reconciled
from collector.ask.reconciling import record as recorded
from collector.errors import QueryError
from collector.gate import Engaged, Visit
from collector.reconciliation import NORMALISERS
from collector.web.pages import address, page
from collector.web.sending import Sender, Typed, answered, form_page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_ON_A_PAGE = 200
_FIELDS = ("left", "right", "left_key", "right_key", "left_where", "right_where", "normalise")


@dataclass(frozen=True, slots=True)
class Found:
    """One key that was compared: how that came out, and the items that bear it on either side."""

    outcome: str
    value: str | None
    left: tuple[str, ...]
    right: tuple[str, ...]


@router.get("/e/{name}/reconciliations")
def asking(request: Request, visit: Visitor, engaged: Within, left: str = "") -> HTMLResponse:
    """Show the form that reconciles two populations."""
    return _form(request, visit, engaged, dict.fromkeys(_FIELDS, "") | {"left": left})


@router.post("/e/{name}/reconciliations")
def reconciling(
    request: Request,
    visit: Sender,
    name: str,
    left: Typed = "",
    right: Typed = "",
    left_key: Typed = "",
    right_key: Typed = "",
    left_where: Typed = "",
    right_where: Typed = "",
    normalise: Typed = "",
) -> Response:
    """Reconcile two populations of the engagement, and record what was found."""
    visit.require(Right.DRAW)
    engaged = visit.engaged(name)
    values = (left, right, left_key, right_key, left_where, right_where, normalise)
    typed = {each: value.strip() for each, value in zip(_FIELDS, values, strict=True)}

    def record() -> str:
        sides = _side(typed, "left"), _side(typed, "right")
        if not all(each.is_frozen for each in sides):
            raise QueryError("two frozen populations are compared", hint="Choose one on each side.")
        found = reconciled(engaged.store, *sides, normalise=typed["normalise"], at=visit.now, now=visit.now)
        act = recorded(engaged.store, *sides, typed["normalise"], found, actor=visit.principal.name)
        return address("e", name, "reconciliations", act.id)

    return answered(record, lambda error: _form(request, visit, engaged, typed, error))


@router.get("/e/{name}/reconciliations/{number}")
def reconciliation(
    request: Request,
    visit: Visitor,
    engaged: Within,
    name: str,
    number: int,
    outcome: str = "",
    skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> HTMLResponse:
    """Show what was found; at first everything that has no counterpart."""
    act = engaged.store.desk.act(number, ActKind.RECONCILIATION)
    wanted = (each for each in _found(engaged, act) if outcome == each.outcome or (not outcome and _differs(each)))
    found = list(islice(wanted, skip, skip + _ON_A_PAGE + 1))
    here = {"outcome": outcome}
    return page(
        request,
        visit,
        "reconciliation.html",
        engagement=engaged.engagement,
        act=act,
        api=(["reconciliations"], {}),
        said=act.document,
        found=found[:_ON_A_PAGE],
        outcome=outcome,
        outcomes=_OUTCOMES,
        first=address("e", name, "reconciliations", number, **here) if skip else "",
        next=address("e", name, "reconciliations", number, **here, skip=skip + _ON_A_PAGE)
        if len(found) > _ON_A_PAGE
        else "",
    )


_OUTCOMES = {
    "": "Without counterpart",
    "only_left": "Only left",
    "only_right": "Only right",
    "duplicates": "More than once",
    "without_key": "Without key",
    "matched": "Matched",
}


def _side(typed: dict[str, str], side: str) -> Side:
    return Side(typed[side], typed[f"{side}_key"], typed[f"{side}_where"])


def _differs(found: Found) -> bool:
    return found.outcome != "matched"


def _found(engaged: Engaged, act: Act) -> Iterator[Found]:
    for line in engaged.store.artifact(act.artifact or b"").splitlines():
        said = orjson.loads(line)
        yield Found(said["outcome"], said["value"], tuple(said["left"]), tuple(said["right"]))


def _form(
    request: Request, visit: Visit, engaged: Engaged, typed: dict[str, str], error: QueryError | None = None
) -> HTMLResponse:
    return form_page(
        request,
        visit,
        engaged,
        "reconciling.html",
        Right.DRAW,
        typed,
        error,
        populations=engaged.store.desk.acts(ActKind.POPULATION, engaged.engagement.id)[::-1],
        normalisers=list(NORMALISERS),
    )

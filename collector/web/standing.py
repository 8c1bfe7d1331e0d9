"""Who had access on a day: what every kind that serves a control showed then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.ask.standing import Standing, standing
from collector.clock import parse_instant
from collector.errors import QueryError
from collector.gate import Engaged
from collector.population import PopulationAt
from collector.tag import load_controls
from collector.web.evidence import ShownItem, shown_items
from collector.web.pages import page
from collector.web.sending import to_choose
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """What one kind showed in one scope: the *population*, and the first of its items with *columns* of them."""

    population: PopulationAt
    columns: Sequence[str]
    rows: Sequence[ShownItem]


@router.get("/e/{name}/access")
def access(request: Request, visit: Visitor, engaged: Within, control: str = "", at: str = "") -> HTMLResponse:
    """Show what the kinds of *control* showed at *at*: without one, the form that asks."""
    terms = engaged.engagement.terms
    controls = load_controls(visit.config.controls_path)
    found: Standing | None = None
    error: QueryError | None = None
    if control:
        try:
            when = parse_instant(at) if at else min(visit.now, terms.period.end)
            found = standing(engaged.store, controls, control.strip(), when, now=visit.now, terms=terms)
        except QueryError as wrong:
            error = wrong
    serving = (each for each in controls.controls if not terms.controls or each.id in terms.controls)
    return page(
        request,
        visit,
        "access.html",
        status_code=422 if error else 200,
        engagement=engaged.engagement,
        standing=found,
        api=(["controls", found.control.id, "access"], {"at": found.at}) if found else None,
        populations=[_shown(engaged, each) for each in found.populations] if found else [],
        controls=to_choose(each for each in serving if each.kinds),
        typed={"control": control, "at": at},
        error=error,
    )


def _shown(engaged: Engaged, found: PopulationAt) -> Shown:
    return Shown(found, *shown_items(engaged.store, [(found.subject, each) for each in found.items[:_SHOWN]], ()))

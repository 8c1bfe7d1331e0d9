"""Who had access on a day: what every kind that serves a control showed then."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.access import Right
from collector.ask.standing import Standing, standing
from collector.clock import parse_instant
from collector.errors import QueryError
from collector.tag import load_controls
from collector.web.pages import page
from collector.web.visiting import Visitor

router = APIRouter(include_in_schema=False)
_SHOWN = 500


@router.get("/e/{name}/access")
def access(request: Request, visit: Visitor, name: str, control: str = "", at: str = "") -> HTMLResponse:
    """Show what the kinds of *control* showed at *at*: without one, the form that asks."""
    visit.require(Right.READ)
    engaged = visit.engaged(name)
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
        most=_SHOWN,
        controls=sorted({each.id: each.title for each in serving if each.kinds}.items()),
        typed={"control": control, "at": at},
        error=error,
    )

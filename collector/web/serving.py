"""A criterion and a control: what serves them, how far that is covered, and what people owe."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.ask.slots import Question
from collector.criteria import CATEGORIES, criteria
from collector.errors import QueryError, Unknown
from collector.gate import Engaged, Visit
from collector.tag import Control, standing
from collector.web import heat
from collector.web.covering import FIRST_OUTAGES, Covering, controls_at, covering, uploads_expected
from collector.web.pages import page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)

_MS = timedelta(milliseconds=1)


@router.get("/e/{name}/criteria/{id}")
def criterion(request: Request, visit: Visitor, engaged: Within, id: str) -> HTMLResponse:
    """Show what serves the criterion *id*."""
    found = criteria().get(id)
    if found is None:
        raise Unknown(f"there is no criterion {id!r}", hint="They are named as the standard has them: CC6.1.")
    controls = [each for each in _controls(visit, engaged) if id in each.criteria]
    return _serving(
        request,
        visit,
        engaged,
        _covering(visit, engaged, criterion=id),
        what="criterion",
        id=id,
        title=found.title,
        category=found.category,
        letters=CATEGORIES[found.category],
        api_evidence=found.api_evidence,
        in_scope=id in (engaged.engagement.terms.criteria or (id,)),
        controls=controls,
        owed=[each for each in uploads_expected(visit, engaged) if id in each.criteria],
    )


@router.get("/e/{name}/controls/{id}")
def control(request: Request, visit: Visitor, engaged: Within, id: str) -> HTMLResponse:
    """Show what shows the control *id*."""
    controls = [each for each in _controls(visit, engaged) if each.id == id]
    if not controls:
        raise Unknown(f"there is no control {id!r}", hint="The overview, by control, has those that are in force.")
    return _serving(
        request,
        visit,
        engaged,
        _covering(visit, engaged, control=id),
        what="control",
        id=id,
        title=controls[-1].title,
        in_scope=id in (engaged.engagement.terms.controls or (id,)),
        controls=controls,
        owed=[each for each in uploads_expected(visit, engaged) if each.control == id],
        tags=standing(engaged.store.tags(control=id), visit.now),
    )


def _controls(visit: Visit, engaged: Engaged) -> list[Control]:
    """Return the controls of the set that rules at the end of the period, or now."""
    end = min(engaged.engagement.terms.period.end - _MS, visit.now)
    return list(controls_at(visit, engaged, end).controls)


def _covering(visit: Visit, engaged: Engaged, **only: str) -> Covering | str | None:
    """Return the coverage by kind, or why there is none: nothing on record serves it."""
    terms = engaged.engagement.terms
    try:
        return covering(visit, engaged, Question(terms.period, by="kind", terms=terms, **only))
    except QueryError as error:
        # A control of the configuration that no daemon has recorded yet is there, and nothing was due for it.
        return error.message


def _serving(
    request: Request, visit: Visit, engaged: Engaged, found: Covering | str | None, **context: Any
) -> HTMLResponse:
    shown: dict[str, Any] = {"tags": (), "api_evidence": True, "why": found if isinstance(found, str) else ""}
    if isinstance(found, Covering):
        days, until = found.calendar.days, found.coverage.until
        shown |= {
            "squares": heat.squares(days, found.sheet, until),
            "columns": heat.columns(days),
            "months": heat.months(days, found.sheet),
        }
    return page(
        request,
        visit,
        "serving.html",
        engagement=engaged.engagement,
        terms=engaged.engagement.terms,
        found=found if isinstance(found, Covering) else None,
        by="kind",
        shown_outages=FIRST_OUTAGES,
        also={context["what"]: context["id"]},
        api=(["coverage"], {"by": "kind", context["what"]: context["id"]}),
        **{**shown, **context},
    )

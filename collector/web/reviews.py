"""Reviews: what a named person decided on a population or a control."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from collector.access import Right
from collector.act import ActKind
from collector.ask.reviews import Decision, NewReview, review
from collector.errors import QueryError
from collector.gate import Engaged, Visit
from collector.tag import load_controls
from collector.web.pages import address
from collector.web.sending import Sender, Typed, answered, form_page, to_choose
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)


@router.get("/e/{name}/reviews")
def reviews(request: Request, visit: Visitor, engaged: Within, of: str = "") -> HTMLResponse:
    """Show the reviews of an engagement, and the form that records one."""
    return _reviews(request, visit, engaged, {"target": of, "decision": "", "note": ""})


@router.post("/e/{name}/reviews")
def reviewing(
    request: Request, visit: Sender, name: str, target: Typed = "", decision: Typed = "", note: Typed = ""
) -> Response:
    """Record a review by whoever is signed in."""
    visit.require(Right.RECORD)
    engaged = visit.engaged(name)
    typed = {"target": target, "decision": decision, "note": note}

    def record() -> str:
        controls = load_controls(visit.config.controls_path)
        new = NewReview(target.strip(), decision, note, name)
        act = review(engaged.store, controls, new, actor=visit.principal.name)
        return address("e", name, "reviews") + f"#review-{act.id}"

    return answered(record, lambda error: _reviews(request, visit, engaged, typed, error))


def _reviews(
    request: Request, visit: Visit, engaged: Engaged, typed: dict[str, str], error: QueryError | None = None
) -> HTMLResponse:
    desk, number = engaged.store.desk, engaged.engagement.id
    controls = load_controls(visit.config.controls_path)
    return form_page(
        request,
        visit,
        engaged,
        "reviews.html",
        Right.RECORD,
        typed,
        error,
        api=(["reviews"], {}),
        reviews=desk.acts(ActKind.REVIEW, number)[::-1],
        populations=desk.acts(ActKind.POPULATION, number)[::-1],
        controls=to_choose(controls.controls),
        decisions=list(Decision),
    )

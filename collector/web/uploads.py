"""Manual evidence: what people add, what of it is due, and the files themselves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from collector.access import Right
from collector.act import ActKind
from collector.ask.uploads import NewUpload, upload, uploads_due
from collector.errors import QueryError
from collector.gate import Engaged, Visit
from collector.model import Period
from collector.tag import load_controls
from collector.web.pages import address
from collector.web.runs import saved
from collector.web.sending import Sender, Typed, answered, form_page, received, to_choose
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_FIELDS = ("control", "first", "last", "reason")


@router.get("/e/{name}/uploads")
def uploads(
    request: Request, visit: Visitor, engaged: Within, control: str = "", first: str = "", last: str = ""
) -> HTMLResponse:
    """Show what was uploaded and what is due, and the form that adds a file."""
    typed = {"control": control, "first": first, "last": last, "reason": ""}
    return _uploads(request, visit, engaged, typed)


@router.post("/e/{name}/uploads")
def uploading(
    request: Request,
    visit: Sender,
    name: str,
    control: Typed = "",
    first: Typed = "",
    last: Typed = "",
    reason: Typed = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Add a file as evidence."""
    visit.require(Right.RECORD)
    engaged = visit.engaged(name)
    typed = dict(zip(_FIELDS, (control, first, last, reason), strict=True))

    def record() -> str:
        days = f"{first.strip()}..{(last or first).strip()}"
        with received(file) as path:
            new = NewUpload(path, control.strip(), days, reason)
            controls = load_controls(visit.config.controls_path)
            act = upload(engaged.store, controls, name, new, visit.config.uploads, actor=visit.principal.name)
        return address("e", name, "uploads") + f"#upload-{act.id}"

    return answered(record, lambda error: _uploads(request, visit, engaged, typed, error))


@router.get("/e/{name}/uploads/{number}")
def file_of(engaged: Within, number: int) -> Response:
    """Give an uploaded file to be saved, under its name; whatever it is, no browser runs it here."""
    store = engaged.store
    act = store.desk.act(number, ActKind.UPLOAD)
    return saved(store.artifact(act.artifact or b""), act.document["name"])


def _uploads(
    request: Request, visit: Visit, engaged: Engaged, typed: dict[str, str], error: QueryError | None = None
) -> HTMLResponse:
    controls = load_controls(visit.config.controls_path)
    return form_page(
        request,
        visit,
        engaged,
        "uploads.html",
        Right.RECORD,
        typed,
        error,
        api=(["uploads"], {}),
        uploads=engaged.store.desk.acts(ActKind.UPLOAD, engaged.engagement.id)[::-1],
        accept=",".join(f".{each}" for each in visit.config.uploads.types),
        last_day=_last_day,
        due=uploads_due(engaged.store, controls, engaged.engagement, now=visit.now),
        controls=to_choose(controls.controls),
        limits=visit.config.uploads,
    )


def _last_day(period: Period) -> date:
    """Return the last day that *period* includes."""
    return (period.end - timedelta(milliseconds=1)).date()

"""The auditor's request list: imported, answered by links to evidence, discussed, and brought to an end."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from collector.access import Right
from collector.ask import requests as asked
from collector.errors import QueryError
from collector.gate import Engaged, Visit
from collector.requested import Request as Requested
from collector.requested import Status
from collector.web.pages import address
from collector.web.sending import Sender, Typed, answered, form_page, received
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_NOTHING = {"text": "", "target": "", "note": "", "status": "", "did": ""}


@router.get("/e/{name}/requests")
def requests(request: Request, visit: Visitor, engaged: Within, status: str = "", added: str = "") -> HTMLResponse:
    """Show the requests of an engagement, of one status or all, and the form that imports a list."""
    return _requests(request, visit, engaged, status=status, added=added)


@router.post("/e/{name}/requests")
def importing(
    request: Request,
    visit: Sender,
    name: str,
    sheet: Typed = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Import a list of requests, whole or not at all."""
    visit.require(Right.DRAW)
    engaged = visit.engaged(name)

    def record() -> str:
        with received(file) as path:
            new, already = asked.import_requests(
                engaged.store, name, path, sheet=sheet.strip(), actor=visit.principal.name
            )
        return address("e", name, "requests", added=f"{new} {already}")

    return answered(record, lambda error: _requests(request, visit, engaged, sheet=sheet, error=error))


@router.get("/e/{name}/requests/{id}")
def one(request: Request, visit: Visitor, engaged: Within, name: str, id: str) -> HTMLResponse:
    """Show one request, what answers it, and everything that was done with it."""
    return _one(request, visit, engaged, asked.request_of(engaged.store, id, name), _NOTHING)


@router.post("/e/{name}/requests/{id}")
def doing(
    request: Request,
    visit: Sender,
    name: str,
    id: str,
    did: Typed = "",
    text: Typed = "",
    target: Typed = "",
    note: Typed = "",
    status: Typed = "",
) -> Response:
    """Comment on a request; link it, or take a link away; say where it stands."""
    visit.require(Right.DRAW if did == "comment" else Right.RECORD)
    engaged = visit.engaged(name)
    found = asked.request_of(engaged.store, id, name)
    typed = {"text": text, "target": target, "note": note, "status": status, "did": did}
    store, actor = engaged.store, visit.principal.name

    def record() -> str:
        if did == "comment":
            asked.comment(store, found, text, actor=actor)
        elif did in ("link", "unlink"):
            asked.link(store, found, target.strip(), note=note, actor=actor, remove=did == "unlink")
        elif did == "status":
            asked.set_status(store, found, status, note=note, actor=actor)
        else:
            raise QueryError("the form says nothing that is done with a request", hint="Load the page again.")
        return address("e", name, "requests", id)

    return answered(record, lambda error: _one(request, visit, engaged, found, typed, error))


def linked(engagement: str, target: str) -> str:
    """Return the address of what a request is linked to."""
    kind, _, number = target.partition(":")
    part = {"run": "runs", "population": "populations", "sample": "samples", "reconciliation": "reconciliations"}
    if kind in part:
        return address("e", engagement, part[kind], number)
    if kind in ("upload", "review"):
        return address("e", engagement, f"{kind}s") + f"#{kind}-{number}"
    return address("e", engagement, *(("artifacts", number) if kind == "sha256" else ("kinds", target)))


def _requests(
    request: Request,
    visit: Visit,
    engaged: Engaged,
    *,
    status: str = "",
    added: str = "",
    sheet: str = "",
    error: QueryError | None = None,
) -> HTMLResponse:
    every = asked.requests(engaged.store, engaged.engagement.name)
    today = visit.now.date()
    counts = re.fullmatch("([0-9]{1,6}) ([0-9]{1,6})", added)
    return form_page(
        request,
        visit,
        engaged,
        "requests.html",
        Right.DRAW,
        {"sheet": sheet},
        error,
        api=(["requests"], {"status": status}),
        requests=[each for each in every if status in ("", each.status)],
        total=len(every),
        counts=[(each.value, sum(one.status is each for one in every)) for each in Status],
        overdue={each.act for each in every if each.overdue(today)},
        status=status,
        added=tuple(map(int, counts.groups())) if counts else None,
    )


def _one(
    request: Request,
    visit: Visit,
    engaged: Engaged,
    found: Requested,
    typed: dict[str, str],
    error: QueryError | None = None,
) -> HTMLResponse:
    answers = visit.principal.may(Right.RECORD) and engaged.engagement.closed is None
    return form_page(
        request,
        visit,
        engaged,
        "request.html",
        Right.DRAW,
        typed,
        error,
        asked=found,
        api=(["requests", found.id], {}),
        overdue=found.overdue(visit.now.date()),
        linked=linked,
        statuses=list(Status),
        may_answer=answers,
    )

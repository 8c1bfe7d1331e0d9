"""The auditor's request list: imported, answered by what is on record, commented."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, File, Path, Query, UploadFile
from fastapi import Form as FormField
from pydantic import Field

from collector.access import Right
from collector.api.models.desk import Imported, RequestForm, Requests
from collector.api.models.shared import Form
from collector.api.paging import Paged
from collector.api.route import Route
from collector.api.routes.records import named
from collector.api.texts import Maybe, Name, Note
from collector.api.visiting import Desk, Examiner, Reader, Recorder
from collector.ask.documents import request_document
from collector.ask.requests import comment, import_requests, link, request_of, requests, set_status
from collector.requested import Request, Status
from collector.words import plain

router = APIRouter(route_class=Route, tags=["requests"])

StatusWord = Literal["open", "answered", "returned", "accepted", "withdrawn"]
_Request = Annotated[Name, Path(description="The request's id, as the auditor gave it.", examples=["R-17"])]
_Status = Annotated[StatusWord | None, Query(description="Only those.")]
_LONGEST_LIST = 20_000_001


class Link(Form):
    """What answers a request, or does not after all."""

    target: Name = Field(
        description="A kind, a run's id, `population:7`, `sample:9`, `upload:8`, `review:3`, or `sha256:...`."
    )
    note: Note = ""
    remove: bool = Field(default=False, description="It does not answer it after all.")


class Standing(Form):
    """Where a request stands now."""

    status: StatusWord
    note: Note = ""


class Comment(Form):
    """What is said of a request."""

    text: Note


@router.get("/requests", response_model=Requests)
def read_requests(desk: Reader, page: Paged, status: _Status = None) -> Any:
    """What the auditor asks for, and where each request stands."""
    found = [each for each in requests(desk.store, desk.name) if status is None or each.status == Status(status)]
    part, following = page.of(found, lambda each: each.act)
    return {"requests": [_shown(desk, each) for each in part], "next": following}


@router.post("/requests", response_model=Imported)
def import_request_list(
    desk: Examiner,
    file: Annotated[UploadFile, File(description="CSV (UTF-8) or XLSX, with headings: id, title, criterion, due.")],
    sheet: Annotated[Maybe, FormField(description="Of a workbook; left out: its first.")] = "",
) -> Any:
    """Import a request list, whole or not at all; bad rows are named by file and row.

    Repeated, nothing is recorded: what is there already, word for word, is left as it is.
    """
    data = file.file.read(_LONGEST_LIST)
    added, there = import_requests(desk.store, desk.name, named(file), sheet=sheet, actor=desk.actor, data=data)
    return {"added": added, "already": there}


@router.get("/requests/{request}", response_model=RequestForm)
def read_request(desk: Reader, request: _Request) -> Any:
    """A request, and everything that was done with it."""
    return _shown(desk, _found(desk, request))


@router.post("/requests/{request}/links", response_model=RequestForm)
def link_request(desk: Recorder, request: _Request, body: Annotated[Link, Body()]) -> Any:
    """Link a request to what answers it.

    Repeated, it is refused (422): it is linked already, and nothing is recorded.
    """
    asked = _found(desk, request)
    done = link(desk.store, asked, body.target, note=body.note, actor=desk.actor, remove=body.remove)
    return _shown(desk, done)


@router.post("/requests/{request}/status", response_model=RequestForm)
def set_request_status(desk: Examiner, request: _Request, body: Annotated[Standing, Body()]) -> Any:
    """Say where a request stands now. To call it `answered` is of those who are examined: that needs `record`.

    Repeated, it is refused (422): it stands there already, and nothing is recorded.
    """
    if body.status == "answered":
        desk.visit.require(Right.RECORD)
    done = set_status(desk.store, _found(desk, request), body.status, note=body.note, actor=desk.actor)
    return _shown(desk, done)


@router.post("/requests/{request}/comments", response_model=RequestForm)
def comment_request(desk: Examiner, request: _Request, body: Annotated[Comment, Body()]) -> Any:
    """Comment on a request.

    Repeated, the comment is there twice.
    """
    return _shown(desk, comment(desk.store, _found(desk, request), body.text, actor=desk.actor))


def _found(desk: Desk, name: str) -> Request:
    return request_of(desk.store, name, desk.name)


def _shown(desk: Desk, request: Request) -> Any:
    return plain(request_document(request, {desk.engagement.id: desk.name}))

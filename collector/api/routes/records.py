"""What people bring: uploads, reviews, and claims that something supports a control."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, File, Query, Response, UploadFile
from fastapi import Form as FormField
from pydantic import Field

from collector.act import ActKind
from collector.api.acts import act_here, location, page_of_acts
from collector.api.asked import ControlParam, Numbered, period_within
from collector.api.downloads import OCTETS, download, downloads
from collector.api.models.desk import ReviewForm, Reviews, UploadForm, Uploads
from collector.api.models.installation import Tags
from collector.api.models.shared import Form
from collector.api.paging import Paged
from collector.api.route import Route
from collector.api.routes.runs import GONE
from collector.api.texts import Instant, Maybe, Name, Note
from collector.api.visiting import Reader, Recorder
from collector.ask.documents import said_of
from collector.ask.reviews import NewReview, review
from collector.ask.uploads import NewUpload, upload
from collector.tag import standing
from collector.words import plain

router = APIRouter(route_class=Route, tags=["records"])

_Control = Annotated[Name, FormField(description="The control it is evidence for.")]
_Effective = Annotated[
    Maybe, FormField(description="The days it speaks of, `FIRST..LAST`, both included.", examples=["2026-01-01"])
]
_Reason = Annotated[Note, FormField(description="What it shows; kept with it.")]
_All = Annotated[bool, Query(alias="all", description="Withdrawn ones and withdrawals too.")]


class NewReviewForm(Form):
    """What was decided."""

    target: Name = Field(description="`population:7`, or a control's id.")
    decision: Literal["approved", "exceptions-noted", "changes-requested", "declined"]
    note: Note = Field(description="What was looked at; kept with it.")
    since: Instant | None = Field(default=None, alias="from", description="Of a control: the period reviewed.")
    until: Instant | None = Field(default=None, alias="to", description="Its end, not included.")


@router.get("/uploads", response_model=Uploads, response_model_exclude_unset=True)
def read_uploads(desk: Reader, page: Paged) -> Any:
    """The files that people added."""
    part, following = page_of_acts(desk, ActKind.UPLOAD, page)
    return plain({"uploads": [{**said_of(each), "engagement": desk.name} for each in part], "next": following})


@router.post("/uploads", response_model=UploadForm, response_model_exclude_unset=True, status_code=201)
def add_upload(
    desk: Recorder,
    response: Response,
    file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, CSV, XLSX, DOCX, text, JSON or e-mail.")],
    control: _Control,
    effective: _Effective,
    reason: _Reason,
) -> Any:
    """Add a file as evidence; it is kept as it is, under its digest. Its type is told by its content.

    Repeated, it records another upload of the same bytes, which are kept once.
    """
    most = desk.config.uploads.max_mb * 1_000_000 + 1
    new = NewUpload(named(file), control, effective, reason, file.file.read(most))
    act = upload(desk.store, desk.controls, desk.name, new, desk.config.uploads, actor=desk.actor)
    response.headers["Location"] = location(desk, "uploads", act.id)
    return plain(said_of(act))


@router.get("/uploads/{number}", response_model=UploadForm, response_model_exclude_unset=True)
def read_upload(desk: Reader, number: Numbered) -> Any:
    """What is known of a file that somebody added."""
    return plain(said_of(act_here(desk, ActKind.UPLOAD, number)))


@router.get(
    "/uploads/{number}/content", response_class=Response, responses=downloads(OCTETS, "The file as it came.") | GONE
)
def read_content(desk: Reader, number: Numbered) -> Response:
    """The file itself, to be saved: it is other people's, and never shown in a page."""
    act = act_here(desk, ActKind.UPLOAD, number)
    return download(desk.store.artifact(act.artifact or b""), act.document["name"], act.document["sha256"])


@router.get("/reviews", response_model=Reviews, response_model_exclude_unset=True)
def read_reviews(desk: Reader, page: Paged) -> Any:
    """What named people decided on populations and controls."""
    part, following = page_of_acts(desk, ActKind.REVIEW, page)
    return plain({"reviews": [{**said_of(each), "engagement": desk.name} for each in part], "next": following})


@router.post("/reviews", response_model=ReviewForm, response_model_exclude_unset=True, status_code=201)
def add_review(desk: Recorder, body: Annotated[NewReviewForm, Body()]) -> Any:
    """Record that you looked at a population or a control, and what you decided.

    Repeated, it records another: a later review replaces nothing.
    """
    period = period_within(desk, body.since, body.until) if body.since or body.until else None
    new = NewReview(body.target, body.decision, body.note, desk.name, period)
    return plain(said_of(review(desk.store, desk.controls, new, actor=desk.actor)))


@router.get("/tags", response_model=Tags)
def read_tags(desk: Reader, page: Paged, control: ControlParam = "", every: _All = False) -> Any:
    """Claims by people that a run or an artifact supports a control; those that stand, or all."""
    found = [each for each in desk.store.tags() if control in ("", each.control)]
    part, following = page.of(found if every else standing(found, desk.now), lambda each: each.id)
    return plain({"tags": part, "next": following})


def named(file: UploadFile) -> PurePosixPath:
    """Return what the sender calls *file*: a name to be made safe, and never a place to write to."""
    return PurePosixPath(file.filename or "file")

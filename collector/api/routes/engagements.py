"""Engagements: which there are, their terms, and the bundle of one."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Body, Response
from pydantic import Field

from collector.api.downloads import downloads, streamed
from collector.api.models.installation import EngagementForm, Engagements
from collector.api.models.shared import Form
from collector.api.paging import Paged
from collector.api.route import Route, problem_response
from collector.api.texts import Instant, Name, Note
from collector.api.visiting import EngagementName, Engager, Reader, Visitor
from collector.ask.documents import engagement_document
from collector.ask.engagements import amend, close, create
from collector.engagement import Examination, Terms
from collector.errors import BusyError, QueryError
from collector.export import export
from collector.model import Period
from collector.words import plain

router = APIRouter(prefix="/engagements", route_class=Route, tags=["engagements"])

_ZIP = "application/zip"
_PLACES = BoundedSemaphore(2)
_Names = Annotated[list[Name], Field(max_length=200)]


class TermsSent(Form):
    """What an audit is about. An empty list means all."""

    examination: Literal["I", "II"] = "II"
    start: Instant = Field(description="Start of the period, included; of a Type I, its instant.")
    end: Instant | None = Field(default=None, description="End of the period, not included; of a Type I, left out.")
    criteria: _Names = Field(default=[])
    sources: _Names = Field(default=[], description="Names or patterns.")
    scopes: _Names = Field(default=[])
    controls: _Names = Field(default=[])
    auditors: _Names = Field(default=[])

    def terms(self) -> Terms:
        """Return the terms. Raises `QueryError` for a period without an end, and for an instant with one."""
        if (self.end is None) != (self.examination == "I"):
            raise QueryError("body.end: a Type II has an end, and a Type I has none")
        lists = (tuple(each) for each in (self.criteria, self.sources, self.scopes, self.controls, self.auditors))
        return Terms(Examination(self.examination), Period(self.start, self.end or self.start), *lists)


class NewEngagement(TermsSent):
    """An engagement to be created."""

    name: Name = Field(description="What it is called, plain text of at most 80 characters.")


class Amendment(TermsSent):
    """The terms from now on, whole: what was in scope before stays on record."""

    why: Note = Field(description="The reason; kept with the amendment.")


@router.get("", response_model=Engagements)
def read_engagements(visit: Visitor, page: Paged) -> Any:
    """The engagements that you may see, closed ones too."""
    part, following = page.of(visit.engagements(), lambda each: each.id)
    return plain({"engagements": [engagement_document(each) for each in part], "next": following})


@router.post("", response_model=EngagementForm, status_code=201)
def create_engagement(installed: Engager, body: Annotated[NewEngagement, Body()], response: Response) -> Any:
    """Create an engagement.

    Repeated, it is refused (422): the name is taken, and nothing is recorded.
    """
    made = create(installed.store, installed.controls, body.name, body.terms(), actor=installed.actor)
    response.headers["Location"] = f"/api/v1/engagements/{quote(made.name, safe='')}"
    return plain(engagement_document(made))


@router.get("/{engagement}", response_model=EngagementForm)
def read_engagement(desk: Reader) -> Any:
    """An engagement: the terms in force, and every amendment."""
    return plain(engagement_document(desk.engagement))


@router.post("/{engagement}/amendments", response_model=EngagementForm, status_code=201)
def amend_engagement(installed: Engager, engagement: EngagementName, body: Annotated[Amendment, Body()]) -> Any:
    """Change what is in scope, from now on.

    Repeated, it is refused (422): these are the terms already, and nothing is recorded.
    """
    made = amend(installed.store, installed.controls, engagement, body.terms(), why=body.why, actor=installed.actor)
    return plain(engagement_document(made))


@router.post("/{engagement}/closing", response_model=EngagementForm, status_code=201)
def close_engagement(installed: Engager, engagement: EngagementName) -> Any:
    """Close an engagement: nothing more is recorded for it, and everything can still be asked.

    Repeated, it is refused (422): it is closed already, and nothing is recorded.
    """
    return plain(engagement_document(close(installed.store, engagement, actor=installed.actor)))


@router.get(
    "/{engagement}/bundle",
    response_class=Response,
    responses=downloads(_ZIP, "A zipped BagIt bag with everything, and the program that checks it.")
    | {409: problem_response("Others are being made; ask again.")},
)
def read_bundle(desk: Reader) -> Response:
    """The engagement as one file that anybody can check: `python3 -I verify.py FILE`, or `evidenced verify FILE`."""
    with _making(), tempfile.TemporaryDirectory(prefix="evidenced-bundle-") as folder:
        path = Path(folder) / "bundle.zip"
        export(desk.store.whole_for_export(), desk.name, path, grace=desk.grace)
        # It has no name any more when the first byte leaves: whatever becomes of the request, nothing stays behind.
        file = path.open("rb")
    length, digest = _measured(file)
    return streamed(file, length, f"{desk.name}.zip", digest, _ZIP)


@contextmanager
def _making() -> Iterator[None]:
    """Hold one of the places for making a bundle, which reads everything. Raises `BusyError` when all are taken."""
    if not _PLACES.acquire(blocking=False):
        raise BusyError("as many bundles are being made as may be at once", hint="Ask again in a minute.")
    try:
        yield
    finally:
        _PLACES.release()


def _measured(file: IO[bytes]) -> tuple[int, str]:
    """Return how long *file* is and its SHA-256, and go back to its beginning."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    length = file.tell()
    file.seek(0)
    return length, digest

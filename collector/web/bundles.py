"""The bundle of an engagement: what it will hold, how it comes along, the file, and how to check it."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from collector.act import Act, ActKind
from collector.errors import Unknown
from collector.log.keys import signing, trust
from collector.upload import safe_name
from collector.web.building import Builds, reach
from collector.web.pages import address, page
from collector.web.sending import Sender
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_HELD = (
    ActKind.POPULATION,
    ActKind.SAMPLE,
    ActKind.RECONCILIATION,
    ActKind.REQUEST,
    ActKind.UPLOAD,
    ActKind.REVIEW,
)

_CONTENTS = (
    (
        "data/summary.html, .pdf",
        "Coverage by criterion, gaps with their causes, populations, samples, what was recorded at the desk.",
    ),
    ("data/index.csv, .xlsx", "A row for each version of an item that existed in the period."),
    ("data/artifacts/", "The raw evidence: each content under its SHA-256."),
    ("data/acts.csv", "What people recorded for the engagement: when, who, and the digests of it."),
    ("data/oscal-assessment-results.json", "The same for tools that read OSCAL."),
    ("data/log/", "Every leaf of the log up to the checkpoint, the checkpoints, and their time stamps."),
    ("data/sweeps.jsonl, gaps.jsonl", "What each sweep of a source in scope found; the slots that were missed."),
    ("verify.py", "The program that checks all of it: one file, Python 3.9 or later, no other library."),
    ("manifest-sha256.txt", "What makes it a BagIt bag (RFC 8493), which sha256sum and bagit check."),
)


@router.get("/e/{name}/bundle")
def bundle(request: Request, visit: Visitor, engaged: Within, name: str) -> HTMLResponse:
    """Show what the bundle will hold and up to where it goes; while it is being made, how far it is."""
    checkpoints = engaged.store.checkpoints
    build = _builds(request).of(engaged)
    desk = engaged.store.desk
    return page(
        request,
        visit,
        "bundle.html",
        engagement=engaged.engagement,
        build=build,
        api=(["bundle"], {}),
        current=build is not None and build.size == reach(engaged),
        checkpoint=checkpoints.last(),
        size=checkpoints.head().size,
        keys=signing(trust(checkpoints.key_events())),
        held=[(kind.value, _begun(desk.acts(kind, engaged.engagement.id))) for kind in _HELD],
        contents=_CONTENTS,
        file=_file(name),
    )


@router.post("/e/{name}/bundle")
def making(request: Request, visit: Sender, engaged: Within, name: str) -> Response:
    """Begin to make the bundle, unless it is on its way or there already."""
    _builds(request).start(visit, engaged)
    return RedirectResponse(address("e", name, "bundle"), HTTPStatus.SEE_OTHER)


@router.get("/e/{name}/bundle/file")
def file_of(request: Request, engaged: Within, name: str) -> Response:
    """Give the bundle that was made last."""
    build = _builds(request).of(engaged)
    if build is None or build.made is None:
        raise Unknown("no bundle was made yet", hint="Its page makes one; that may take minutes.")
    return FileResponse(build.made.file, filename=_file(name), media_type="application/zip")


def _begun(acts: Sequence[Act]) -> int:
    """Return how many of *acts* are of their own, and not about another, as an answer to a request is."""
    return sum(each.document.get("did", "added") == "added" for each in acts)


def _builds(request: Request) -> Builds:
    found: Builds = request.app.state.builds
    return found


def _file(name: str) -> str:
    return f"{safe_name(name)}.zip"

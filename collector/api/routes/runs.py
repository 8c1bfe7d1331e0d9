"""Runs, their sheets, proofs that they are in the log, and the contents of artifacts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import StringConstraints
from starlette.responses import Response

from collector.api.asked import FromParam, KindParam, ScopeParam, SourceParam, ToParam, period_within
from collector.api.downloads import OCTETS, download, downloads
from collector.api.models.runs import Runs, SheetForm
from collector.api.paging import Paged
from collector.api.route import Documented, Route, problem_response
from collector.api.texts import HexDigest
from collector.api.visiting import Desk, Reader
from collector.ask.sheet import sheet_of
from collector.canonical import digest
from collector.model import Outcome
from collector.verify import prove
from collector.words import plain

router = APIRouter(route_class=Route, tags=["runs"])

_RunId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}-[0-9]{1,15}$"), Path(examples=["12-3"])]
_Artifact = Annotated[HexDigest, Path(description="The SHA-256 of its bytes.", examples=["0f" * 32])]
_Came = Annotated[Literal["collected", "failed"] | None, Query(description="Only what came to this.")]
GONE: Documented = {410: problem_response("It was erased, or its key is not at hand.")}


@router.get("/runs", response_model=Runs)
def read_runs(
    desk: Reader,
    page: Paged,
    source: SourceParam = "",
    kind: KindParam = "",
    scope: ScopeParam = "",
    outcome: _Came = None,
    since: FromParam = None,
    until: ToParam = None,
) -> Any:
    """Every attempt to read that was due in a period, by default the engagement's; the newest first."""
    period = period_within(desk, since, until)
    found = desk.store.runs(
        period,
        source=source or None,
        kind=kind or None,
        scope=scope or None,
        outcome=Outcome(outcome) if outcome else None,
        limit=page.limit + 1,
        before=page.after,
    )
    part, following = page.cut(found, lambda each: each.id)
    return plain({"period": period, "runs": part, "next": following})


@router.get("/runs/{run}", response_model=SheetForm)
def read_sheet(desk: Reader, run: _RunId) -> Any:
    """The sheet of a run: where it came from, with which query, when, and how complete it is."""
    return plain(sheet_of(desk.store, run, now=desk.now))


@router.get("/runs/{run}/proof", response_class=Response, responses=downloads(OCTETS, "The proof.") | GONE)
def read_run_proof(desk: Reader, run: _RunId) -> Response:
    """The proof that a run is in the log. `evidenced verify FILE` checks it without the store."""
    return _proof(desk, run, f"run-{run}.proof")


@router.get("/artifacts/{artifact}", response_class=Response, responses=downloads(OCTETS, "Its bytes.") | GONE)
def read_artifact(desk: Reader, artifact: _Artifact) -> Response:
    """The exact bytes of an artifact: an item's canonical JSON, a document, a file that somebody added."""
    name = artifact.removeprefix("sha256:")
    return download(desk.store.artifact(bytes.fromhex(name)), f"{name}.bin", name)


@router.get("/artifacts/{artifact}/proof", response_class=Response, responses=downloads(OCTETS, "The proof.") | GONE)
def read_artifact_proof(desk: Reader, artifact: _Artifact) -> Response:
    """The proof that an artifact is in the log."""
    name = artifact.removeprefix("sha256:")
    return _proof(desk, f"sha256:{name}", f"{name}.proof")


def _proof(desk: Desk, target: str, name: str) -> Response:
    made = prove(desk.store, target)
    return download(made.data, name, digest(made.data).hex())

"""Runs of an engagement, and the bytes of an artifact."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from collector.errors import QueryError, Unknown
from collector.model import Outcome
from collector.web.overview import asked_period
from collector.web.pages import address, page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_ON_A_PAGE = 100
_DIGITS = 64


@router.get("/e/{name}/runs")
def runs(
    request: Request,
    visit: Visitor,
    engaged: Within,
    name: str,
    kind: str = "",
    source: str = "",
    outcome: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
    before: Annotated[str, Query(pattern=r"^([0-9]{1,15}-[0-9]{1,9})?$")] = "",
) -> HTMLResponse:
    """Show the runs that were due in a period, the newest first."""
    period = asked_period(engaged.engagement.terms.period, since, until)
    if outcome not in ("", *_ENDS):
        raise QueryError(f"a run does not end in {outcome!r}", hint=f"It ends in: {', '.join(_ENDS)}.")
    found = engaged.store.runs(
        period,
        source=source or None,
        kind=kind or None,
        outcome=Outcome(outcome) if outcome else None,
        limit=_ON_A_PAGE + 1,
        before=before or None,
    )
    subjects = engaged.store.subjects()
    typed = {"kind": kind, "source": source, "outcome": outcome, "from_": since, "to": until}
    shown = found[:_ON_A_PAGE]
    return page(
        request,
        visit,
        "runs.html",
        engagement=engaged.engagement,
        runs=shown,
        period=period,
        typed=typed,
        kinds=sorted({each.kind for each in subjects}),
        sources=sorted({each.source for each in subjects}),
        outcomes=_ENDS,
        api=(["runs"], typed),
        first=address("e", name, "runs", **typed) if before else "",
        next=address("e", name, "runs", **typed, before=shown[-1].id) if len(found) > len(shown) else "",
    )


@router.get("/e/{name}/artifacts/{digest}")
def artifact(engaged: Within, digest: str) -> Response:
    """Give the bytes of an artifact to be saved: whatever they are, no browser runs them here."""
    hexadecimal = digest.removeprefix("sha256:")
    if len(hexadecimal) != _DIGITS or hexadecimal.strip("0123456789abcdef"):
        raise Unknown(f"there is no artifact {digest!r}", hint="An artifact is named by its SHA-256, 64 hex digits.")
    data = engaged.store.artifact(bytes.fromhex(hexadecimal))
    return saved(data, f"{hexadecimal}.json" if data[:1] in (b"{", b"[") else hexadecimal)


def saved(data: bytes, name: str, media_type: str = "application/octet-stream") -> Response:
    """Return *data* as a file that a browser saves under *name*, and never shows."""
    headers = {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}
    return Response(data, media_type=media_type, headers=headers)


_ENDS = (Outcome.COLLECTED.value, Outcome.FAILED.value)

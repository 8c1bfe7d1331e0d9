"""The routes of the pages, put together."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.web.pages import page
from collector.web.visiting import Visitor

router = APIRouter(include_in_schema=False)


@router.get("/")
def engagements(request: Request, visit: Visitor) -> HTMLResponse:
    """Show the engagements that the visitor may see, the newest first."""
    return page(request, visit, "engagements.html", engagements=visit.engagements()[::-1])

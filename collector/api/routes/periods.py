"""Coverage, the calendar, gaps, and what people must upload: what is there of a period and what is missing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from collector.api.asked import By, NarrowedBy
from collector.api.models.desk import Due
from collector.api.models.periods import CalendarForm, CoverageForm, Gaps
from collector.api.paging import Paged, place_of
from collector.api.route import Route
from collector.api.visiting import Reader
from collector.ask.calendar import calendar
from collector.ask.coverage import coverage
from collector.ask.documents import calendar_document, coverage_document
from collector.ask.uploads import uploads_due
from collector.clock import to_ms
from collector.words import plain

router = APIRouter(route_class=Route, tags=["periods"])

_By = Annotated[By, Query(description="What the rows are.")]


@router.get("/coverage", response_model=CoverageForm)
def read_coverage(desk: Reader, narrowed: NarrowedBy, by: _By = "criterion") -> Any:
    """What became of every slot that was due in a period, by default the engagement's. Its gaps are at `/gaps`."""
    found = coverage(desk.store, narrowed.question(desk, by), now=desk.now, grace=desk.grace)
    said = coverage_document(found)
    del said["gaps"]
    return plain(said)


@router.get("/calendar", response_model=CalendarForm)
def read_calendar(desk: Reader, narrowed: NarrowedBy, by: _By = "criterion") -> Any:
    """The same day by day, in UTC: the cells of a heat map. Days on which nothing was due have no cell."""
    found = calendar(desk.store, narrowed.question(desk, by), now=desk.now, grace=desk.grace)
    return plain(calendar_document(found))


@router.get("/gaps", response_model=Gaps)
def read_gaps(desk: Reader, narrowed: NarrowedBy, page: Paged) -> Any:
    """Every interval in which due slots of a subject were not collected, with its cause."""
    found = coverage(desk.store, narrowed.question(desk, "kind"), now=desk.now, grace=desk.grace)
    part, following = page.of(found.gaps, lambda each: (*place_of(each.subject), to_ms(each.period.start)))
    return plain({"period": found.question.period, "until": found.until, "gaps": part, "next": following})


@router.get("/uploads-due", response_model=Due)
def read_uploads_due(desk: Reader) -> Any:
    """What no API can give: by when people must upload it, and whether it is there."""
    return {"due": plain(uploads_due(desk.store, desk.controls, desk.engagement, now=desk.now))}

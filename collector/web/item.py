"""One item: every form that it ever had, what changed from one to the next, and the runs that saw it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from collector.errors import QueryError, Unknown
from collector.gate import Engaged
from collector.model import Json, Run
from collector.population import Life, life, shown_document
from collector.web.outline import Line, outline
from collector.web.pages import page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)

_MOST_FORMS = 60


@dataclass(frozen=True, slots=True)
class Form:
    """A form of an item, the run that first saw it so, and the run that saw it otherwise."""

    life: Life
    first: Run | None
    after: Run | None


class Asked(BaseModel):
    """Which item is asked for: *key* as the population shows it, in any source and scope unless they are named."""

    key: str
    source: str = ""
    scope: str = ""


@router.get("/e/{name}/kinds/{kind}/item")
def item(
    request: Request, visit: Visitor, engaged: Within, kind: str, asked: Annotated[Asked, Query()]
) -> HTMLResponse:
    """Show an item, its newest form whole, and how it came to it."""
    try:
        lives = life(engaged.store, kind, asked.key, source=asked.source, scope=asked.scope)
    except QueryError as error:
        raise Unknown(error.message, hint="The page of the kind lists its items.") from error
    newest = [
        lives[at] for at in range(len(lives)) if at + 1 == len(lives) or lives[at + 1].subject != lives[at].subject
    ]
    return page(
        request,
        visit,
        "item.html",
        engagement=engaged.engagement,
        kind=kind,
        key=asked.key,
        newest=[(each, *_content(engaged, each)) for each in newest],
        forms=list(_forms(engaged, lives))[::-1],
        left=max(0, len(lives) - _MOST_FORMS),
        api=(["kinds", kind, "history"], asked.model_dump()),
    )


def _content(engaged: Engaged, form: Life) -> tuple[list[Line], str, Json]:
    content, withheld = shown_document(engaged.store, form.artifact)
    kept = engaged.store.volatile(form.subject, form.last_seen) if form.last_seen else None
    return ([] if withheld else outline(content)), withheld, outline((kept or {}).get(form.key) or {})


def _forms(engaged: Engaged, lives: list[Life]) -> Iterator[Form]:
    """Yield the newest forms, oldest first, with the runs at their ends."""
    for each in lives[-_MOST_FORMS:]:
        first, _ = engaged.store.observations(each.subject, each.first_seen)
        after, _ = engaged.store.observations(each.subject, each.ended) if each.ended else (None, None)
        yield Form(each, first, after)

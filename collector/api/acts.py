"""What is recorded in one engagement, by number; what belongs to another is not there."""

from __future__ import annotations

from urllib.parse import quote

from collector.act import Act, ActKind
from collector.api.paging import Page
from collector.api.visiting import Desk
from collector.store.desk import no_act


def act_here(desk: Desk, kind: ActKind, number: int) -> Act:
    """Return the act *number* of *kind*. Raises `Unknown`, alike for none and for one of another engagement."""
    act = desk.store.desk.act(number, kind)
    if act.engagement != desk.engagement.id:
        raise no_act(number, kind)
    return act


def page_of_acts(desk: Desk, kind: ActKind, page: Page) -> tuple[list[Act], str | None]:
    """Return the page of the acts of *kind*, the oldest first, and the cursor of the next."""
    return page.of(desk.store.desk.acts(kind, desk.engagement.id), lambda each: each.id)


def location(desk: Desk, things: str, number: object) -> str:
    """Return where what was just recorded is read."""
    return f"/api/v1/engagements/{quote(desk.name, safe='')}/{things}/{quote(str(number), safe='')}"

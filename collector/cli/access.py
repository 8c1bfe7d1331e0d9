"""`evidenced access`: who had access at an instant, by all that a control's kinds showed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.asking import population_parts
from collector.cli.layout import Part, show
from collector.cli.opening import instants, load_ours, opened
from collector.cli.options import ConfigOption, EngagementOption, JsonOption
from collector.cli.render import show_json
from collector.clock import iso

if TYPE_CHECKING:
    from collector.ask.standing import Standing
    from collector.store import Store


def access(
    control: Annotated[str, typer.Argument(metavar="CONTROL", help="A control, e.g. AC-01.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The instant: an ISO date or date-time.")],
    engagement: EngagementOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who had access at an instant, by a control's kinds.

    Every population of every kind that serves the control as it was then, across sources. One that nobody had looked at
    yet is said to be so, and is not empty.

    \b
    Example: evidenced access AC-01 --at 2026-03-14
    """
    from collector.ask.documents import standing_document
    from collector.ask.engagements import engagement_of
    from collector.ask.standing import standing
    from collector.tag import load_controls

    (when,), now = instants(at)
    settings = load_ours(config)
    with opened(settings) as store:
        terms = engagement_of(store, engagement).terms if engagement else None
        found = standing(store, load_controls(settings.controls_path), control, when, now=now, terms=terms)
        if as_json:
            show_json(standing_document(store, found, found.populations))
        else:
            show(*_parts(store, found))


def _parts(store: Store, found: Standing) -> Iterator[Part]:
    yield f"{found.control.id} {found.control.title} at {iso(found.at)}"
    yield ""
    for each in found.populations:
        yield each.subject.kind
        yield from population_parts(store, each, found.at, {}, whole=False)
    if not found.populations:
        yield "No kind in scope shows who had access: nothing is known, which is not the same as nobody."
    for kind in found.events:
        yield f"{kind} lists what happened, not what was there: see `evidenced population {kind}`."
    if found.unseen:
        yield f"The control also names what no kind on record fits: {', '.join(found.unseen)}."

"""`evidenced runs`: every attempt to read, newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from collector.cli.layout import Table, show
from collector.cli.opening import asked_period, in_scope_of, opened_store
from collector.cli.options import (
    ConfigOption,
    EngagementOption,
    FromOption,
    JsonOption,
    KindOption,
    ScopeOption,
    SourceOption,
    ToOption,
)
from collector.cli.render import show_json
from collector.errors import QueryError
from collector.model import Outcome, Run
from collector.words import came_of

_Outcome = Annotated[
    str, typer.Option("--outcome", metavar="OUTCOME", help="Only collected, or only failed.", show_default=False)
]
_Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most this many.")]


def runs(
    since: FromOption = "",
    until: ToOption = "",
    source: SourceOption = "",
    kind: KindOption = "",
    scope: ScopeOption = "",
    outcome: _Outcome = "",
    limit: _Limit = 50,
    engagement: EngagementOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first. `evidenced run show ID` opens the sheet of one.

    \b
    Example: evidenced runs --from 2026-03-01 --outcome failed --limit 20
    """
    if outcome not in ("", Outcome.COLLECTED, Outcome.FAILED):
        raise QueryError(f"a run is collected or failed, not {outcome!r}", hint="Missed slots: `evidenced coverage`.")
    with opened_store(config) as store:
        period = asked_period(store, engagement, since, until)[0] if since or until or engagement else None
        in_scope = in_scope_of(store, engagement)
        every = store.runs(
            period,
            source=source or None,
            kind=kind or None,
            scope=scope or None,
            outcome=Outcome(outcome) if outcome else None,
            limit=limit,
        )
        found = [each for each in every if in_scope(each.subject)]
    if as_json:
        show_json({"period": period, "runs": found, "limit": limit})
        return
    rows = [
        [run.id, run.due, run.subject.source, run.subject.kind, run.subject.scope, _items(run), came_of(run)]
        for run in found
    ]
    show(Table(["run", "due", "source", "kind", "scope", "items", "outcome"], rows, right=["items"]))
    if len(every) == limit:
        show("", f"Only the newest {limit} are shown; more with --limit.")


def _items(run: Run) -> int | None:
    # Of a failed run the number of items is unknown, not zero.
    return run.counts.items if run.outcome is Outcome.COLLECTED else None

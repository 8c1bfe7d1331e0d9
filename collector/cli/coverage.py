"""`evidenced coverage`: of what was due in a period, what was collected, and what is missing and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.exits import NOT_IN_ORDER
from collector.cli.layout import Part, Table, show
from collector.cli.opening import asked_period, load_ours, opened
from collector.cli.options import (
    ConfigOption,
    EngagementOption,
    FromOption,
    JsonOption,
    KindOption,
    ServingOption,
    SourceOption,
    ToOption,
)
from collector.cli.render import show_json
from collector.cli.upload import due_parts
from collector.clock import iso
from collector.errors import QueryError
from collector.grouping import outages
from collector.words import fell_short, plural, span

if TYPE_CHECKING:
    from datetime import datetime

    from collector.ask.coverage import Coverage
    from collector.config import Config
    from collector.grouping import Outage
    from collector.store import Store
    from collector.upload import Expected

_SHOWN_RUNS = 6

_Criterion = Annotated[
    str, typer.Option("--criterion", metavar="ID", help="Only what serves it, e.g. CC6.1.", show_default=False)
]
_By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="GROUP",
        help="criterion, control, kind, source, scope or day. Left out: kind when one criterion or control is asked "
        "about, else criterion.",
        show_default=False,
    ),
]
_FailOnGap = Annotated[
    bool, typer.Option("--fail-on-gap", help="End with 1 when there is a gap, events are lost, or nothing was due.")
]


def coverage(
    since: FromOption = "",
    until: ToOption = "",
    criterion: _Criterion = "",
    control: ServingOption = "",
    source: SourceOption = "",
    kind: KindOption = "",
    engagement: EngagementOption = "",
    by: _By = "",
    fail_on_gap: _FailOnGap = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what became of every slot due in a period, and its gaps.

    A slot is collected, failed, missed or excluded; each gap is shown with its cause. Left out, the period is the
    last 30 days, or that of the engagement.

    \b
    Example: evidenced coverage --from 2026-01-01 --to 2026-04-01 \\
                 --criterion CC6.1
    """
    from collector.ask.coverage import GROUPINGS, Question
    from collector.ask.coverage import coverage as ask
    from collector.ask.documents import coverage_document
    from collector.clock import SystemClock
    from collector.schedule import parse_duration

    by = by or ("kind" if criterion or control else "criterion")
    if by not in GROUPINGS:
        raise QueryError(f"coverage cannot be grouped by {by!r}", hint=f"Group by {', '.join(GROUPINGS)}.")
    settings = load_ours(config)
    with opened(settings) as store:
        period, terms = asked_period(store, engagement, since, until)
        question = Question(period, source, kind, criterion, control, by, terms)
        now = SystemClock().now()
        found = ask(store, question, now=now, grace=parse_duration(settings.plan.grace))
        due = _uploads(store, settings, engagement, now) if engagement else []
    if as_json:
        show_json(coverage_document(found) | ({"engagement": engagement, "uploads": due} if engagement else {}))
    else:
        show(*_coverage(found))
        show(*due_parts(due))
    if fail_on_gap and (found.gaps or found.lost or not found.total.due):
        raise typer.Exit(NOT_IN_ORDER)


def _uploads(store: Store, settings: Config, engagement: str, now: datetime) -> list[Expected]:
    from collector.ask.engagements import engagement_of
    from collector.ask.uploads import uploads_due
    from collector.tag import load_controls

    return uploads_due(store, load_controls(settings.controls_path), engagement_of(store, engagement), now=now)


def _coverage(found: Coverage) -> Iterator[Part]:
    yield from _heading(found)
    if not found.total.due:
        yield "Nothing was due: no plan expected anything of this in the period."
    else:
        yield _table(found)
        yield ""
        yield from _sums(found)
    if found.unserved:
        yield f"No planned kind serves: {', '.join(found.unserved)}"
    if found.gaps:
        yield ""
        yield f"{plural(len(found.gaps), 'gap')}, the longest {span(found.total.longest_gap)}:"
        for together in outages(found.gaps):
            yield from _outage(together)
    if found.lost:
        yield ""
        yield "Events that nobody can read any more:"
    for each in found.lost:
        yield f"  {each.subject.source}: {each.subject.kind} ({each.subject.scope}), run {each.run}: {each.message}"


def _heading(found: Coverage) -> Iterator[Part]:
    period = found.question.period
    yield f"Coverage from {iso(period.start)} to {iso(period.end)}"
    if found.until < period.end:
        yield f"The period is not over: this is how it stands at {iso(found.until)}."
    asked = found.question
    only = {"criterion": asked.criterion, "control": asked.control, "source": asked.source, "kind": asked.kind}
    if any(only.values()):
        yield "Only " + ", ".join(f"{name} {value}" for name, value in only.items() if value)
    yield ""


def _table(found: Coverage) -> Table:
    figures = ["due", "collected", "failed", "missed", "excluded", "gaps", "longest gap"]
    titled = any(row.title for row in found.rows)
    rows = []
    for row in found.rows:
        sums = row.tally
        counts = [sums.due, sums.collected, sums.failed, sums.missed, sums.excluded, sums.gaps]
        longest = span(sums.longest_gap) if sums.gaps else None
        rows.append([row.name, *counts, longest, *([row.title] if titled else [])])
    return Table([found.question.by, *figures, *(["title"] if titled else [])], rows, right=figures)


def _sums(found: Coverage) -> Iterator[Part]:
    sums = found.total
    yield (
        f"{plural(sums.due, 'slot')} due: {sums.collected:,} collected ({sums.changed:,} changed, "
        f"{sums.unchanged:,} unchanged, {sums.empty:,} empty), {sums.failed:,} failed, {sums.missed:,} missed, "
        f"{sums.excluded:,} excluded"
    )
    if found.question.by in ("criterion", "control"):
        yield "A slot may serve several, so the rows add up to more."
    if found.pending:
        yield f"{plural(found.pending, 'slot')} due just now and not counted: the time to read them has not passed"


def _outage(found: Outage) -> Iterator[Part]:
    period, first = found.period, found.first
    slots = plural(found.slots, "slot")
    yield ""
    yield f"{iso(period.start)} to {iso(period.end)} ({span(found.length)})  {fell_short(first)}, {slots}"
    yield f"  {first.subject.source}: {first.cause or 'no cause was recorded'}"
    yield "  " + ", ".join(f"{kind} ({' '.join(scopes)})" for kind, scopes in found.kinds.items())
    if found.runs:
        yield f"  failed runs: {_some(found.runs)}"
    if found.ended_by:
        yield f"  ended by: {_some(found.ended_by)}"


def _some(runs: Sequence[str]) -> str:
    """Return the first run ids of many; --json has them all."""
    more = len(runs) - _SHOWN_RUNS
    return ", ".join(runs[:_SHOWN_RUNS]) + (f" and {more:,} more" if more > 0 else "")

"""The sheet of a run in the order in which an auditor asks: where from, which query, when, what came of it.

Names and values, not text: a terminal, a page and a PDF each show them in their own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from collector.clock import iso
from collector.model import OperationCalls, Outcome, Run, show_digest
from collector.words import came_of, span

if TYPE_CHECKING:
    from collector.ask.sheet import Sheet

Pair = tuple[str, object]
_EMPTY = (None, "", ())


@dataclass(frozen=True, slots=True)
class Section:
    """What one of the four questions is answered with; a value is never empty."""

    title: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under *columns*; *right* names the columns of figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    right: tuple[str, ...] = ()


def where(found: Sheet) -> Section:
    """Return where the items came from."""
    run = found.run
    made = run.provenance
    return _section(
        "Where from",
        [
            ("source", run.subject.source),
            ("scope", run.subject.scope),
            ("asked as", run.principal.id or "nobody: the source was not reached"),
            ("account", run.principal.account),
            ("connector", f"{made.connector} {made.connector_version}, collector {made.collector_version}"),
            ("settings", made.config),
            (
                "plan",
                f"version {made.plan_version}" if made.plan_version else "none: made by hand before there was one",
            ),
        ],
    )


def query(found: Sheet) -> Section:
    """Return with which query they were asked for; its text is ``found.procedure``."""
    run = found.run
    made = run.provenance
    window = f"{iso(run.window.since)} to {iso(run.window.until)}" if run.window else None
    return _section(
        "With which query",
        [
            ("kind", run.subject.kind),
            ("procedure", made.procedure),
            ("window", window),
            ("needs", made.grants),
            ("criteria", made.criteria),
            ("controls", made.controls),
        ],
    )


def when(found: Sheet) -> Section:
    """Return when, by our clock at reading and at storing, and how far it was from the source's."""
    run, request = found.run, found.request
    return _section(
        "When",
        [
            ("due", run.due),
            ("trigger", str(run.trigger)),
            ("asked by", request.actor if request else None),
            ("asked why", request.reason if request else None),
            ("started", run.started),
            ("finished", f"{iso(run.finished)} (took {span(run.finished - run.started)})"),
            ("recorded", run.recorded),
            ("our clock", _skew(run)),
            ("events until", _watermarks(run)),
        ],
    )


def outcome(found: Sheet) -> Section:
    """Return what came of it, and how the items differ from the last good population."""
    run = found.run
    counts, good = run.counts, run.population is not None
    differ = f"{counts.added} added, {counts.changed} changed, {counts.removed} removed"
    return _section(
        "What came of it",
        [
            ("outcome", came_of(run)),
            ("message", run.message),
            ("what to do", run.hint),
            ("items", f"{counts.items:,} ({differ})" if good else "unknown: the last good population stays as it was"),
            ("population", show_digest(run.population) if run.population is not None else None),
        ],
    )


def listings(found: Sheet) -> Iterator[Listing]:
    """Yield what there is several of: calls, their request ids and the source's clock, redactions, tags."""
    run = found.run
    if run.operations:
        counted = ((each.calls, each.pages, each.retries, each.items) for each in run.operations)
        yield Listing(
            ("call", "calls", "pages", "retries", "items", "complete"),
            tuple(
                (each.operation, *counts, _complete(each, run))
                for each, counts in zip(run.operations, counted, strict=True)
            ),
            ("calls", "pages", "retries", "items"),
        )
        yield Listing(("call", "request ids", "source's clock"), tuple(map(_traced, run.operations)))
    if run.redactions:
        removed = tuple((each.path, each.rule, each.count) for each in run.redactions)
        yield Listing(("removed at", "rule", "items"), removed, ("items",))
    if found.tags:
        claims = tuple((each.id, each.control, each.actor, each.note) for each in found.tags)
        yield Listing(("tag", "control", "by", "note"), claims)


def _section(title: str, pairs: Sequence[Pair]) -> Section:
    return Section(title, tuple((name, value) for name, value in pairs if value not in _EMPTY))


def _skew(run: Run) -> str | None:
    if run.skew_ms is None:
        return None
    skew = timedelta(milliseconds=run.skew_ms)
    return f"{span(skew)} ({'ahead of' if skew >= timedelta() else 'behind'} the source's)"


def _watermarks(run: Run) -> str | None:
    if run.window is None:
        return None
    before, after = (iso(at) if at else "none yet" for at in (run.watermark_before, run.watermark_after))
    return f"{before}, now {after}"


def _complete(call: OperationCalls, run: Run) -> str:
    if not call.drained:
        return "no, more was offered"
    if run.outcome is not Outcome.COLLECTED:
        return "unknown: the run failed"
    if call.total is None:
        return "yes"
    return f"yes, the source counts {call.total:,}" if call.total == call.items else f"source counts {call.total:,}"


def _traced(call: OperationCalls) -> tuple[object, ...]:
    dates = (iso(at) if at else "" for at in (call.first_date, call.last_date))
    return call.operation, _range(call.first_request_id, call.last_request_id), _range(*dates)


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} … {last}"

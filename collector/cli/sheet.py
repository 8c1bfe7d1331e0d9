"""The sheet of a run, put into words: where from, with which query, when, how complete."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from collector.cli.layout import Part, Table, lines, outline
from collector.clock import iso
from collector.model import OperationCalls, Outcome, Run
from collector.words import came_of, span

if TYPE_CHECKING:
    from collector.ask.sheet import Sheet


def sheet(found: Sheet) -> Iterator[Part]:
    """Yield the sheet as lines and tables."""
    run = found.run
    yield f"Run {run.id}"
    yield from _section("Where from", _where(run))
    yield from _section("With which query", _query(run))
    if found.procedure is not None:
        yield ""
        yield from outline(found.procedure, "    ")
    yield from _section("When", _when(found))
    yield from _section("What came of it", _outcome(run))
    if run.operations:
        yield ""
        yield from _calls(run)
    if run.redactions:
        yield ""
        yield Table(
            ["  removed at", "rule", "items"],
            [[f"  {each.path}", each.rule, each.count] for each in run.redactions],
            ["items"],
        )
    if found.tags:
        yield ""
        yield Table(["  tag", "control", "by", "note"], [[f"  {t.id}", t.control, t.actor, t.note] for t in found.tags])


def _section(title: str, pairs: list[tuple[str, object]]) -> Iterator[Part]:
    yield ""
    yield title
    yield from lines((f"  {name}", value) for name, value in pairs if value not in (None, "", ()))


def _where(run: Run) -> list[tuple[str, object]]:
    made = run.provenance
    return [
        ("source", run.subject.source),
        ("scope", run.subject.scope),
        ("asked as", run.principal.id or "nobody: the source was not reached"),
        ("account", run.principal.account),
        ("connector", f"{made.connector} {made.connector_version}, collector {made.collector_version}"),
        ("settings", made.config),
        ("plan", f"version {made.plan_version}" if made.plan_version else "none: made by hand before there was one"),
    ]


def _query(run: Run) -> list[tuple[str, object]]:
    made = run.provenance
    window = f"{iso(run.window.since)} to {iso(run.window.until)}" if run.window else None
    return [
        ("kind", run.subject.kind),
        ("procedure", made.procedure),
        ("window", window),
        ("needs", made.grants),
        ("criteria", made.criteria),
        ("controls", made.controls),
    ]


def _when(found: Sheet) -> list[tuple[str, object]]:
    run, request = found.run, found.request
    skew = None if run.skew_ms is None else timedelta(milliseconds=run.skew_ms)
    ours = None if skew is None else f"{span(skew)} ({'ahead of' if skew >= timedelta() else 'behind'} the source's)"
    return [
        ("due", run.due),
        ("trigger", str(run.trigger)),
        ("asked by", request.actor if request else None),
        ("asked why", request.reason if request else None),
        ("started", run.started),
        ("finished", f"{iso(run.finished)} (took {span(run.finished - run.started)})"),
        ("recorded", run.recorded),
        ("our clock", ours),
        ("events until", _watermarks(run)),
    ]


def _watermarks(run: Run) -> str | None:
    if run.window is None:
        return None
    before, after = (iso(at) if at else "none yet" for at in (run.watermark_before, run.watermark_after))
    return f"{before}, now {after}"


def _outcome(run: Run) -> list[tuple[str, object]]:
    counts = run.counts
    good = run.population is not None
    differ = f"{counts.added} added, {counts.changed} changed, {counts.removed} removed"
    return [
        ("outcome", came_of(run)),
        ("message", run.message),
        ("what to do", run.hint),
        ("items", f"{counts.items:,} ({differ})" if good else "unknown: the last good population stays as it was"),
        ("population", "sha256:" + run.population.hex() if run.population is not None else None),
    ]


def _calls(run: Run) -> Iterator[Part]:
    yield Table(
        ["  call", "calls", "pages", "retries", "items", "complete"],
        [
            [f"  {each.operation}", each.calls, each.pages, each.retries, each.items, _complete(each, run)]
            for each in run.operations
        ],
        ["calls", "pages", "retries", "items"],
    )
    yield ""
    yield Table(
        ["  call", "request ids", "source's clock"],
        [
            [
                f"  {each.operation}",
                _range(each.first_request_id, each.last_request_id),
                _range(*(iso(at) if at else "" for at in (each.first_date, each.last_date))),
            ]
            for each in run.operations
        ],
    )


def _complete(call: OperationCalls, run: Run) -> str:
    if not call.drained:
        return "no, more was offered"
    if run.outcome is not Outcome.COLLECTED:
        return "unknown: the run failed"
    if call.total is None:
        return "yes"
    return f"yes, the source counts {call.total:,}" if call.total == call.items else f"source counts {call.total:,}"


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} … {last}"

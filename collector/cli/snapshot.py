"""`evidenced snapshot`: read a source now, for a reason that is kept with the evidence."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.exits import SOURCE
from collector.cli.layout import Part, Table, show
from collector.cli.opening import actor, load, opened
from collector.cli.options import ActorOption, ConfigOption, JsonOption, ServingOption
from collector.cli.render import progress, show_json
from collector.words import came_of, plural

if TYPE_CHECKING:
    from collector.ask.snapshot import Answer

_Source = Annotated[str, typer.Option("--source", metavar="SOURCE", help="The source to read.")]
_Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the evidence.")]
_Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help="Only this kind, by name or pattern; may be repeated."),
]


def snapshot(
    source: _Source,
    reason: _Reason,
    kinds: _Kinds = None,
    control: ServingOption = "",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a source now, beside the schedule, for a reason.

    What came of it is recorded, the reason too. While the daemon runs it does the reading and this command waits
    for it; else this process reads. Ends with 5 when any run failed, with 7 on a store that was put back.

    \b
    Example: evidenced snapshot --source aws:prod --kind 'aws.iam.*' \\
                 --reason 'joiners of March, ticket 1207'
    """
    from collector.ask.snapshot import answer
    from collector.ask.triggers import Wanted, snapshot_request
    from collector.clock import SystemClock
    from collector.plan import build_plan
    from collector.tag import load_controls

    settings, connectors = load(config)
    clock, by = SystemClock(), actor(by)
    request = snapshot_request(
        build_plan(settings, connectors, {}, {}),
        load_controls(settings.controls_path),
        Wanted(source, reason, tuple(kinds or ()), control),
        actor=by,
        at=clock.now(),
    )
    with opened(settings, create=True) as store, interrupts() as interrupted:
        found = answer(
            store,
            request,
            config=settings,
            connectors=connectors,
            clock=clock,
            progress=progress,
            interrupted=interrupted,
        )
    if as_json:
        show_json({"request": found.request, "runs": found.runs, "read_by": "this process" if found.here else "daemon"})
    else:
        show(*_answer(found))
    raise typer.Exit(SOURCE if found.failed or not found.runs else 0)


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Remember Ctrl-C: a KeyboardInterrupt that is raised in a finaliser or a callback is swallowed there and lost."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield lambda: bool(heard)
    finally:
        signal.signal(signal.SIGINT, before)


def _answer(found: Answer) -> Iterator[Part]:
    rows = [[run.id, run.subject.kind, run.subject.scope, came_of(run)] for run in found.runs]
    yield Table(["run", "kind", "scope", "outcome"], rows)
    yield ""
    yield f"request {found.request.id}: {plural(len(rows), 'run')}, {len(found.failed)} failed"
    if found.failed:
        yield f"why: evidenced run show {found.failed[0].id}"

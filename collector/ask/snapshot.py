"""Ad hoc snapshots: what is asked for, and waiting until it is answered, by the daemon or by this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from collector.ask.kinds import unknown_kind
from collector.clock import Clock
from collector.connector import Connector
from collector.errors import QueryError
from collector.model import Period, Run, SnapshotRequest

if TYPE_CHECKING:
    from collector.config import Config
    from collector.plan import Plan, PlannedSource
    from collector.store import RunOutcome, Store
    from collector.tag import ControlSet

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Answer:
    """What a snapshot request came to: *runs* in subject order; *here* says that this process read the source."""

    request: SnapshotRequest
    runs: tuple[RunOutcome, ...]
    here: bool

    @property
    def failed(self) -> tuple[RunOutcome, ...]:
        """The runs that gave no whole answer."""
        return tuple(run for run in self.runs if run.reason is not None)


def snapshot_request(
    plan: Plan,
    controls: ControlSet,
    *,
    source: str,
    patterns: tuple[str, ...] = (),
    control: str = "",
    reason: str,
    actor: str,
    at: datetime,
) -> SnapshotRequest:
    """Return the request for the kinds of *source* that match *patterns* (none: all) and serve *control*.

    Raises `QueryError` for an unknown source, kind or control, for a kind that the configuration excludes, and when
    nothing is left to read.
    """
    if not reason.strip():
        raise QueryError("a snapshot needs a reason", hint="It is kept with the evidence: --reason 'incident 42'.")
    planned = _source(plan, source)
    names = _matching(planned, patterns) if patterns else _enabled(planned)
    if control:
        served = _kinds_of(controls, control)
        names = [name for name in names if any(fnmatchcase(name, pattern) for pattern in served)]
    if not names:
        serving = f" that serves {control}" if control else ""
        raise QueryError(f"{source} has no enabled kind{serving}", hint="See `evidenced plan show`.")
    # All kinds are asked for as such: a kind that the plan gains before the daemon looks belongs to it.
    everything = not patterns and not control
    return SnapshotRequest(source, () if everything else tuple(names), reason.strip(), actor, at)


def answer(
    store: Store,
    request: SnapshotRequest,
    *,
    config: Config,
    connectors: Mapping[str, Connector],
    clock: Clock,
    progress: Callable[[str], None],
    interrupted: Callable[[], bool] = lambda: False,
) -> Answer:
    """Record *request* and return once it is answered: by the daemon that holds the store, else by this process.

    Raises `StoreError`, `HistoryError` when the store is not the one that gave out its checkpoints (nothing is appended
    then), and KeyboardInterrupt once *interrupted*: the request stays recorded, for the next daemon.
    """
    from collector.daemon import require_whole_alone, running, snapshot_here

    whole = require_whole_alone(config, store)
    request = replace(request, id=store.request_snapshot(request))
    tell: Callable[[Run], None] = lambda run: progress(_line(run))  # noqa: E731
    here = told = False
    while any(each.id == request.id for each in store.pending_requests()):
        if interrupted():
            raise KeyboardInterrupt
        if running(store):
            if not told:
                progress(f"request {request.id} is with the daemon; waiting for it")
            told = True
            clock.sleep(_POLL_SECONDS)
            continue
        here = True
        # The daemon that was there at first may have ended because of what it found.
        whole = whole or require_whole_alone(config, store)
        if not whole or snapshot_here(config, connectors, store, clock, request, done=tell) is None:
            clock.sleep(_POLL_SECONDS)
    return Answer(request, _runs(store, request, clock.now()), here)


def _runs(store: Store, request: SnapshotRequest, now: datetime) -> tuple[RunOutcome, ...]:
    period = Period(request.at, max(now, request.at) + timedelta(milliseconds=1))
    answers = [sweep for sweep in store.sweeps(period, request.source) if sweep.request == request.id]
    return tuple(sorted((run for sweep in answers for run in sweep.runs), key=lambda run: run.subject))


def _line(run: Run) -> str:
    came_of_it = f"{run.outcome}: {run.reason}" if run.reason else str(run.detail)
    return f"{run.subject.kind} {run.subject.scope}: {came_of_it}"


def _source(plan: Plan, name: str) -> PlannedSource:
    known = {each.name: each for each in plan.sources}
    if name not in known:
        raise QueryError(
            f"the configuration has no source {name!r}", hint=f"It has: {', '.join(sorted(known)) or 'none'}."
        )
    return known[name]


def _enabled(planned: PlannedSource) -> list[str]:
    return [kind.name for kind in planned.kinds if not kind.excluded]


def _matching(planned: PlannedSource, patterns: tuple[str, ...]) -> list[str]:
    chosen: list[str] = []
    for pattern in patterns:
        found = [kind for kind in planned.kinds if fnmatchcase(kind.name, pattern)]
        if not found:
            raise unknown_kind(pattern, [kind.name for kind in planned.kinds])
        enabled = [kind.name for kind in found if not kind.excluded]
        if not enabled:
            raise QueryError(
                f"{found[0].name} is not read from {planned.name}: {found[0].excluded}",
                hint="Enable it in the configuration first.",
            )
        chosen += enabled
    return sorted(set(chosen))


def _kinds_of(controls: ControlSet, name: str) -> tuple[str, ...]:
    known = {each.id: each for each in controls.controls}
    if name not in known:
        raise QueryError(f"there is no control {name!r}", hint=f"There are: {', '.join(sorted(known))}.")
    return tuple(known[name].kinds)

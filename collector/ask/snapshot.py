"""Ad hoc snapshots: waiting until a request is answered, by the daemon or by this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collector.ask.triggers import trigger
from collector.clock import Clock
from collector.connector import Connector
from collector.model import Run, SnapshotRequest
from collector.running import running

if TYPE_CHECKING:
    from collector.config import Config
    from collector.store import RunOutcome, Store

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
    from collector.daemon import require_whole_alone, snapshot_here

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
    return Answer(request, trigger(store, request.id).runs, here)


def _line(run: Run) -> str:
    came_of_it = f"{run.outcome}: {run.reason}" if run.reason else str(run.detail)
    return f"{run.subject.kind} {run.subject.scope}: {came_of_it}"

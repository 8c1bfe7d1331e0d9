"""Ad hoc triggers: what may be asked for by hand, recorded for the daemon, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from collector.ask.kinds import unknown_kind
from collector.ask.notes import note_of
from collector.ask.plans import in_force, recorded_plans
from collector.errors import QueryError
from collector.model import SnapshotRequest

if TYPE_CHECKING:
    from datetime import datetime

    from collector.plan import Plan, PlannedSource
    from collector.store import RunOutcome, Store
    from collector.tag import ControlSet


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read by hand, and why: the kinds of *source* that match *patterns* (none: all) and serve *control*.

    An empty *control* is any.
    """

    source: str
    reason: str
    patterns: tuple[str, ...] = ()
    control: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A snapshot request as recorded, the *runs* made for it so far, and whether it is *answered*: no more come."""

    request: SnapshotRequest
    answered: bool
    runs: tuple[RunOutcome, ...]


def queue(store: Store, controls: ControlSet, wanted: Wanted, *, actor: str, at: datetime) -> Trigger:
    """Record a request for the daemon, checked against the plan in force, and return it.

    Raises `QueryError` as `snapshot_request`, for a reason that holds a secret, and when no plan is recorded.
    """
    note_of(wanted.reason, "a snapshot needs a reason", "reason")
    plan = in_force(recorded_plans(store), at)
    return trigger(store, store.request_snapshot(snapshot_request(plan, controls, wanted, actor=actor, at=at)))


def trigger(store: Store, number: int) -> Trigger:
    """Return the request *number* and what came of it. Raises `Unknown` when there is none."""
    request = store.snapshot_request(number)
    sweeps = store.answers_to(number)
    runs = sorted((run for each in sweeps for run in each.runs), key=lambda run: run.subject)
    return Trigger(request, any(each.last for each in sweeps), tuple(runs))


def snapshot_request(plan: Plan, controls: ControlSet, wanted: Wanted, *, actor: str, at: datetime) -> SnapshotRequest:
    """Return the request for what is *wanted* of *plan*.

    Raises `QueryError` for an unknown source, kind or control, for a kind that the configuration excludes, and when
    nothing is left to read.
    """
    if not wanted.reason.strip():
        raise QueryError("a snapshot needs a reason", hint="It is kept with the evidence: --reason 'incident 42'.")
    planned = _source(plan, wanted.source)
    names = _matching(planned, wanted.patterns) if wanted.patterns else _enabled(planned)
    if wanted.control:
        served = _kinds_of(controls, wanted.control)
        names = [name for name in names if any(fnmatchcase(name, pattern) for pattern in served)]
    if not names:
        serving = f" that serves {wanted.control}" if wanted.control else ""
        raise QueryError(f"{wanted.source} has no enabled kind{serving}", hint="See `evidenced plan show`.")
    # All kinds are asked for as such: a kind that the plan gains before the daemon looks belongs to it.
    everything = not wanted.patterns and not wanted.control
    kinds = () if everything else tuple(names)
    return SnapshotRequest(wanted.source, kinds, wanted.reason.strip(), actor, at)


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

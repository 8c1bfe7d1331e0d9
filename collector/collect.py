"""One run: read a kind in a scope, whatever comes of it, and say how it differs from the last good population.

The one catch-all of the codebase is here, around the *iteration*: a reader is a generator and raises when consumed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from collector.canonical import canonical
from collector.clock import Clock, iso
from collector.connector import Reading, Session
from collector.coverage import LOST
from collector.errors import EvidencedError, ReadError, StoreError, Truncated, Unavailable
from collector.intake import Population, Stage
from collector.model import (
    Counts,
    Detail,
    Head,
    Observation,
    Outcome,
    Principal,
    Provenance,
    Reason,
    Redaction,
    Run,
    Scope,
    Subject,
    Trigger,
    Window,
)
from collector.plan import UNRESOLVED
from collector.procedure import Kind
from collector.redact import scrub, without_people
from collector.schedule import parse_duration
from collector.sealer import Sealer
from collector.source import Visit, require_account

SKEW_WARNING_MS = 120_000


@dataclass(frozen=True)
class Task:
    """One run to be made: what to read, for which slot, and why; *account* is where the source is, if that is known."""

    subject: Subject
    kind: Kind
    scope: Scope
    due: datetime
    trigger: Trigger
    provenance: Provenance
    account: str = ""
    sealed: bool = False


def collect(
    opening: Visit,
    task: Task,
    head: Head,
    *,
    clock: Clock,
    limit: timedelta,
    stage: Stage,
    stopping: threading.Event,
    sealer: Sealer | None = None,
) -> Observation:
    """Return what came of reading *task*: an observation whatever opening the source or reading it raises.

    *head* is the last good population to compare with. A failed read gives an observation without changes, whose
    run says the reason. *stage* may be called with contents ahead of the observation that names them; the
    `StoreError` it may raise is the caller's to handle, for the store's trouble is not the source's. A *sealer* seals
    what comes of it.
    """
    started = clock.now()
    window, lost = window_of(task.kind, head, started)
    reading = Reading(clock, clock.monotonic() + limit.total_seconds(), window=window, stopping=stopping)
    day = started.astimezone(UTC).date().isoformat()
    keep_volatile = bool(task.kind.volatile) and (task.trigger is Trigger.ADHOC or head.volatile_day != day)
    population = Population(task.kind, task.scope, head, stage, keep_volatile)
    principal, failure = _read(opening, task, reading, population)
    run = Run(
        subject=task.subject,
        due=task.due,
        trigger=task.trigger,
        provenance=task.provenance,
        started=started,
        finished=clock.now(),
        outcome=Outcome.FAILED,
        principal=principal,
        operations=reading.calls.operations(),
        skew_ms=reading.calls.skew_ms,
        window=window,
        watermark_before=head.watermark,
        redactions=tuple(Redaction(path, rule, n) for (path, rule), n in sorted(population.redactions.items())),
    )
    if failure is not None:
        run = failed(run, failure) if sealer is None else sealer.failed(run, failure)
        hint = f"{run.hint} {_forgotten(task.kind, head)}".strip()
        return Observation(replace(run, hint=hint), events=task.kind.since is not None)
    found = _collected(replace(run, message=_remarks(lost, run.skew_ms)), population)
    return found if sealer is None else sealer.seal(found, population.contents)


def failed(run: Run, error: Exception) -> Run:
    """Return *run* as failed for *error*: the reason of a `ReadError`, else ``internal`` with the error's type."""
    reason, message, hint = explained(error)
    return replace(run, outcome=Outcome.FAILED, detail=None, reason=reason, message=message, hint=hint)


def explained(error: BaseException) -> tuple[Reason, str, str]:
    """Return the reason, the message and the hint for *error*, as they may be stored: bounded, no secret, no person."""
    if isinstance(error, ReadError):
        reason, message, hint = error.reason, error.message, error.hint()
    elif isinstance(error, EvidencedError):
        reason, message, hint = Reason.MISCONFIGURED, error.message, error.hint()
    else:
        reason, message = Reason.INTERNAL, f"{type(error).__name__}: {error}"
        hint = "This is a defect of the connector; report it with the run's sheet."
    return reason, without_people(scrub(message))[:2000], without_people(scrub(hint))[:500]


def window_of(kind: Kind, head: Head, now: datetime) -> tuple[Window | None, Window | None]:
    """Return the window to ask an event kind for, and the interval that is lost because the source forgot it.

    The window starts at the watermark less the overlap, at the first reading at the horizon; both are None for a
    kind of state. *now* and the results are UTC.
    """
    if kind.since is None:
        return None, None
    horizon = now - parse_duration(kind.since.horizon)
    if head.watermark is None:
        return Window(horizon, now), None
    # A clock that was set back may be behind the watermark; no window ends before it begins.
    since = min(head.watermark, now) - parse_duration(kind.since.overlap)
    lost = Window(head.watermark, horizon) if head.watermark < horizon else None
    return Window(max(since, horizon), now), lost


def _read(opening: Visit, task: Task, reading: Reading, population: Population) -> tuple[Principal, Exception | None]:
    principal = Principal("")
    try:
        session, principal = opening()
        require_account(task.account, principal)
        _require_scope(task, session)
        for item in session.read(task.kind, task.scope, reading):
            population.add(item)
            reading.check()
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001
        return principal, error
    return principal, _incomplete(reading)


def _incomplete(reading: Reading) -> Truncated | None:
    for calls in reading.calls.operations():
        if not calls.drained:
            return Truncated(f"{calls.operation} offered more than was read")
        if calls.total is not None and calls.items < calls.total:
            return Truncated(f"{calls.operation} gave {calls.items} of the {calls.total} items that the source counts")
    return None


def _require_scope(task: Task, session: Session) -> None:
    """Raise why the scopes of the level are not known; what stands in for them is no place to read."""
    if task.scope.name == UNRESOLVED:
        session.scopes()
        raise Unavailable(f"the source has not named a {task.scope.level} yet", hint="It is asked again in minutes.")


def _collected(run: Run, population: Population) -> Observation:
    changes = population.changes()
    population.head.prepared = population.known()
    gone = sum(change.artifact is None for change in changes)
    added = sum(change.artifact is not None and change.key_digest not in population.head.contents for change in changes)
    counts = Counts(len(population.contents), added, len(changes) - added - gone, gone)
    detail = Detail.EMPTY if not counts.items else Detail.CHANGED if changes else Detail.UNCHANGED
    run = replace(
        run,
        outcome=Outcome.COLLECTED,
        detail=detail,
        counts=counts,
        population=population.root(changes),
        watermark_after=run.window.until if run.window else None,
    )
    volatile = canonical(population.volatile) if population.volatile else None
    return Observation(run, changes, population.artifacts(), volatile, events=population.kind.since is not None)


def _remarks(lost: Window | None, skew_ms: int | None) -> str:
    remarks = []
    if lost is not None:
        remarks.append(f"events from {iso(lost.since)} to {iso(lost.until)} {LOST}")
    if skew_ms is not None and abs(skew_ms) > SKEW_WARNING_MS:
        side = "ahead of" if skew_ms > 0 else "behind"
        remarks.append(f"our clock is {abs(skew_ms) // 1000} s {side} the source's")
    return "; ".join(remarks)


def _forgotten(kind: Kind, head: Head) -> str:
    """Return from when on the source forgets what an event kind has left unread; empty for a kind of state."""
    if kind.since is None or head.watermark is None:
        return ""
    end = iso(head.watermark + parse_duration(kind.since.horizon))
    return f"Events since {iso(head.watermark)} are unread; the source forgets them from {end} on."

"""How the collecting goes right now: the daemon, each source, what fails and has not been read well since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collector.ask.plans import recorded_plans
from collector.ask.signed_log import LogStatus, log_status
from collector.model import Outcome, Period, Run, Subject
from collector.plan import Plan, PlannedSource
from collector.running import running
from collector.schedule import slots

if TYPE_CHECKING:
    from collector.config import Config
    from collector.store import Store

# Longer than the longest usual cadence, a month, so that what failed at its last slot is seen.
_LOOK_BACK = timedelta(days=40)
_LOOK_AHEAD = timedelta(days=40)
_MOST_FAILURES = 1_000


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One planned source. *accounted_until*: every slot due by then has an outcome; *last* is the newest run."""

    source: str
    kinds: int
    scopes: int
    last: Run | None
    accounted_until: datetime | None
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class OpenFailure:
    """A planned subject whose newest run failed: *last_good* is when it was last read well, None for never."""

    subject: Subject
    run: Run
    last_good: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one installation at *at*. *size* is what the store takes, in bytes."""

    at: datetime
    store: str
    size: int
    daemon_running: bool
    plan_version: int | None
    plan_valid_from: datetime | None
    sources: tuple[SourceStatus, ...]
    failures: tuple[OpenFailure, ...]
    waiting_requests: int
    log: LogStatus | None = None


def status(store: Store, *, now: datetime, config: Config | None = None) -> Status:
    """Return how the collecting goes at *now*. Raises `StoreError`."""
    plans = recorded_plans(store)
    plan = plans[-1] if plans else None
    return Status(
        at=now,
        store=store.id,
        size=store.size(),
        daemon_running=running(store),
        plan_version=plan.version if plan else None,
        plan_valid_from=plan.valid_from if plan else None,
        sources=tuple(_source(store, plan, each, now) for each in plan.sources) if plan else (),
        failures=tuple(sorted(_open_failures(store, plan, now), key=lambda each: each.subject)) if plan else (),
        waiting_requests=len(store.pending_requests()),
        log=log_status(store, config, now) if config else None,
    )


def _source(store: Store, plan: Plan, planned: PlannedSource, now: datetime) -> SourceStatus:
    newest = store.runs(source=planned.name, limit=1)
    ahead = slots(plan, Period(now, now + _LOOK_AHEAD), planned.name)
    return SourceStatus(
        source=planned.name,
        kinds=sum(not kind.excluded for kind in planned.kinds),
        scopes=sum(not scope.excluded for scope in planned.scopes),
        last=newest[0] if newest else None,
        accounted_until=store.accounted_until(planned.name),
        next_due=next((slot.due for slot in ahead if not plan.excluded(slot.subject)), None),
    )


def _open_failures(store: Store, plan: Plan, now: datetime) -> Iterator[OpenFailure]:
    planned = {subject for subject, _, _ in plan.subjects() if not plan.excluded(subject)}
    seen: set[Subject] = set()
    period = Period(now - _LOOK_BACK, now + timedelta(milliseconds=1))
    for run in store.runs(period, outcome=Outcome.FAILED, limit=_MOST_FAILURES):
        if run.subject in seen or run.subject not in planned:
            continue
        seen.add(run.subject)
        good, _ = store.observations(run.subject, now)
        if good is None or good.finished < run.finished:
            yield OpenFailure(run.subject, run, good.finished if good else None)

"""Read one source: open it once, make the runs of a sweep side by side, record them in bounded parts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

import collector
from collector.clock import Clock, iso
from collector.collect import SKEW_WARNING_MS, Task, collect
from collector.connector import Session
from collector.due import Order
from collector.errors import IntegrityError, StoreError
from collector.heads import Heads
from collector.model import (
    Artifact,
    Head,
    Observation,
    Outcome,
    Principal,
    Provenance,
    Run,
    Sweep,
    Trigger,
    show_digest,
)
from collector.plan import PlannedKind, PlannedSource
from collector.schedule import parse_duration
from collector.sealer import Sealer
from collector.sealing import NOT_AT_HAND
from collector.source import Source, Visit, visit
from collector.store import Store
from collector.tag import ControlSet, controls_for
from collector.watch import NOBODY, Watcher

PART_RUNS = 500
PART_SECONDS = 60.0
_RETRY_STORE_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Swept:
    """What a sweep came to: the recorded runs, with their ids."""

    sweeps: tuple[int, ...]
    runs: tuple[Run, ...]


class Sweeper:
    """Makes sweeps; one instance a process. *controls* gives the control set in force when a sweep is made."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        controls: Callable[[], ControlSet],
        stopping: threading.Event,
        watcher: Watcher = NOBODY,
    ) -> None:
        self._watcher = watcher
        self._store = store
        self._clock = clock
        self._controls = controls
        self._stopping = stopping
        self._heads = Heads(store)
        self._log = structlog.get_logger("sweep")

    def sweep(
        self,
        source: Source,
        planned: PlannedSource,
        plan_version: int,
        orders: Sequence[Order],
        *,
        request: int = 0,
        done: Callable[[Run], None] = lambda _: None,
    ) -> Swept:
        """Make every run of *orders* and record each; *done* hears of a run when it is made.

        The caller holds the source (`Store.lock`), so that no other process reads it meanwhile. While the store is away
        what was read is kept and tried again; told to stop meanwhile, this raises `StoreError`.
        """
        self._heads.refresh(source.name)
        tasks = self._tasks(source, planned, plan_version, orders)
        began = self._clock.monotonic()
        with visit(source, self._clock) as opening:
            parts = self._parts(source, opening, tasks, done)
            swept = self._record(source.name, orders, plan_version, request, parts)
        self._watcher.recorded(source.name, swept.runs, self._clock.monotonic() - began)
        return swept

    def _tasks(self, source: Source, planned: PlannedSource, plan_version: int, orders: Sequence[Order]) -> list[Task]:
        known = source.connector.kinds()
        places = {subject: (kind, scope) for subject, kind, scope in planned.subjects()}
        tasks = []
        for order in orders:
            planned_kind, scope = places[order.subject]
            kind = known[planned_kind.name]
            provenance = self._provenance(source, planned, planned_kind, plan_version)
            tasks.append(
                Task(
                    order.subject,
                    kind,
                    scope,
                    order.due,
                    order.trigger,
                    provenance,
                    planned.account,
                    planned_kind.sealed,
                )
            )
        return tasks

    def _provenance(
        self, source: Source, planned: PlannedSource, planned_kind: PlannedKind, plan_version: int
    ) -> Provenance:
        kind = source.connector.kinds()[planned_kind.name]
        return Provenance(
            connector=source.connector.name,
            connector_version=source.connector.version,
            collector_version=collector.__version__,
            procedure=show_digest(kind.digest),
            config=planned.config,
            plan_version=plan_version,
            criteria=planned_kind.criteria,
            controls=controls_for(kind.name, self._clock.now(), self._controls()),
            grants=source.connector.grants(kind),
        )

    def _parts(
        self,
        source: Source,
        opening: Visit,
        tasks: Sequence[Task],
        done: Callable[[Run], None],
    ) -> Iterator[tuple[list[Observation], bool]]:
        """Yield observations in parts of at most a minute or `PART_RUNS`, and whether the part is the last."""
        limit = parse_duration(source.settings.run_limit)
        part: list[Observation] = []
        since = time.monotonic()
        with ThreadPoolExecutor(source.settings.concurrency, thread_name_prefix=f"run-{source.name}") as pool:
            waiting: set[Future[Observation]] = {
                pool.submit(self._collect, opens, task, head, limit, sealer)
                for task in tasks
                for opens, head, sealer in [self._prepared(opening, task)]
            }
            while waiting:
                finished, waiting = wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in finished:
                    part.append(future.result())
                    self._tell(part[-1].run)
                    done(part[-1].run)
                full = len(part) >= PART_RUNS or (part and time.monotonic() - since > PART_SECONDS)
                if full and waiting:
                    yield part, False
                    part, since = [], time.monotonic()
        yield part, True

    def _prepared(self, opening: Visit, task: Task) -> tuple[Visit, Head, Sealer | None]:
        """Return how *task* opens its source, what it is compared with, and what seals it.

        Where the key is not at hand nothing is read: what could not be sealed must not be kept.
        """
        if not task.sealed:
            return opening, self._heads.get(task.subject), None
        try:
            key = self._store.sealing.key_of(task.subject)
            head = self._heads.get(task.subject, sealed=True)
        except (*NOT_AT_HAND, IntegrityError) as error:
            return partial(_refuse, error), self._store.head(task.subject), None
        return opening, head, Sealer(self._store, head, key, tuple(task.kind.redact))

    def _collect(self, opening: Visit, task: Task, head: Head, limit: timedelta, sealer: Sealer | None) -> Observation:
        stage = self._stage if sealer is None else partial(self._stage_sealed, sealer)
        with self._watcher.reading(task.subject.source):
            return collect(
                opening,
                task,
                head,
                clock=self._clock,
                limit=limit,
                stage=stage,
                stopping=self._stopping,
                sealer=sealer,
            )

    def _record(
        self,
        source: str,
        orders: Sequence[Order],
        plan_version: int,
        request: int,
        parts: Iterable[tuple[list[Observation], bool]],
    ) -> Swept:
        due = max((order.due for order in orders), default=self._clock.now())
        trigger = next((each for each in _RANK if any(order.trigger is each for order in orders)), Trigger.ADHOC)
        sweeps: list[int] = []
        runs: list[Run] = []
        for number, (part, last) in enumerate(parts):
            observations = tuple(sorted(part, key=lambda each: each.run.subject))
            sweep = Sweep(source, due, trigger, plan_version, observations, number, last, request)
            receipt = self._persist(lambda sweep=sweep: self._store.append(sweep))  # type: ignore[misc]
            self._heads.recorded(source, receipt.sweep, observations)
            sweeps.append(receipt.sweep)
            self._log.info("recorded", **_summary(sweep, receipt.sweep))
            runs += [replace(each.run, id=name) for each, name in zip(observations, receipt.runs, strict=True)]
        return Swept(tuple(sweeps), tuple(runs))

    def _stage(self, artifacts: Iterable[Artifact]) -> None:
        held = tuple(artifacts)
        self._persist(lambda: self._store.stage(held))

    def _stage_sealed(self, sealer: Sealer, artifacts: Iterable[Artifact]) -> None:
        self._stage(sealer.stage(artifacts))

    def _persist(self, write: Callable[[], _T]) -> _T:
        """Return what *write* returns, trying again for as long as the store is away and nobody stops us."""
        for attempt in range(1_000_000):
            try:
                return write()
            except StoreError as error:
                wait_s = _RETRY_STORE_S[min(attempt, len(_RETRY_STORE_S) - 1)]
                self._log.error(
                    "the store does not take what was read; it is kept and tried again",
                    error=error.message,
                    hint=error.hint(),
                    wait_s=wait_s,
                )
                if self._stopping.wait(wait_s):
                    raise
        raise StoreError("the store stayed away")

    def _tell(self, run: Run) -> None:
        known = {"source": run.subject.source, "kind": run.subject.kind, "scope": run.subject.scope}
        if run.outcome is Outcome.FAILED:
            self._log.warning("run failed", **known, reason=str(run.reason), message=run.message, hint=run.hint or None)
            return
        self._log.debug("collected", **known, detail=str(run.detail), items=run.counts.items)
        if run.skew_ms is not None and abs(run.skew_ms) > SKEW_WARNING_MS:
            self._log.warning("clocks differ", **known, skew_s=run.skew_ms // 1000)


def _refuse(error: Exception) -> tuple[Session, Principal]:
    raise error


# A sweep that carries a scheduled run counts as scheduled: it is what accounts for the slots up to its due time.
_RANK = (Trigger.SCHEDULE, Trigger.CATCH_UP, Trigger.BACKFILL, Trigger.ADHOC)


def _summary(sweep: Sweep, number: int) -> dict[str, str | int]:
    outcomes = Counter(str(each.run.detail or each.run.outcome) for each in sweep.observations)
    return {"source": sweep.source, "sweep": number, "due": iso(sweep.due), "trigger": str(sweep.trigger), **outcomes}

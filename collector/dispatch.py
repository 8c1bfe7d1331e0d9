"""Decide what to read now and see that every slot ends in a recorded outcome (design 5).

One job at a time per source: discover its scopes, record what passed, sweep what is due, answer snapshot requests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import structlog

from collector.canonical import canonical
from collector.clock import Clock
from collector.config import Config, source_digest
from collector.connector import Connector
from collector.discovery import Discovery
from collector.due import Due, Order, due, missed
from collector.encryption import keyring
from collector.errors import BusyError, EvidencedError
from collector.model import Artifact, Period, Run, Slot, SnapshotRequest, Subject, Sweep, Trigger
from collector.plan import Plan, PlannedSource, build_plan, changes
from collector.schedule import parse_duration, slots_through
from collector.source import Source
from collector.store import Store
from collector.sweep import Sweeper, Swept
from collector.tag import ControlSet, load_controls
from collector.watch import NOBODY, Watcher

_MS = timedelta(milliseconds=1)


class Dispatcher:
    """Keeps the plan in force and runs one job at a time per source.

    `start` before anything else; `tick` often (it only looks and submits); `stop` ends everything in order.
    """

    def __init__(
        self,
        config: Config,
        connectors: Mapping[str, Connector],
        store: Store,
        clock: Clock,
        watcher: Watcher = NOBODY,
    ) -> None:
        self._watcher = watcher
        self._connectors = connectors
        self._store = store
        self._clock = clock
        self._log = structlog.get_logger("dispatch")
        self._stopping = threading.Event()
        self._planning = threading.Lock()
        self._busy: dict[str, Future[None]] = {}
        self._accounted: dict[str, datetime] = {}
        self._unread: dict[str, set[Subject]] = {}
        self._discovery = Discovery(clock)
        self._started = clock.now()
        self._pool = ThreadPoolExecutor(32, thread_name_prefix="source")
        self._plans: list[Plan] = []
        self._configure(config)
        self._sweeper = Sweeper(store, clock, lambda: self._controls, self._stopping, watcher)

    def start(self, *, record: bool = True) -> None:
        """Recall the plans, ask every source for its scopes, record plan and controls where they are new.

        Without *record* (one snapshot by hand, no daemon) nothing is promised to the future: runs are made under the
        version in force, or 0 when there is none.
        """
        self._plans = [Plan.of(each.document, each.version, each.valid_from) for each in self._store.plans()]
        if self._plans:
            self._discovery.recall(self._plans[-1])
        self._discover()
        self._replan(record=record)

    def reload(self, config: Config) -> None:
        """Go on with *config*; what it changes is recorded as a new plan version from now on."""
        self._configure(config)
        self._discover()
        self._replan()

    def tick(self) -> None:
        """Submit a job for every idle source that has something to do. Does not wait for any."""
        requests: dict[str, list[SnapshotRequest]] = {}
        for request in self._store.pending_requests():
            requests.setdefault(request.source, []).append(request)
        for name in {*self._sources, *requests}:
            if self._stopping.is_set() or not self._idle(name):
                continue
            if requests.get(name) or self._waiting(name):
                self._busy[name] = self._pool.submit(self._job, name, requests.get(name, []))
                self._busy[name].add_done_callback(self._ended)

    def settle(self) -> None:
        """Wait until no job is under way."""
        wait(list(self._busy.values()))

    def stop(self) -> None:
        """Let the current calls finish, record every run that was begun, and end. No job starts after this."""
        self._stopping.set()
        self.settle()
        self._pool.shutdown()

    @property
    def plan(self) -> Plan:
        """The plan in force."""
        return self._plans[-1]

    def _configure(self, config: Config) -> None:
        self._store.sealing.keys.use(keyring(config.encryption))
        self._config = config
        self._grace = parse_duration(config.plan.grace)
        self._controls: ControlSet = load_controls(config.controls_path)
        self._sources = {
            name: Source(name, self._connectors[settings.connector], settings)
            for name, settings in config.sources.items()
        }

    def _idle(self, name: str) -> bool:
        job = self._busy.get(name)
        return job is None or job.done()

    def _waiting(self, name: str) -> bool:
        if self._unread.get(name) or (name in self._sources and self._discovery.stale(name)):
            return True
        return next(self._pending(name, self._clock.now()), None) is not None

    def _pending(self, name: str, now: datetime) -> Iterator[Slot]:
        since = self._accounted_until(name)
        return slots_through(self._plans, Period(since + _MS, now + _MS), name)

    def _accounted_until(self, name: str) -> datetime:
        if name not in self._accounted:
            first = next(each.valid_from for each in self._plans if each.valid_from is not None)
            self._accounted[name] = self._store.accounted_until(name) or first - _MS
        return self._accounted[name]

    def _discover(self) -> None:
        for answer in [self._pool.submit(self._discovery.ask, source) for source in self._sources.values()]:
            answer.add_done_callback(self._ended)
            wait([answer])

    def _ended(self, job: Future[None]) -> None:
        """Say how a job died; its slots stay pending and are seen again at the next tick."""
        error = job.exception()
        if isinstance(error, BusyError):
            self._log.info("not read now", error=error.message)
        elif isinstance(error, EvidencedError):
            self._log.error("job ended early", error=error.message, hint=error.hint() or None)
        elif error is not None:
            self._log.error("job failed", exc_info=error)

    def _replan(self, *, record: bool = True) -> None:
        """Record the plan and the controls when they differ from those in force."""
        with self._planning:
            plan = build_plan(self._config, self._connectors, self._discovery.scopes, self._discovery.accounts)
            before = self._plans[-1] if self._plans else None
            now = self._clock.now()
            if before is None or before.digest != plan.digest:
                self._store.stage(self._documents())
            if not record:
                self._plans.append(Plan.of(plan.document(), before.version if before else 0, now))
                return
            known = self._store.controls()
            if not known or known[-1].digest != self._controls.digest:
                self._store.append_controls(self._controls.document(), self._controls.digest, now)
            if before is None or before.digest != plan.digest:
                version = self._store.append_plan(plan.document(), plan.digest, now)
                plan = Plan.of(plan.document(), version, now)
                self._plans.append(plan)
                self._log.info("plan", version=version, changes=changes(before, plan) if before else ["first plan"])
            self._note_unread(before, self.plan)

    def _documents(self) -> list[Artifact]:
        """Return what the plan and every run name by digest, for an auditor to read: procedures and settings."""
        documents: dict[bytes, bytes] = {}
        for source in self._sources.values():
            documents[source_digest(source.settings)] = canonical(source.settings.model_dump(mode="json"))
            for kind in source.connector.kinds().values():
                documents[kind.digest] = canonical(kind.document())
        return [Artifact(digest, data) for digest, data in documents.items()]

    def _note_unread(self, before: Plan | None, plan: Plan) -> None:
        """What the plan newly asks for is read at once, not at its first slot, which may be a month away."""
        old = {subject for source in before.sources for subject, _, _ in source.subjects()} if before else set()
        for source in plan.sources:
            new = {subject for subject, _, _ in source.subjects() if not plan.excluded(subject)} - old
            self._unread.setdefault(source.name, set()).update(new)

    def _job(self, name: str, requests: list[SnapshotRequest]) -> None:
        if name in self._sources and self._discovery.stale(name):
            self._discovery.ask(self._sources[name])
            self._replan()
        for request in requests:
            self.snapshot(request)
        # Held before anything is recorded: a source that is busy elsewhere is looked at again, and nothing said twice.
        with self._store.lock(_hold(name)):
            self._due(name)

    def _require_settled(self, name: str) -> None:
        """Raise `BusyError` while *name* has other settings than the plan names: a reload waits for what it asked."""
        source, planned = self._sources.get(name), self.plan.source(name)
        if source and planned and not planned.config.endswith(source_digest(source.settings).hex()):
            raise BusyError(f"the settings of {name} are being changed")

    def _due(self, name: str) -> None:
        self._require_settled(name)
        since, now = self._accounted_until(name), self._clock.now()
        plan = self.plan
        found = due(
            self._pending(name, now),
            now=now,
            grace=self._grace,
            recorded=self._recorded(name, since, now),
            skipped=lambda subject: bool(plan.excluded(subject)),
        )
        for record in missed(
            found, source=name, since=since, until=now + _MS, plan_version=plan.version, cause=self._cause
        ):
            self._store.append_missed(record)
            self._log.warning("slots missed", source=name, cause=record.cause, slots=len(found.passed))
        if found.passed:
            self._watcher.missed(name, len(found.passed))
        source, planned = self._sources.get(name), plan.source(name)
        if source is None or planned is None:
            self._accounted[name] = now
            return
        orders = self._orders(planned, found, plan, now)
        if orders:
            self._sweeper.sweep(source, planned, plan.version, orders)
        self._unread.get(name, set()).difference_update(order.subject for order in orders)
        self._accounted[name] = now

    def _orders(self, source: PlannedSource, found: Due, plan: Plan, now: datetime) -> list[Order]:
        """Return the runs to make: what is due and still planned, and what was never read."""
        planned = {subject for subject, _, _ in source.subjects() if not plan.excluded(subject)}
        orders = {order.subject: order for order in found.orders if order.subject in planned}
        for subject in self._unread.get(source.name, set()) & planned:
            orders.setdefault(subject, Order(subject, now, Trigger.CATCH_UP))
        return sorted(orders.values())

    def _recorded(self, name: str, since: datetime, now: datetime) -> set[Slot]:
        """Return the slots after *since* that a sweep cut short by a crash has recorded already."""
        sweeps = self._store.sweeps(Period(since + _MS, now + _MS), name)
        return {
            Slot(run.subject, run.due) for sweep in sweeps if sweep.trigger is not Trigger.ADHOC for run in sweep.runs
        }

    def _cause(self, at: datetime) -> str:
        return "the daemon was not running" if at < self._started else "the reading before had not finished"

    def snapshot(self, request: SnapshotRequest, done: Callable[[Run], None] = lambda _: None) -> Swept | None:
        """Read what *request* asks for and record it under its id; None when another process is doing so."""
        try:
            with self._store.lock(f"request:{request.id}"):
                if all(each.id != request.id for each in self._store.pending_requests()):
                    return None
                with self._store.lock(_hold(request.source)):
                    return self._answer(request, done)
        except BusyError:
            return None

    def _answer(self, request: SnapshotRequest, done: Callable[[Run], None]) -> Swept:
        self._require_settled(request.source)
        source, planned = self._sources.get(request.source), self.plan.source(request.source)
        if source is None or planned is None:
            # The source left the plan after the request was made; an empty sweep ends the request for the asker.
            return Swept((self._store.append(_nothing(request, self.plan.version)).sweep,), ())
        wanted = set(request.kinds)
        subjects = [
            subject
            for subject, kind, _ in planned.subjects()
            if not self.plan.excluded(subject) and (not wanted or kind.name in wanted)
        ]
        orders = [Order(subject, request.at, Trigger.ADHOC) for subject in subjects]
        return self._sweeper.sweep(source, planned, self.plan.version, orders, request=request.id, done=done)


def _hold(source: str) -> str:
    return f"source:{source}"


def _nothing(request: SnapshotRequest, plan_version: int) -> Sweep:
    return Sweep(request.source, request.at, Trigger.ADHOC, plan_version, (), request=request.id)

"""The daemon: ticks once a second, reloads on SIGHUP, ends in order on SIGTERM; one per store."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from collector.checkpointing import Checkpointing, require_whole
from collector.clock import Clock, iso
from collector.config import Config, load_config
from collector.connector import Connector
from collector.dispatch import Dispatcher
from collector.errors import BusyError, ConfigError, EvidencedError, IntegrityError, StoreError
from collector.metrics import Metrics
from collector.model import Run, SnapshotRequest
from collector.plan import build_plan
from collector.running import DAEMON_LOCK, running
from collector.store import Store, open_store
from collector.sweep import Swept
from collector.upkeep import Upkeep
from collector.verifying import Verifying

TICK_SECONDS = 1.0
LOOPS = ("reading", "checkpoints", "verifying")
_LOCK_ATTEMPTS = 5
_STOP, _RELOAD = "stop", "reload"
_ADD_SOURCE = "Add a source or a kind; the file that `evidenced init` writes shows how."


class Daemon:
    """Collects what the plan asks for until it is told to stop.

    *path* is the config file, read again on `reload`. A daemon is run once.
    """

    def __init__(self, path: Path, config: Config, connectors: Mapping[str, Connector], clock: Clock) -> None:
        self._path = path
        self._config = config
        self._connectors = connectors
        self._clock = clock
        self._log = structlog.get_logger("daemon")
        # Filled by signal handlers: SimpleQueue.put may interrupt anything, an Event's lock would be taken twice.
        self._told: SimpleQueue[str] = SimpleQueue()
        self._away = False
        self._tampered: IntegrityError | None = None

    def run(self) -> None:
        """Run until `stop`.

        Raises `ConfigError` when nothing is planned, `BusyError` when another daemon has the store, `StoreError` when
        there is none, `HistoryError` when it is not the one that gave out its checkpoints: nothing is appended then.
        """
        _refuse_an_empty_plan(self._config, self._connectors)
        store = open_store(self._config.store.url, clock=self._clock)
        try:
            with _sole(store, self._clock):
                self._serve(store)
        finally:
            store.close()

    def stop(self) -> None:
        """Ask for an orderly end: current calls finish, what was read is recorded."""
        self._told.put(_STOP)

    def reload(self) -> None:
        """Ask for the config to be read again; a wrong one is reported and the old one stays in force."""
        self._told.put(_RELOAD)

    def handle_signals(self) -> None:
        """Let SIGTERM and SIGINT stop this daemon and SIGHUP reload it; main thread only."""
        stop: Callable[[int, FrameType | None], None] = lambda *_: self.stop()  # noqa: E731
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, lambda *_: self.reload())

    def _serve(self, store: Store) -> None:
        # Before anything is appended: a store that was put back must not go on as if nothing were lost.
        unasked = require_whole(self._config, store)
        verifying = Verifying(self._config, store, self._clock)
        metrics = Metrics(self._config, store, self._clock, verifying, LOOPS)
        try:
            metrics.configure(self._config)
            checkpointing = Checkpointing(self._config, store, self._clock, unasked)
            self._work(store, checkpointing, verifying, metrics)
        finally:
            metrics.stop()
        if self._tampered is not None:
            raise self._tampered

    def _work(self, store: Store, checkpointing: Checkpointing, verifying: Verifying, metrics: Metrics) -> None:
        dispatcher = Dispatcher(self._config, self._connectors, store, self._clock, metrics.heard)
        dispatcher.start()
        upkeep = Upkeep(store, self._clock)

        def verify() -> None:
            upkeep.tick()
            verifying.tick()

        loops = {
            "reading": lambda: self._tick(dispatcher),
            "checkpoints": lambda: self._checkpoint(checkpointing),
            "verifying": verify,
        }
        ticks = _ticking(loops, metrics.heard.went_round)
        self._log.info("started", store=store.id, plan=dispatcher.plan.version, at=iso(self._clock.now()))
        try:
            while self._listen() == _RELOAD:
                self._reconfigure(dispatcher, checkpointing, verifying, metrics)
        finally:
            self._log.info("stopping", waiting_for="the calls under way")
            verifying.stop()
            ticks.shutdown(wait=True)
            dispatcher.stop()
            self._log.info("stopped")

    def _listen(self) -> str:
        """Return what was asked for next; wakes up to look, since a signal just before a wait would sleep with it."""
        while True:
            try:
                return self._told.get(timeout=TICK_SECONDS)
            except Empty:
                continue

    def _tick(self, dispatcher: Dispatcher) -> None:
        try:
            dispatcher.tick()
        except StoreError as error:
            if not self._away:
                self._log.error("the store is away; slots stay due", error=error.message, hint=error.hint())
            self._away = True
        else:
            if self._away:
                self._log.info("the store is back")
            self._away = False

    def _checkpoint(self, checkpointing: Checkpointing) -> None:
        try:
            checkpointing.tick()
        except StoreError as error:
            self._log.warning("no checkpoint while the store is away", error=error.message)
        except IntegrityError as error:
            # The log is not the one that was signed: whatever is appended now would be a second history.
            self._log.error("the log contradicts its checkpoints", error=error.message, hint=error.hint())
            self._tampered = error
            self.stop()

    def _reconfigure(
        self, dispatcher: Dispatcher, checkpointing: Checkpointing, verifying: Verifying, metrics: Metrics
    ) -> None:
        try:
            config = load_config(self._path, self._connectors)
            if config.store != self._config.store:
                raise ConfigError(f"{self._path}: store: cannot change while the daemon runs", hint="Restart it.")
            _refuse_an_empty_plan(config, self._connectors)
            checkpointing.configure(config)
            metrics.configure(config)
            dispatcher.reload(config)
        except EvidencedError as error:
            checkpointing.configure(self._config)
            metrics.configure(self._config)
            self._log.error("not reloaded; the plan stays as it was", error=error.message, hint=error.hint())
            return
        verifying.configure(config)
        self._config = config
        self._log.info("reloaded", plan=dispatcher.plan.version)


def _ticking(jobs: Mapping[str, Callable[[], None]], done: Callable[[str], None]) -> BackgroundScheduler:
    """Run each of *jobs* every `TICK_SECONDS`, each on a thread of its own, none beside itself; then tell *done*."""

    def once(name: str, job: Callable[[], None]) -> None:
        job()
        done(name)

    ticks = BackgroundScheduler(executors={name: ThreadPoolExecutor(1) for name in jobs}, timezone="UTC")
    for name, job in jobs.items():
        ticks.add_job(
            once,
            "interval",
            args=(name, job),
            seconds=TICK_SECONDS,
            executor=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    ticks.start()
    return ticks


def _refuse_an_empty_plan(config: Config, connectors: Mapping[str, Connector]) -> None:
    """Raise `ConfigError` when nothing would ever be read: a silent daemon looks like a healthy one."""
    plan = build_plan(config, connectors, {}, {})
    if not any(not plan.excluded(subject) for subject, _, _ in plan.subjects()):
        raise ConfigError(f"{config.path}: nothing is planned: no source has a kind to read", hint=_ADD_SOURCE)


@contextmanager
def _sole(store: Store, clock: Clock) -> Iterator[None]:
    with ExitStack() as held:
        for attempt in range(_LOCK_ATTEMPTS):
            try:
                held.enter_context(store.lock(DAEMON_LOCK))
                break
            except BusyError as error:
                # `running` holds the lock for an instant to see whether it is free; that is no other daemon.
                if attempt == _LOCK_ATTEMPTS - 1:
                    raise BusyError(
                        "another daemon is running on this store",
                        hint="Stop it first; `evidenced status` shows its work.",
                    ) from error
                clock.sleep(0.1)
        yield


def require_whole_alone(config: Config, store: Store) -> bool:
    """Compare *store* with who knows its checkpoints, as `run` does, before a command appends to it by itself.

    Return False, and compare nothing, while a daemon holds the store: it did so. Raises `HistoryError`.
    """
    if running(store):
        return False
    require_whole(config, store)
    return True


def snapshot_here(
    config: Config,
    connectors: Mapping[str, Connector],
    store: Store,
    clock: Clock,
    request: SnapshotRequest,
    *,
    done: Callable[[Run], None] = lambda _: None,
) -> Swept | None:
    """Answer *request* (recorded already) in this process, for when no daemon runs; *done* hears of each run.

    Makes no promise to the future: the plan is not recorded. None means that another process has taken it up.
    """
    dispatcher = Dispatcher(config, connectors, store, clock)
    try:
        dispatcher.start(record=False)
        return dispatcher.snapshot(request, done)
    finally:
        dispatcher.stop()

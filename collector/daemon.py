"""The daemon: ticks once a second, reloads on SIGHUP, ends in order on SIGTERM; one per store."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from collector.clock import Clock, iso
from collector.config import Config, load_config
from collector.connector import Connector
from collector.dispatch import Dispatcher
from collector.errors import BusyError, ConfigError, EvidencedError, StoreError
from collector.model import Run, SnapshotRequest
from collector.plan import Plan
from collector.store import Store, open_store
from collector.sweep import Swept

DAEMON_LOCK = "daemon"
TICK_SECONDS = 1.0
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
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._away = False

    def run(self) -> None:
        """Run until `stop`. Raises `BusyError` when another daemon has the store, `StoreError` when there is none."""
        store = open_store(self._config.store.url, clock=self._clock)
        try:
            with _sole(store):
                self._serve(store)
        finally:
            store.close()

    def stop(self) -> None:
        """Ask for an orderly end: current calls finish, what was read is recorded."""
        self._stop.set()
        self._wake.set()

    def reload(self) -> None:
        """Ask for the config to be read again; a wrong one is reported and the old one stays in force."""
        self._reload.set()
        self._wake.set()

    def handle_signals(self) -> None:
        """Let SIGTERM and SIGINT stop this daemon and SIGHUP reload it; main thread only."""
        stop: Callable[[int, FrameType | None], None] = lambda *_: self.stop()  # noqa: E731
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, lambda *_: self.reload())

    def _serve(self, store: Store) -> None:
        dispatcher = Dispatcher(self._config, self._connectors, store, self._clock)
        dispatcher.start()
        _refuse_an_empty_plan(self._path, dispatcher.plan)
        ticks = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC")
        ticks.add_job(
            self._tick,
            "interval",
            seconds=TICK_SECONDS,
            args=[dispatcher],
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        ticks.start()
        self._log.info("started", store=store.id, plan=dispatcher.plan.version, at=iso(self._clock.now()))
        try:
            while not self._stop.is_set():
                self._wake.wait()
                self._wake.clear()
                if self._reload.is_set() and not self._stop.is_set():
                    self._reload.clear()
                    self._reconfigure(dispatcher)
        finally:
            self._log.info("stopping", waiting_for="the calls under way")
            ticks.shutdown(wait=True)
            dispatcher.stop()
            self._log.info("stopped")

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

    def _reconfigure(self, dispatcher: Dispatcher) -> None:
        try:
            config = load_config(self._path, self._connectors)
            if config.store != self._config.store:
                raise ConfigError(f"{self._path}: store: cannot change while the daemon runs", hint="Restart it.")
            if not config.sources:
                raise ConfigError(f"{self._path}: no source is left; that would end all collecting", hint=_ADD_SOURCE)
            dispatcher.reload(config)
        except EvidencedError as error:
            self._log.error("not reloaded; the plan stays as it was", error=error.message, hint=error.hint())
            return
        self._config = config
        self._log.info("reloaded", plan=dispatcher.plan.version)


def _refuse_an_empty_plan(path: Path, plan: Plan) -> None:
    """Raise `ConfigError` when nothing would ever be read: a silent daemon looks like a healthy one."""
    if not any(not plan.excluded(subject) for subject, _, _ in plan.subjects()):
        raise ConfigError(f"{path}: nothing is planned: no source has a kind to read", hint=_ADD_SOURCE)


@contextmanager
def _sole(store: Store) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(store.lock(DAEMON_LOCK))
        except BusyError as error:
            raise BusyError(
                "another daemon is running on this store", hint="Stop it first; `evidenced status` shows its work."
            ) from error
        yield


def running(store: Store) -> bool:
    """Return whether a daemon holds *store* now."""
    try:
        with store.lock(DAEMON_LOCK):
            return False
    except BusyError:
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

"""The daemon's metrics over HTTP, when the configuration says where."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric

from collector.clock import Clock
from collector.config import Config
from collector.config_metrics import MetricsSettings
from collector.errors import ConfigError
from collector.metrics.heard import Heard
from collector.metrics.stored import StoreNumbers
from collector.model import Outcome, Period
from collector.store import Store
from collector.verifying import Verifying

_LOOK_BACK = timedelta(days=40)


class Metrics:
    """Everything that the daemon counts, in *heard*, and the server where it is read."""

    def __init__(self, config: Config, store: Store, clock: Clock, verifying: Verifying, loops: Iterable[str]) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self._log = structlog.get_logger("metrics")
        self._registry = CollectorRegistry()
        self._settings = MetricsSettings()
        self._running: tuple[WSGIServer, threading.Thread] | None = None
        engine = config.store.url.partition(":")[0].partition("+")[0]
        self.heard = Heard(self._registry, clock, engine, loops)
        self._registry.register(StoreNumbers(store, clock, lambda: self._config, verifying))

    def configure(self, config: Config) -> None:
        """Take *config*: listen where it says, and name its sources. Raises `ConfigError`, and goes on as before."""
        if config.metrics != self._settings:
            self._listen(config.metrics)
        self._config = config
        self.heard.begin({name: self._last_good(name) for name in config.sources})

    def families(self) -> Iterable[Metric]:
        """Return everything as a scrape gets it."""
        return self._registry.collect()

    def stop(self) -> None:
        """Listen no more."""
        if self._running is not None:
            server, thread = self._running
            server.shutdown()
            server.server_close()
            thread.join()
            self._running = None

    def _listen(self, settings: MetricsSettings) -> None:
        before = self._settings
        self.stop()
        try:
            self._start(settings)
        except OSError as error:
            self._start(before)
            raise ConfigError(f"metrics.listen: {settings.listen} cannot be listened at: {error.strerror}") from error
        self._settings = settings

    def _start(self, settings: MetricsSettings) -> None:
        if not settings.listen:
            return
        host, port = settings.address
        self._running = start_http_server(port, host, self._registry)
        named = settings.listen.rpartition(":")[0]
        self._log.info("metrics", at=f"http://{named}:{self._running[0].server_port}/metrics")

    def _last_good(self, source: str) -> float:
        now = self._clock.now()
        period = Period(now - _LOOK_BACK, now + timedelta(milliseconds=1))
        found = self._store.runs(period, source=source, outcome=Outcome.COLLECTED, limit=1)
        return found[0].finished.timestamp() if found else 0.0

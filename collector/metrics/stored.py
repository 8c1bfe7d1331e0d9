"""Numbers that come from the store. It is asked when somebody scrapes, and at most once in `REFRESH_SECONDS`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from collector.checkpointing import places
from collector.clock import Clock, from_ms
from collector.config import Config
from collector.errors import EvidencedError
from collector.store import Store
from collector.verify import Verdict
from collector.verifying import Verifying

REFRESH_SECONDS = 15.0


class StoreNumbers(Collector):
    """The size of the store and the log, how far the log is signed, where that is held, and the last verification."""

    def __init__(self, store: Store, clock: Clock, config: Callable[[], Config], verifying: Verifying) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self._verifying = verifying
        self._log = structlog.get_logger("metrics")
        self._lock = threading.Lock()
        self._known: list[Metric] = []
        self._asked: float | None = None

    def describe(self) -> list[Metric]:
        """Return nothing: a registry that is told no names asks for no numbers before it is scraped."""
        return []

    def collect(self) -> list[Metric]:
        """Return the numbers; without the store, that it is away and nothing else."""
        with self._lock:
            now = self._clock.monotonic()
            if self._asked is None or now >= self._asked + REFRESH_SECONDS:
                self._known, self._asked = self._ask(), now
            return self._known

    def _ask(self) -> list[Metric]:
        try:
            return [*self._log_numbers(), *self._place_numbers(), *self._verification(), _up(there=True)]
        except EvidencedError as error:
            self._log.warning("the store cannot be asked for its numbers", error=error.message)
            return [_up(there=False)]

    def _log_numbers(self) -> Iterator[Metric]:
        checkpoints = self._store.checkpoints
        yield _one("evidenced_store_size_bytes", "What the store takes.", self._store.size())
        yield _one("evidenced_log_size_leaves", "How many leaves the log has.", checkpoints.head().size)
        last = checkpoints.last()
        if last is not None:
            age = self._clock.now() - last.at
            yield _one("evidenced_checkpoint_age_seconds", "How old the last checkpoint is.", age.total_seconds())

    def _place_numbers(self) -> Iterator[Metric]:
        labels = ["role", "place"]
        age = GaugeMetricFamily(
            "evidenced_delivery_age_seconds",
            "How old the newest checkpoint is that an anchor holds or an authority stamped.",
            labels=labels,
        )
        late = GaugeMetricFamily(
            "evidenced_delivery_late", "Whether that is more than checkpoints.late_after (1) or not (0).", labels=labels
        )
        waiting = GaugeMetricFamily("evidenced_deliveries_pending", "Checkpoints that wait for it.", labels=labels)
        for each in places(self._config(), self._store, self._clock.now()):
            named = [each.role, each.name]
            waiting.add_metric(named, each.waiting)
            late.add_metric(named, each.late)
            age.add_metric(named, (each.age or timedelta(0)).total_seconds())
        yield from (age, late, waiting)

    def _verification(self) -> Iterator[Metric]:
        found = self._verifying.last()
        if found is None:
            return
        age = self._clock.now() - from_ms(found.at_ms)
        intact = found.verdict is Verdict.INTACT
        yield _one("evidenced_verification_intact", "Whether the last verification found no difference.", intact)
        yield _one("evidenced_verification_differences", "How many it found.", found.differences)
        yield _one("evidenced_verification_age_seconds", "How long ago it was.", age.total_seconds())


def _one(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=value)


def _up(*, there: bool) -> Metric:
    return _one("evidenced_store_up", "Whether the store answers.", there)

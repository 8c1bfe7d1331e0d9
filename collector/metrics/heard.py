"""Numbers that the daemon keeps as it works; they begin at nothing when it starts, as Prometheus expects."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

import collector
from collector.clock import Clock
from collector.model import Outcome, Run, Trigger

_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_NO_REASON = ""


class Heard:
    """A `collector.watch.Watcher` that counts. *loops* are the names of what the daemon does once a second."""

    def __init__(self, registry: CollectorRegistry, clock: Clock, engine: str, loops: Iterable[str]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each that nobody asked for
        self._clock = clock
        self._sources: set[str] = set()
        self._slots = Counter(
            "evidenced_slots",
            "Slots by what became of them, since the daemon started; of failed ones the reason.",
            ["source", "outcome", "reason"],
            registry=registry,
        )
        self._in_flight = Gauge(
            "evidenced_runs_in_flight", "Runs that are under way now.", ["source"], registry=registry
        )
        self._seconds = Histogram(
            "evidenced_sweep_duration_seconds",
            "How long sweeps took, until they were recorded.",
            ["source"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._good = Gauge(
            "evidenced_last_good_sweep_timestamp_seconds",
            "When a sweep last read something well, since 1970 in UTC; 0 for not in the last 40 days.",
            ["source"],
            registry=registry,
        )
        ages = Gauge(
            "evidenced_loop_age_seconds",
            "Seconds since each of the daemon's loops last went round.",
            ["loop"],
            registry=registry,
        )
        self._went_round = dict.fromkeys(loops, clock.monotonic())
        for each in self._went_round:
            ages.labels(each).set_function(lambda each=each: clock.monotonic() - self._went_round[each])  # type: ignore[misc]
        build = {"version": collector.__version__, "python": platform.python_version(), "store": engine}
        Info("evidenced_build", "What is running.", registry=registry).info(build)
        ProcessCollector(registry=registry)

    def begin(self, last_good: dict[str, float]) -> None:
        """Show exactly the sources in *last_good*, each with when it was last read well (seconds since 1970, or 0)."""
        for name in self._sources - last_good.keys():
            self._good.remove(name)
        for name in last_good.keys() - self._sources:
            self._good.labels(name).set(last_good[name])
            self._in_flight.labels(name)
            for outcome in (Outcome.COLLECTED, Outcome.FAILED, Outcome.MISSED):
                self._slots.labels(name, outcome.value, _NO_REASON)
        self._sources = set(last_good)

    def went_round(self, loop: str) -> None:
        """Note that *loop* went round now."""
        self._went_round[loop] = self._clock.monotonic()

    def reading(self, source: str) -> AbstractContextManager[None]:
        """See `Watcher.reading`."""
        tracked: AbstractContextManager[None] = self._in_flight.labels(source).track_inprogress()
        return tracked

    def recorded(self, source: str, runs: Sequence[Run], seconds: float) -> None:
        """See `Watcher.recorded`."""
        self._seconds.labels(source).observe(seconds)
        for run in runs:
            if run.trigger is Trigger.SCHEDULE:
                self._slots.labels(source, run.outcome.value, run.reason.value if run.reason else _NO_REASON).inc()
        good = [run.finished for run in runs if run.outcome is Outcome.COLLECTED]
        if good and source in self._sources:
            self._good.labels(source).set(max(good).timestamp())

    def missed(self, source: str, slots: int) -> None:
        """See `Watcher.missed`."""
        self._slots.labels(source, Outcome.MISSED.value, _NO_REASON).inc(slots)

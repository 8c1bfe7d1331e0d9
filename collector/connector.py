"""The connector contract: what a vendor's package provides, and what it is given. The public SDK starts here.

A connector is found by the entry point group ``evidenced.connectors`` (`collector.installed`); built-in ones get no
other treatment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from collector.clock import Clock, to_ms
from collector.errors import Unavailable
from collector.model import Json, OperationCalls, Principal, Scope, Window
from collector.procedure import Kind

_LONGEST_NAP_S = 0.5


class Settings(BaseModel):
    """What every source may set; a connector adds its own fields. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connector: str = ""
    kinds: list[str] = Field(default=["*"], description="Kinds to collect, by pattern.")
    exclude: list[str] = Field(default=[], description="Kinds to leave out, by pattern; recorded as excluded.")
    sealed: list[str] = Field(default=[], description="Kinds to encrypt, by pattern, so that items can be erased.")
    every: dict[str, str] = Field(default={}, description="Kind pattern -> cadence, over the kind's own.")
    concurrency: int = Field(default=8, ge=1, le=64, description="Runs read at a time.")
    run_limit: str = Field(default="15m", description="Longest time one run may take.")


class CallLedger:
    """Counts every request of one run, per operation; safe to use from many threads.

    *skew_ms* is our clock minus the source's ``Date`` at the last answer (which is cut to whole seconds), or None.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._operations: dict[str, OperationCalls] = {}
        self.skew_ms: int | None = None

    def answered(
        self, operation: str, *, request_id: str = "", date: datetime | None = None, retries: int = 0, page: bool = True
    ) -> None:
        """Count one answered call (an error answer too: ``page=False``) with the source's request id and ``Date``."""
        with self._lock:
            if date is not None:
                self.skew_ms = to_ms(self._clock.now()) - to_ms(date)
            seen = self._operations.get(operation, OperationCalls(operation))
            self._operations[operation] = replace(
                seen,
                calls=seen.calls + 1,
                pages=seen.pages + page,
                retries=seen.retries + retries,
                first_request_id=seen.first_request_id or request_id,
                last_request_id=request_id or seen.last_request_id,
                first_date=seen.first_date or date,
                last_date=date or seen.last_date,
            )

    def listed(self, operation: str, items: int, *, total: int | None = None) -> None:
        """Add *items* to what *operation* gave; *total* is the count the source itself reported.

        A run that read fewer items than the last total of an operation is truncated.
        """
        with self._lock:
            seen = self._operations.get(operation, OperationCalls(operation))
            self._operations[operation] = replace(
                seen, items=seen.items + items, total=seen.total if total is None else total
            )

    def totalled(self, operation: str, total: int) -> None:
        """Add *total*, what the source counts for one more list of *operation*, to the totals of its other lists."""
        with self._lock:
            seen = self._operations.get(operation, OperationCalls(operation))
            self._operations[operation] = replace(seen, total=(seen.total or 0) + total)

    def undrained(self, operation: str) -> None:
        """Note that *operation* offered a continuation that was not followed."""
        with self._lock:
            seen = self._operations.get(operation, OperationCalls(operation))
            self._operations[operation] = replace(seen, drained=False)

    def operations(self) -> tuple[OperationCalls, ...]:
        """Return what was counted so far, in the order of first use."""
        with self._lock:
            return tuple(self._operations.values())


@dataclass
class Reading:
    """One run's context: a reader reports each call to *calls* and asks `check` before each.

    *deadline* is a `Clock.monotonic` time. *window* is set for event kinds. A *sample* reads one page and the details
    of one item, for `evidenced check`; nothing of it is kept.
    """

    clock: Clock
    deadline: float
    window: Window | None = None
    sample: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)
    calls: CallLedger = field(init=False)

    def __post_init__(self) -> None:
        self.calls = CallLedger(self.clock)

    def wait(self, seconds: float) -> None:
        """Sleep for *seconds*, in naps between which `check` is asked."""
        self.check()
        while seconds > 0:
            nap = min(seconds, _LONGEST_NAP_S)
            self.clock.sleep(nap)
            seconds -= nap
            self.check()

    def check(self) -> None:
        """Raise `Unavailable` when the run's time is over or the daemon was told to stop at once."""
        if self.stopping.is_set():
            raise Unavailable("the daemon was stopped before the run finished")
        if self.clock.monotonic() > self.deadline:
            raise Unavailable("the run took longer than its limit", hint="Raise `run_limit` of the source.")


class Session(Protocol):
    """One source opened for reading; used by many threads at once, closed after the sweep.

    Every method raises a `ReadError` (its reason says who must act) or a `ConfigError`; anything else is recorded
    as ``internal``.
    """

    def principal(self) -> Principal:
        """Return who the source says we are (a request to the source, not the configuration)."""

    def scopes(self) -> list[Scope]:
        """Return every scope the source has, those not to be read with *excluded* saying why."""

    def read(self, kind: Kind, scope: Scope, reading: Reading) -> Iterator[dict[str, Json]]:
        """Yield every item of *kind* in *scope*, each as plain JSON-like data before redaction.

        The iterator ends only when the source has said that there is no more; whatever else happens raises.
        """

    def close(self) -> None:
        """Release connections; the session is not used again."""


@dataclass(frozen=True)
class Problem:
    """What lint found wrong with a kind; *place* is a field of its spec."""

    kind: str
    place: str
    message: str


class Connector(Protocol):
    """How to talk to one vendor."""

    name: str
    version: str
    settings: type[Settings]

    def kinds(self) -> Mapping[str, Kind]:
        """Return the kinds it declares, by name."""

    def levels(self) -> Sequence[str]:
        """Return its scope levels, widest first."""

    def open(self, source: str, settings: Any, clock: Clock) -> Session:
        """Return a session for *source*. No request is made before the first use. Raises `ConfigError`."""

    def grants(self, kind: Kind) -> tuple[str, ...]:
        """Return the permissions that reading *kind* needs, in the vendor's own names, sorted."""

    def policy(self, kinds: Sequence[Kind]) -> list[Json]:
        """Return the least-privilege policy documents for *kinds*, each within the vendor's size limit."""

    def explain(self, kind: Kind) -> Json:
        """Return what is inferred for *kind*: each call with its paging, items, bindings and grants."""

    def lint(self, kind: Kind) -> list[Problem]:
        """Return what the vendor's own model says is wrong with *kind*."""

"""What auditors read, on its way into the log: gathered, and recorded a batch at a time by a thread of its own.

- A read waits in memory for 15 seconds at most, and until 500 wait, and is recorded before the process ends.
- What could not be recorded is kept and tried again. While 10,000 wait auditors are refused: nothing is shown that will
  not be on record.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Condition, Thread
from urllib.parse import unquote, unquote_plus

import structlog

from collector.ask.access import record_reads
from collector.canonical import digest
from collector.clock import Clock, iso
from collector.errors import EvidencedError
from collector.gate.visit import Visit
from collector.model import Json
from collector.redact import scrub
from collector.store import Store

SECONDS = 15.0
BATCH = 500
MOST_WAITING = 10_000
_LONGEST_PATH = 2_000
_NAMING = frozenset({"key", "q"})
_DIGITS = 16

_Whose = tuple[int, str]


class Reads:
    """The reads of one process. `start` begins the thread, `stop` records what waits and ends it. Thread-safe."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._log = structlog.get_logger("web")
        self._changed = Condition()
        self._waiting: OrderedDict[_Whose, list[dict[str, Json]]] = OrderedDict()
        self._count = 0
        self._ending = False
        self._thread: Thread | None = None

    def note(self, visit: Visit, method: str, path: str, status: int) -> None:
        """Keep, for the record, that *visit* asked for *path* (with its query) and read of engagements, if it did."""
        if not visit.reads:
            return
        at = iso(self._clock.now())
        read: dict[str, Json] = {"at": at, "method": method, "path": _recordable(path), "status": status}
        with self._changed:
            for engagement in sorted(visit.reads):
                self._waiting.setdefault((engagement, visit.principal.name), []).append(read)
                self._count += 1
            self._changed.notify()

    def waiting(self) -> int:
        """Return how many reads are not recorded yet."""
        with self._changed:
            return self._count

    def full(self) -> bool:
        """Return whether so many wait that nothing more may be read."""
        return self.waiting() >= MOST_WAITING

    def start(self) -> None:
        """Begin to record."""
        self._thread = Thread(target=self._run, name="reads")
        self._thread.start()

    def stop(self) -> None:
        """Record what waits, and end. What cannot be recorded now is lost, and said so in the log."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self.record()
        if left := self.waiting():
            self._log.error("reads of auditors are lost: they could not be recorded", reads=left)

    def record(self) -> None:
        """Record every read that waits, a batch for each auditor and engagement; keep what fails for the next time."""
        for whose in self._whose():
            while batch := self._first(whose):
                engagement, name = whose
                try:
                    record_reads(self._store, engagement, name, batch)
                except EvidencedError as error:
                    self._log.error(
                        "reads of auditors cannot be recorded; they are kept and tried again",
                        error=error.message,
                        waiting=self.waiting(),
                    )
                    break
                self._drop(whose, len(batch))

    def _run(self) -> None:
        while not self._ending:
            self._rest()
            self.record()

    def _rest(self) -> None:
        """Wait until a batch is full, or for as long as a read may wait."""
        with self._changed:
            before = self._count
            self._changed.wait_for(lambda: self._ending or self._count - before >= BATCH, SECONDS)

    def _whose(self) -> list[_Whose]:
        with self._changed:
            return list(self._waiting)

    def _first(self, whose: _Whose) -> list[dict[str, Json]]:
        with self._changed:
            return self._waiting.get(whose, [])[:BATCH]

    def _drop(self, whose: _Whose, count: int) -> None:
        with self._changed:
            del self._waiting[whose][:count]
            self._count -= count
            if not self._waiting[whose]:
                del self._waiting[whose]


def _recordable(path: str) -> str:
    """Return *path* as it is kept for good: without secrets, with digits for a key or a search that may name people."""
    place, mark, query = path.partition("?")
    asked = [_without_names(each) for each in query.split("&")] if mark else []
    path = place + mark + "&".join(asked)
    readable = unquote(path)
    clean = scrub(readable)
    return (path if clean == readable else clean)[:_LONGEST_PATH]


def _without_names(pair: str) -> str:
    """Return *pair* of a query; of the key of an item, or a text that was searched for, the digits of its SHA-256."""
    name, mark, value = pair.partition("=")
    if unquote_plus(name) not in _NAMING or not value:
        return pair
    return f"{name}{mark}sha256:{digest(unquote_plus(value).encode('utf-8', 'surrogatepass')).hex()[:_DIGITS]}"

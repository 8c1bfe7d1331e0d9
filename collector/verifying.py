"""Verification as the configuration asks for it: the whole store, now and then. The daemon's part beside reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from collector.cadence import parse_duration
from collector.clock import Clock, from_ms, to_ms
from collector.config import Config
from collector.errors import ConfigError, StoreError
from collector.store import Store
from collector.verify import NOBODY, Trust, Verdict, record, verify

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verified:
    """What the last verification came to, and when (*at_ms*, milliseconds UTC)."""

    at_ms: int
    verdict: Verdict
    differences: int


class _Stopped(Exception):
    """The daemon ends: the verification under way is given up."""


class Verifying:
    """Verifies *store* when that is due, at each `tick`, and records the result; it never keeps a slot from being read.

    A difference is logged as an error, and collecting goes on: what is read now is evidence whatever became of the old.
    """

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._log = structlog.get_logger("verify")
        self._last: datetime | None = None
        self._found: Verified | None = None
        self._stopping = False
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Take *config*."""
        self._config = config
        self._every = parse_duration(config.verify.every)

    def stop(self) -> None:
        """Give up the verification under way; it is due again when the daemon starts."""
        self._stopping = True

    def last(self) -> Verified | None:
        """Return what the last verification came to, here or by hand, recorded or not. Raises `StoreError`."""
        recorded = self._store.checkpoints.last_verification()
        if recorded is None:
            return self._found
        said = recorded.payload
        found = Verified(recorded.at_ms, Verdict(said["verdict"]), said["differences"])
        # One of a log that is not the one that was is recorded nowhere but here.
        return max((found, self._found or found), key=lambda each: each.at_ms)

    def tick(self) -> None:
        """Verify the store when the last time is long enough ago."""
        try:
            if self._due():
                self._verify()
        except StoreError as error:
            self._log.warning("not verified while the store is away", error=error.message)
        except _Stopped:
            self._log.info("the verification under way was given up; it is due again at the next start")

    def _due(self) -> bool:
        if self._last is None:
            began = next(self._store.leaves(0, 1))
            self._last = from_ms((self._store.checkpoints.last_verification() or began).at_ms)
        return not self._stopping and self._clock.now() >= self._last + self._every

    def _verify(self) -> None:
        self._last = self._clock.now()
        found = verify(self._store, trust=self._trust(), read=self._read)
        self._found = Verified(to_ms(self._last), found.verdict, found.count)
        leaf = record(self._store, found)
        if found.verdict is Verdict.INTACT:
            self._log.info("verified", verdict=str(found.verdict), leaves=found.size, leaf=leaf)
            return
        self._log.error(
            "the store was altered",
            differences=found.count,
            first=[f"{each.table} {each.row}: {each.what}" for each in found.differences[:_SHOWN]],
            hint="Keep the database as it is, and run: evidenced verify --no-record",
        )

    def _trust(self) -> Trust:
        try:
            return Trust(self._config.checkpoints.known_roots(self._config.path))
        except ConfigError as error:
            self._log.error("no time stamp is trusted meanwhile", error=error.message, hint=error.hint())
            return NOBODY

    def _read(self, _table: str, _rows: int) -> None:
        if self._stopping:
            raise _Stopped

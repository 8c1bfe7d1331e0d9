"""What keeps the database's own knowledge of the store fresh. The daemon's part beside reading."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from collector.clock import Clock
from collector.errors import StoreError
from collector.store import Store

EVERY = timedelta(days=7)
_LOOKED = timedelta(minutes=1)
_TIMES = 10


class Upkeep:
    """Has *store* analysed, at `tick`: after its first sweep, when it has ten times as many, and weekly.

    It is for speed alone: what goes wrong is logged, and it is due again a minute later.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._log = structlog.get_logger("store")
        self._looked: datetime | None = None
        self._last: datetime | None = None
        self._sweeps = 0
        self._told = False

    def tick(self) -> None:
        """Have the store analysed when that is due."""
        now = self._clock.now()
        if self._looked is not None and now - self._looked < _LOOKED:
            return
        self._looked = now
        try:
            sweeps = self._store.sweeps_recorded()
            week = self._last is not None and now - self._last >= EVERY
            if sweeps and (week or sweeps >= _TIMES * self._sweeps):
                refused = self._store.analyse()
                self._last, self._sweeps = now, sweeps
                self._tell(refused)
        except StoreError as error:
            self._log.warning("not analysed", error=error.message)

    def _tell(self, refused: list[str]) -> None:
        if refused and not self._told:
            self._log.info(
                "the login may not analyse every table; the server's autovacuum does it in its own time",
                tables=refused,
                hint="GRANT pg_maintain to the login (PostgreSQL 17 or later), or run ANALYZE as the tables' owner.",
            )
        self._told = bool(refused)

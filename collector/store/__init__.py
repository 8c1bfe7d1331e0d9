"""The evidence store: append-only records of what was observed, on SQLite or PostgreSQL (design 7).

`open_store` gives a `Store`; everything else here is what it returns. SQLAlchemy does not leave this package.
"""

from __future__ import annotations

from collector.store.opening import open_store
from collector.store.records import (
    ControlsRecord,
    ItemVersion,
    PlanRecord,
    Receipt,
    RecordedChange,
    RunOutcome,
    SweepRecord,
)
from collector.store.store import Store

__all__ = [
    "ControlsRecord",
    "ItemVersion",
    "PlanRecord",
    "Receipt",
    "RecordedChange",
    "RunOutcome",
    "Store",
    "SweepRecord",
    "open_store",
]

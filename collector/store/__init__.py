"""The evidence store: append-only records of what was observed, on SQLite or PostgreSQL (design 7).

`open_store` gives a `Store`; everything else here is what it returns. SQLAlchemy does not leave this package.
"""

from __future__ import annotations

from collector.coverage import RunOutcome
from collector.store.erasing import Erasable, Tombstone
from collector.store.opening import open_store
from collector.store.records import (
    CheckpointRecord,
    ControlsRecord,
    EpochRecord,
    Existence,
    ItemVersion,
    PlanRecord,
    Receipt,
    ReceiptRecord,
    RecordedChange,
    SweepRecord,
    TokenRecord,
)
from collector.store.slot_pages import Page
from collector.store.store import Store
from collector.store.stretches import Held

__all__ = [
    "CheckpointRecord",
    "ControlsRecord",
    "EpochRecord",
    "Erasable",
    "Existence",
    "Held",
    "ItemVersion",
    "Page",
    "PlanRecord",
    "Receipt",
    "ReceiptRecord",
    "RecordedChange",
    "RunOutcome",
    "Store",
    "SweepRecord",
    "TokenRecord",
    "Tombstone",
    "open_store",
]

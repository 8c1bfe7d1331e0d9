"""The evidence store: append-only records of what was observed, on SQLite or PostgreSQL (design 7).

`open_store` gives a `Store`; everything else here is what it returns. SQLAlchemy does not leave this package.
"""

from __future__ import annotations

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
    RunOutcome,
    SweepRecord,
    TokenRecord,
)
from collector.store.slot_pages import Page, Stretch
from collector.store.store import Store

__all__ = [
    "CheckpointRecord",
    "ControlsRecord",
    "EpochRecord",
    "Erasable",
    "Existence",
    "ItemVersion",
    "Page",
    "PlanRecord",
    "Receipt",
    "ReceiptRecord",
    "RecordedChange",
    "RunOutcome",
    "Store",
    "Stretch",
    "SweepRecord",
    "TokenRecord",
    "Tombstone",
    "open_store",
]

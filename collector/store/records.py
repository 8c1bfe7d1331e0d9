"""What the store gives back. Instants are aware UTC datetimes in whole milliseconds, digests 32 raw bytes.

Of what an answer may hold by the ten thousand, a record is a tuple: it takes a quarter of the time to make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from collector.coverage import RunOutcome
from collector.model import Json, Subject, Trigger


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an appended sweep: its id, its log leaf, when it was stored, and the ids of its runs in order."""

    sweep: int
    leaf: int
    recorded: datetime
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """One version of the plan; it rules from *valid_from* until the next version's."""

    version: int
    valid_from: datetime
    document: Json = field(hash=False)
    digest: bytes
    recorded: datetime


@dataclass(frozen=True, slots=True)
class ControlsRecord:
    """One version of the control set; it rules from *valid_from* until the next version's."""

    version: int
    valid_from: datetime
    document: Json = field(hash=False)
    digest: bytes
    recorded: datetime


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """A sweep as recorded, with the outcomes of its runs in the order of their positions."""

    id: int
    source: str
    due: datetime
    trigger: Trigger
    plan_version: int
    part: int
    last: bool
    request: int
    recorded: datetime
    leaf: int
    runs: tuple[RunOutcome, ...]


class ItemVersion(NamedTuple):
    """An item as it was in ``[start, end)``, by the finish times of the runs that first and no longer saw it so.

    *end* is None while it is open.
    """

    subject: Subject
    key: str
    start: datetime
    end: datetime | None
    artifact: bytes


class Existence(NamedTuple):
    """That an item existed in a period: it had *forms* different contents there, *artifact* was the last of them.

    *since* is when the first of them was first seen, perhaps before the period; *gone* when the last was no longer,
    perhaps after it, None while it is current. *place* is where a next page goes on.
    """

    subject: Subject
    key: str
    since: datetime
    gone: datetime | None
    artifact: bytes
    forms: int
    place: str


class RecordedChange(NamedTuple):
    """One difference between two good observations: *before* None means added, *after* None means gone."""

    subject: Subject
    key: str
    at: datetime
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """A checkpoint as recorded: the exact *note*, the *size* it covers, its own *leaf*. *id* counts from 1."""

    id: int
    epoch: int
    size: int
    note: bytes
    at: datetime
    leaf: int


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """The RFC 3161 response of *authority* over the note of *checkpoint* (an id), exactly as it came."""

    checkpoint: int
    authority: str
    token: bytes
    at: datetime
    leaf: int


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """Where *anchor* keeps the note of *checkpoint* (an id): its path, commit or VersionId."""

    checkpoint: int
    anchor: str
    receipt: dict[str, Json]
    at: datetime
    leaf: int


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """A new beginning after a loss: the log had *size* leaves, and *note* is the last known checkpoint before it.

    *number* counts from 2: a log that lost nothing is in epoch 1.
    """

    number: int
    size: int
    note: bytes
    reason: str
    actor: str
    at: datetime
    leaf: int

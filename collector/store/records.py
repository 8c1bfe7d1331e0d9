"""What the store gives back. Instants are aware UTC datetimes in whole milliseconds, digests 32 raw bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from collector.model import Detail, Json, Outcome, Reason, Subject, Trigger


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
    document: Json
    digest: bytes
    recorded: datetime


@dataclass(frozen=True, slots=True)
class ControlsRecord:
    """One version of the control set; it rules from *valid_from* until the next version's."""

    version: int
    valid_from: datetime
    document: Json
    digest: bytes
    recorded: datetime


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What coverage needs of a run; *id* opens the whole sheet. *trigger* is the run's own, not the sweep's."""

    id: str
    subject: Subject
    due: datetime
    finished: datetime
    outcome: Outcome
    detail: Detail | None
    reason: Reason | None
    message: str
    trigger: Trigger


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


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """An item as it was in ``[start, end)``, by the finish times of the runs that first and no longer saw it so.

    *end* is None while it is open.
    """

    subject: Subject
    key: str
    start: datetime
    end: datetime | None
    artifact: bytes


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One difference between two good observations: *before* None means added, *after* None means gone."""

    subject: Subject
    key: str
    at: datetime
    before: bytes | None
    after: bytes | None

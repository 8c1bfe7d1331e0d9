"""The records everything else passes along: subjects, slots, runs, sweeps. Data only, no I/O.

Every instant is an aware UTC datetime; every digest is the 32 raw bytes of a SHA-256 (shown as ``sha256:<hex>``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any  # a JSON value: dict, list, str, int, float, bool or None


class Outcome(StrEnum):
    """What became of a slot; exactly one of these, always recorded."""

    COLLECTED = "collected"
    FAILED = "failed"
    MISSED = "missed"
    EXCLUDED = "excluded"


class Detail(StrEnum):
    """Of a collected slot: how the population compares with the last good one (``empty`` outranks the others)."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    EMPTY = "empty"


class Reason(StrEnum):
    """Of a failed slot: why there is no whole answer."""

    DENIED = "denied"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    TRUNCATED = "truncated"
    INVALID = "invalid"
    NOT_ENABLED = "not_enabled"
    MISCONFIGURED = "misconfigured"
    INTERNAL = "internal"


class Trigger(StrEnum):
    """Why a run was made."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch-up"
    ADHOC = "adhoc"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open interval ``[start, end)`` in UTC."""

    start: datetime
    end: datetime


class Subject(NamedTuple):
    """What is observed again and again: one kind in one scope of one source."""

    source: str
    kind: str
    scope: str


class Slot(NamedTuple):
    """One expected observation of a subject."""

    subject: Subject
    due: datetime


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """A part of a source that is read on its own. *excluded* says why it is not read; empty means it is."""

    name: str
    level: str
    excluded: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asked, in the source's own words (an STS ARN, a token subject); *account* is where."""

    id: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The interval of event time an event kind was asked for, ``[since, until)``."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class OperationCalls:
    """What one run asked of one API operation. Dates are the source's own ``Date`` headers.

    *drained* is False when the source offered a continuation that was not followed.
    *total* is the count the source itself reported, where it reports one.
    """

    operation: str
    calls: int = 0
    pages: int = 0
    retries: int = 0
    items: int = 0
    total: int | None = None
    drained: bool = True
    first_request_id: str = ""
    last_request_id: str = ""
    first_date: datetime | None = None
    last_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Redaction:
    """A value was removed at *path* by *rule* in *count* items; never the value itself."""

    path: str
    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Items read, and how they differ from the last good population (a change counts an item once)."""

    items: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Provenance:
    """What repeats from run to run: with which code and configuration a subject is read (content-addressed)."""

    connector: str
    connector_version: str
    collector_version: str
    procedure: str
    config: str
    plan_version: int
    criteria: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt to read one kind in one scope: the IPE sheet (design 6).

    *due* is the slot's due time; *started*/*finished* are ours at reading; *recorded* is ours at storing and
    is None until stored, as is *id*. *skew_ms* is our clock minus the source's at the last answer.
    *population* is the Merkle root over the items, None when the run failed.
    """

    subject: Subject
    due: datetime
    trigger: Trigger
    provenance: Provenance
    started: datetime
    finished: datetime
    outcome: Outcome
    detail: Detail | None = None
    reason: Reason | None = None
    message: str = ""
    hint: str = ""
    principal: Principal = Principal("")
    operations: tuple[OperationCalls, ...] = ()
    counts: Counts = Counts()
    population: bytes | None = None
    redactions: tuple[Redaction, ...] = ()
    skew_ms: int | None = None
    window: Window | None = None
    watermark_before: datetime | None = None
    watermark_after: datetime | None = None
    recorded: datetime | None = None
    id: str = ""


class ContentSecret(NamedTuple):
    """What opens one sealed content: its *key*, the *salt* of its commitment, and the SHA-256 of the *plain* bytes.

    The last tells, without opening the content, whether what was read now is the same.
    """

    key: bytes
    salt: bytes
    plain: bytes


class ItemSecret(NamedTuple):
    """What a sealed item is called (*name*: its key text), and the *key* and *salt* of its volatile fields."""

    key: bytes
    salt: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """Immutable bytes named by their digest: an item's canonical JSON, or a document.

    Contents of one *family* (a kind) are packed with one dictionary, which holds pieces of them; empty for none.
    Of a sealed one *data* is the envelope, *secret* opens it, and *subject* is whose it is.
    """

    digest: bytes
    data: bytes
    family: str = field(default="", compare=False)
    subject: Subject | None = None
    secret: ContentSecret | None = None


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One difference from the last good population: the item *key* now has *artifact*, or is gone (None)."""

    key: str
    key_digest: bytes
    artifact: bytes | None


class SealedItem(NamedTuple):
    """What the store knows an item of a sealed subject as: its key digest, its artifact, and its secret."""

    key_digest: bytes
    artifact: bytes
    secret: ItemSecret


class Sealed(NamedTuple):
    """What the next run of a sealed subject is compared with: the *changes* as read, and the *items* as stored."""

    changes: tuple[ItemChange, ...]
    items: Mapping[bytes, SealedItem]


@dataclass(frozen=True, slots=True)
class Observation:
    """A run and what it adds to the store.

    *changes* is empty unless the run collected something new; *artifacts* holds at least every artifact that
    *changes* names and the store has not seen. *volatile* is canonical JSON ``{key: {path: value}}`` of the fields
    that were split off, or None when the kind has none or the store already keeps one for this UTC day.
    *events* says that the kind's items happened at a time: absence from a run removes nothing. When it is *sealed*,
    its changes carry no key text: that is in *secrets*, by key digest.
    """

    run: Run
    changes: tuple[ItemChange, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    volatile: bytes | None = None
    events: bool = False
    secrets: Mapping[bytes, ItemSecret] = field(default_factory=dict)
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """Observations of one source that were read together, or a bounded *part* of them; recorded in one transaction.

    *request* is the id of the snapshot request that asked for it, 0 when the schedule did.
    """

    source: str
    due: datetime
    trigger: Trigger
    plan_version: int
    observations: tuple[Observation, ...]
    part: int = 0
    last: bool = True
    request: int = 0


@dataclass(frozen=True, slots=True)
class Missed:
    """Slots that passed unread: every slot due in *period* of *subjects* (None: of the whole source), and why."""

    source: str
    period: Period
    cause: str
    plan_version: int
    subjects: tuple[Subject, ...] | None = None


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """An ad hoc trigger: who asked for which kinds of which source, when, and why."""

    source: str
    kinds: tuple[str, ...]
    reason: str
    actor: str
    at: datetime
    id: int = 0


class Prepared(NamedTuple):
    """What a document came to: its item's key digest, its artifact, and what was redacted in it (path, rule)."""

    key_digest: bytes
    artifact: bytes
    redactions: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Head:
    """The last good population of a subject, as the collector compares against it: key digest -> artifact digest.

    For an event kind *contents* holds what is known from its watermark's overlap on. *volatile_day* is the last UTC
    day (ISO) whose volatile fields are kept. *prepared* is what the last good run made of each document, by the digest
    of the document before redaction: the same document again need not be redacted again. It is never stored.

    Of a sealed subject *contents* and *keys* are as read, by plain digests; *sealed* says what the store knows each
    item as. *unknown* is what it has and nobody can name, erased or not sealed: artifacts by key digest.
    """

    subject: Subject
    population: bytes | None = None
    contents: dict[bytes, bytes] = field(default_factory=dict)
    keys: dict[bytes, str] = field(default_factory=dict)
    watermark: datetime | None = None
    volatile_day: str = ""
    prepared: dict[bytes, Prepared] = field(default_factory=dict, compare=False)
    sealed: dict[bytes, SealedItem] | None = None
    unknown: dict[bytes, bytes] = field(default_factory=dict)


def show_digest(digest: bytes) -> str:
    """Return *digest* as people read it: ``sha256:`` and 64 hex digits."""
    return "sha256:" + digest.hex()

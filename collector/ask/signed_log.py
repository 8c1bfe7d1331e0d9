"""The log as signed: its head, its checkpoints, who stamped them, who holds them, and with which keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collector.checkpointing import places
from collector.deliveries import PlaceStatus
from collector.errors import ConfigError
from collector.log.keys import KeyTrust, trust
from collector.log.origin import log_name, origin
from collector.tokens import stamped_at

if TYPE_CHECKING:
    from collector.config import Config
    from collector.model import Json
    from collector.store import CheckpointRecord, EpochRecord, Store


@dataclass(frozen=True, slots=True)
class PlaceAge:
    """An authority or anchor: the *size* of the newest checkpoint it has and how old that is, and how many wait."""

    name: str
    role: str
    size: int | None
    age: timedelta | None
    waiting: int
    late: bool


@dataclass(frozen=True, slots=True)
class LogStatus:
    """Whether the log is *signed* at all, how far it is, and how far what others hold of it."""

    signed: bool
    size: int
    checkpoint: int | None
    checkpoint_at: datetime | None
    places: tuple[PlaceAge, ...]


@dataclass(frozen=True, slots=True)
class ShownCheckpoint:
    """A checkpoint; *stamps* are authority -> its time, None when only openssl reads it; *receipts* anchor -> where."""

    size: int
    epoch: int
    at: datetime
    note: str
    stamps: dict[str, datetime | None]
    receipts: dict[str, dict[str, Json]]


@dataclass(frozen=True, slots=True)
class SignedLog:
    """Everything about the log's checkpoints; *checkpoints* are the newest ones, oldest first."""

    origin: str
    epoch: int
    size: int
    root: str
    keys: tuple[KeyTrust, ...]
    checkpoints: tuple[ShownCheckpoint, ...]
    places: tuple[PlaceAge, ...]
    epochs: tuple[EpochRecord, ...]


def log_status(store: Store, config: Config, now: datetime) -> LogStatus:
    """Return how far the log is signed at *now*. Asks nobody but the store."""
    last = store.checkpoints.last()
    return LogStatus(
        signed=config.checkpoints.signs,
        size=store.checkpoints.head().size,
        checkpoint=last.size if last else None,
        checkpoint_at=last.at if last else None,
        places=_places(store, config, now),
    )


def signed_log(store: Store, config: Config, now: datetime, *, newest: int | None) -> SignedLog:
    """Return the log with its *newest* so many checkpoints, all of them when None."""
    head, epoch = store.checkpoints.head(), store.checkpoints.epoch()
    return SignedLog(
        origin=origin(log_name(store.id), epoch),
        epoch=epoch,
        size=head.size,
        root=head.root.hex(),
        keys=tuple(trust(store.checkpoints.key_events())),
        checkpoints=tuple(_shown(store, each) for each in store.checkpoints.all(newest=newest)),
        places=_places(store, config, now),
        epochs=tuple(store.checkpoints.epochs()),
    )


def _places(store: Store, config: Config, now: datetime) -> tuple[PlaceAge, ...]:
    return tuple(_age(each) for each in places(config, store, now))


def _age(found: PlaceStatus) -> PlaceAge:
    size = found.newest.size if found.newest else None
    return PlaceAge(found.name, found.role, size, found.age, found.waiting, found.late)


def _time(token: bytes) -> datetime | None:
    try:
        return stamped_at(token)
    except ConfigError:
        return None  # it takes openssl, which is not there


def _shown(store: Store, found: CheckpointRecord) -> ShownCheckpoint:
    tokens, receipts = store.checkpoints.tokens(found.id), store.checkpoints.receipts(found.id)
    return ShownCheckpoint(
        size=found.size,
        epoch=found.epoch,
        at=found.at,
        note=found.note.decode("utf-8"),
        stamps={each.authority: _time(each.token) for each in tokens},
        receipts={each.anchor: each.receipt for each in receipts},
    )

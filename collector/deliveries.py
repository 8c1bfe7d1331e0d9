"""Getting checkpoints out: each authority and each anchor has a queue of its own, kept until it takes what is in it.

What a queue holds follows from the store: the checkpoints after the last one delivered. One that was never delivered
to begins with the newest checkpoint, not with years of old ones, which that one covers anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.anchors import Anchor
from collector.clock import Clock
from collector.errors import ConfigError, DeliveryError, EvidencedError, HistoryError
from collector.log.origin import log_name, origin
from collector.store import CheckpointRecord, Store
from collector.timestamps import Authority

_LOOK_AGAIN = timedelta(minutes=1)
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_AT_A_TIME = 50


@dataclass
class Queue:
    """Checkpoints on their way to one place. *role* is ``authority`` or ``anchor``; *deliver* also records."""

    name: str
    role: str
    newest: Callable[[], CheckpointRecord | None]
    deliver: Callable[[CheckpointRecord], None]
    first: int | None = field(default=None)
    wait: timedelta = field(default=_FIRST_WAIT)
    again: datetime | None = field(default=None)
    failing: bool = field(default=False)


def authority_queue(store: Store, name: str, authority: Authority) -> Queue:
    """Return the queue of checkpoints to be stamped by *authority*."""

    def deliver(checkpoint: CheckpointRecord) -> None:
        store.checkpoints.add_token(checkpoint.id, name, authority.stamp(checkpoint.note))

    return Queue(name, "authority", lambda: store.checkpoints.stamped_by(name), deliver)


def anchor_queue(store: Store, name: str, anchor: Anchor) -> Queue:
    """Return the queue of checkpoints to be kept by *anchor*."""

    def deliver(checkpoint: CheckpointRecord) -> None:
        of = origin(log_name(store.id), checkpoint.epoch)
        store.checkpoints.add_receipt(checkpoint.id, name, anchor.push(of, checkpoint.size, checkpoint.note))

    return Queue(name, "anchor", lambda: store.checkpoints.held_by(name), deliver)


class Deliveries:
    """Empties *queues* as far as they let it; a place that fails is left alone for a while, the others are not."""

    def __init__(self, store: Store, queues: Iterable[Queue], clock: Clock) -> None:
        self._store = store
        self._queues = list(queues)
        self._clock = clock

    def send(
        self, *, taken: bool = False, now: bool = False, without: Container[str] = ()
    ) -> dict[str, EvidencedError]:
        """Deliver what is due, and return by name of place what did not work. Raises `StoreError` alone.

        *taken* says that there is a new checkpoint: places that do not fail are due. With *now* every place is.
        Anchors named in *without* get nothing.
        """
        troubles: dict[str, EvidencedError] = {}
        for queue in self._queues:
            if queue.role == "anchor" and queue.name in without:
                continue
            idle = queue.again is not None and queue.again > self._clock.now()
            if now or not idle or (taken and not queue.failing):
                trouble = self._empty(queue)
                if trouble is not None:
                    troubles[f"{queue.role} {queue.name}"] = trouble
        return troubles

    def _empty(self, queue: Queue) -> EvidencedError | None:
        try:
            for checkpoint in self._waiting(queue):
                queue.deliver(checkpoint)
        except (DeliveryError, HistoryError, ConfigError) as error:
            queue.again = self._clock.now() + queue.wait
            queue.wait, queue.failing = min(queue.wait * 2, _LONGEST_WAIT), True
            return error
        # One taken by hand is found by looking; not each second, though.
        queue.again, queue.wait, queue.failing = self._clock.now() + _LOOK_AGAIN, _FIRST_WAIT, False
        return None

    def _waiting(self, queue: Queue) -> list[CheckpointRecord]:
        newest = queue.newest()
        if newest is None and queue.first is None:
            last = self._store.checkpoints.last()
            queue.first = last.id if last else 1
        after = newest.id if newest else (queue.first or 1) - 1
        return self._store.checkpoints.after(after, limit=_AT_A_TIME)


@dataclass(frozen=True, slots=True)
class PlaceStatus:
    """One authority or anchor: the newest checkpoint it has, how old that is, and how many wait.

    *age* counts from the first checkpoint when it never had one; None when there is none. *late* is beyond what the
    configuration allows.
    """

    name: str
    role: str
    newest: CheckpointRecord | None
    age: timedelta | None
    waiting: int
    late: bool


def place_statuses(store: Store, queues: Iterable[Queue], late_after: timedelta, now: datetime) -> list[PlaceStatus]:
    """Return how the places behind *queues* stand at *now*."""
    last, first = store.checkpoints.last(), next(iter(store.checkpoints.after(0, limit=1)), None)
    found = []
    for queue in queues:
        newest = queue.newest()
        since = newest or first
        age = now - since.at if since else None
        # Checkpoints are numbered without a gap.
        waiting = (last.id if last else 0) - (newest.id if newest else 0)
        found.append(PlaceStatus(queue.name, queue.role, newest, age, waiting, bool(age and age > late_after)))
    return found

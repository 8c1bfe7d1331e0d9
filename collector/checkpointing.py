"""Checkpoints as the configuration asks for them: taken when due, delivered, watched. The daemon's part beside reading.

It runs on a thread of its own: no signer, authority or anchor keeps a slot from being read.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from collector.anchors import Anchor, anchor_type
from collector.cadence import parse_duration
from collector.checkpoints import Checkpointer
from collector.clock import Clock, iso
from collector.config import Config
from collector.deliveries import Deliveries, PlaceStatus, Queue, anchor_queue, authority_queue, place_statuses
from collector.errors import BusyError, ConfigError, EvidencedError, IntegrityError, KeeperError
from collector.restore import SIGNER, compare
from collector.signer import FileSigner, LogSigner, SocketSigner
from collector.store import Store
from collector.timestamps import Authority

_RETRY = timedelta(minutes=1)


def open_signer(config: Config) -> LogSigner:
    """Return the signer that *config* names. Raises `ConfigError` when it names none."""
    settings = config.checkpoints
    if settings.signer:
        return SocketSigner(settings.socket_path(config.path))
    if not settings.keys:
        raise ConfigError(
            f"{config.path}: checkpoints.keys names no key, so nobody signs this log",
            hint='Write under [checkpoints]: keys = ["file:/absolute/path/signing.key"]; '
            "then `evidenced keys create` makes it.",
        )
    return FileSigner(settings.keys, settings.memory_path(config.path))


def open_anchors(config: Config) -> dict[str, Anchor]:
    """Return the anchors that *config* names. Raises `ConfigError`."""
    named = config.checkpoints.anchors
    return {name: anchor_type(settings.type).open(name, settings) for name, settings in named.items()}


def open_queues(config: Config, store: Store) -> list[Queue]:
    """Return the queue of every authority and anchor that *config* names. Raises `ConfigError`."""
    settings = config.checkpoints
    authorities = [
        authority_queue(store, name, Authority(name, each.url, settings.roots_path(config.path, name)))
        for name, each in settings.authorities.items()
    ]
    return authorities + [anchor_queue(store, name, anchor) for name, anchor in open_anchors(config).items()]


def places(config: Config, store: Store, now: datetime) -> list[PlaceStatus]:
    """Return how every authority and anchor that *config* names stands at *now*. None of them is asked."""
    late_after = parse_duration(config.checkpoints.late_after)
    return place_statuses(store, open_queues(config, store), late_after, now)


def require_whole(config: Config, store: Store) -> frozenset[str]:
    """Raise `HistoryError` when *store* is behind or beside what the signer or an anchor knows: nothing is appended.

    Return the anchors that did not answer; they are logged and passed over.
    """
    signer = open_signer(config) if config.checkpoints.signs else None
    found = compare(store, signer, open_anchors(config))
    log = structlog.get_logger("checkpoints")
    if signer and store.checkpoints.last() and not any(head.where == SIGNER for head in found.heads):
        log.warning("the signer remembers nothing of this log, which has checkpoints; it begins with the next head")
    for error in found.unasked.values():
        log.warning("an anchor was not compared with", error=error.message)
    found.require_whole()
    return frozenset(found.unasked)


class Checkpointing:
    """What the daemon does for the log's checkpoints, at each `tick`.

    *unasked* are the anchors that `require_whole` could not ask: they are asked as soon as they answer.
    """

    def __init__(self, config: Config, store: Store, clock: Clock, unasked: frozenset[str] = frozenset()) -> None:
        self._store = store
        self._clock = clock
        self._log = structlog.get_logger("checkpoints")
        self._again = clock.now()
        self._ask_again = clock.now() + _RETRY
        self._unasked = unasked
        self._look_again = clock.now()
        self._late: set[str] = set()
        self._said = ""
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Take *config*. Raises `ConfigError`, and then goes on as before."""
        signs = config.checkpoints.signs
        checkpointer = Checkpointer(self._store, open_signer(config), self._clock) if signs else None
        deliveries = Deliveries(self._store, open_queues(config, self._store), self._clock)
        self._config, self._checkpointer, self._deliveries = config, checkpointer, deliveries
        self._again = self._clock.now()
        if not signs:
            self._log.warning(
                "the log is not signed", hint="Name a key under [checkpoints], then: evidenced keys create"
            )

    def tick(self) -> None:
        """Take a checkpoint when one is due and deliver what waits.

        Raises `StoreError`, and `IntegrityError` when the log does not extend what was signed: then nothing more may
        be appended.
        """
        if self._unasked and self._clock.now() >= self._ask_again:
            self._ask()
        due = self._checkpointer is not None and self._clock.now() >= self._again
        taken = self._checkpointer is not None and due and self._take(self._checkpointer)
        for place, error in self._deliveries.send(taken=taken, without=self._unasked).items():
            self._log.warning("a checkpoint is not delivered yet", to=place, error=error.message, hint=error.hint())
        self._look()

    def _take(self, checkpointer: Checkpointer) -> bool:
        every = parse_duration(self._config.checkpoints.every)
        due = checkpointer.due(every)
        if due > self._clock.now():
            self._again = due
            return False
        try:
            taken = checkpointer.take()
        except BusyError:
            return False  # somebody takes one by hand; the next tick sees it
        except (ConfigError, KeeperError) as error:
            self._again = self._clock.now() + _RETRY
            self._once("no checkpoint was taken", error)
            return False
        except IntegrityError:
            self._again = datetime.max.replace(tzinfo=due.tzinfo)
            raise
        self._said = ""
        self._again = taken.at + every
        self._log.info("checkpoint taken", size=taken.size, epoch=taken.epoch)
        for key in checkpointer.silent_keys(taken):
            self._log.warning("a key should sign and is not held by the signer", key=str(key))
        return True

    def _ask(self) -> None:
        """Compare the store with the anchors that were away; until then none of them takes a checkpoint."""
        anchors = {name: each for name, each in open_anchors(self._config).items() if name in self._unasked}
        signer = open_signer(self._config) if self._config.checkpoints.signs else None
        found = compare(self._store, signer, anchors)
        found.require_whole()
        self._unasked = frozenset(found.unasked)
        self._ask_again = self._clock.now() + _RETRY

    def _once(self, said: str, error: EvidencedError) -> None:
        if error.message != self._said:
            self._log.error(said, error=error.message, hint=error.hint())
        self._said = error.message

    def _look(self) -> None:
        """Say once of each authority and anchor that it has no recent checkpoint, and once that it has one again."""
        now = self._clock.now()
        if now < self._look_again:
            return
        self._look_again = now + _RETRY
        found = {f"{each.role} {each.name}": each for each in places(self._config, self._store, now)}
        late = {name: each for name, each in found.items() if each.late}
        for name in late.keys() - self._late:
            newest = late[name].newest
            self._log.warning(
                "checkpoints are not getting out",
                to=name,
                newest=iso(newest.at) if newest else "never",
                waiting=late[name].waiting,
                late_after=self._config.checkpoints.late_after,
            )
        for name in (self._late - late.keys()) & found.keys():
            self._log.warning("checkpoints are getting out again", to=name)
        self._late = set(late)

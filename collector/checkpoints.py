"""Taking a checkpoint: the log's head as committed, signed by the signer, recorded with a leaf of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector.clock import Clock, to_ms
from collector.errors import ConfigError, QueryError
from collector.log.keys import KeyAct, KeyEvent, KeyTrust, signing, to_retire, trust
from collector.log.note import VerifierKey, parse_note
from collector.log.origin import log_name
from collector.signer import LogSigner
from collector.store import CheckpointRecord, Store

CHECKPOINT_LOCK = "checkpoint"


class Checkpointer:
    """Takes the checkpoints of *store*, and keeps the record of the keys that sign them."""

    def __init__(self, store: Store, signer: LogSigner, clock: Clock) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock

    @property
    def log(self) -> str:
        """The log's name, which is its keys' name too."""
        return log_name(self._store.id)

    def take(self) -> CheckpointRecord:
        """Sign the log's head and record it.

        Raises `HistoryError` when the log does not extend what was signed last, `ConfigError` when no key signs,
        `BusyError` when another process is at it.
        """
        with self._store.lock(CHECKPOINT_LOCK):
            self._retire()
            checkpoints = self._store.checkpoints
            keys = signing(self.keys())
            if not keys:
                raise ConfigError("no key signs this log", hint="`evidenced keys create` makes one and records it.")
            epoch, head, last = checkpoints.epoch(), checkpoints.head(), self._signer.recall(self.log)
            # Of what cannot be proved the signer is not spared the question: it is the one to refuse.
            provable = last is not None and last.epoch == epoch and last.size <= head.size
            proof = checkpoints.consistency(last.size, head.size) if last is not None and provable else []
            note = self._signer.sign(self.log, epoch, (head.size, head.root), proof, keys)
            return checkpoints.add(note, epoch)

    def due(self, every: timedelta) -> datetime:
        """Return when the next checkpoint is due: *every* after the last; at once when there is none."""
        last = self._store.checkpoints.last()
        return last.at + every if last else self._clock.now()

    def silent_keys(self, taken: CheckpointRecord) -> tuple[VerifierKey, ...]:
        """Return the keys that are to sign and have not signed *taken*: the signer does not hold them."""
        signed = {(each.name, each.key_id) for each in parse_note(taken.note).signatures}
        return tuple(key for key in signing(self.keys()) if (key.name, key.id) not in signed)

    # Keys

    def keys(self) -> list[KeyTrust]:
        """Return every key of the log, oldest first."""
        return trust(self._store.checkpoints.key_events())

    def create_key(self, actor: str) -> KeyEvent:
        """Record the signer's first key, made now when it is not there yet.

        Raises `QueryError` when a key signs already, `ConfigError` when the signer has no place for one.
        """
        if signing(self.keys()):
            raise QueryError("a key signs this log already", hint="`evidenced keys rotate` puts another in its place.")
        return self._store.checkpoints.add_key(KeyEvent(KeyAct.CREATED, self._new_key(), 0, 0, actor=actor))

    def rotate_key(self, overlap: timedelta, actor: str, reason: str = "") -> KeyEvent:
        """Record the signer's next key, made now when it is not there yet; both sign until *overlap* has passed.

        Raises `QueryError` when no key, or more than one, signs now; `ConfigError` as `create_key`.
        """
        keys = signing(self.keys())
        if len(keys) != 1:
            raise QueryError(
                "a rotation is under way: two keys sign now" if keys else "there is no key to rotate",
                hint="Wait until the overlap is over; `evidenced keys show` tells when."
                if keys
                else "`evidenced keys create` makes the first.",
            )
        until = to_ms(self._clock.now() + overlap)
        event = KeyEvent(KeyAct.ROTATED, self._new_key(), 0, 0, keys[0], until, reason=reason, actor=actor)
        return self._store.checkpoints.add_key(event)

    def revoke_key(self, id_: str, last_size: int | None, actor: str, reason: str) -> KeyEvent:
        """Record that the key with the id *id_* (hex) is trusted up to *last_size* and signs no more.

        *last_size* left out is that of the last checkpoint. Raises `QueryError` when there is no such key.
        """
        found = next((each for each in self.keys() if each.key.id.hex() == id_.lower()), None)
        if found is None:
            raise QueryError(f"no key of this log has the id {id_}", hint="`evidenced keys show` lists them.")
        last = self._store.checkpoints.last()
        size = last_size if last_size is not None else last.size if last else 0
        if not 0 <= size <= self._store.checkpoints.head().size:
            raise QueryError(f"the log never had {size} leaves", hint="`evidenced log show` lists its checkpoints.")
        event = KeyEvent(KeyAct.REVOKED, found.key, 0, 0, until=size, reason=reason, actor=actor)
        return self._store.checkpoints.add_key(event)

    def _new_key(self) -> VerifierKey:
        recorded = {each.key for each in self.keys()}
        fresh = [key for key in self._signer.held(self.log) if key not in recorded]
        key = fresh[0] if fresh else self._signer.create(self.log)
        if key.name != self.log:
            raise ConfigError(f"the key is named {key.name}, and this log {self.log}: it is another log's key")
        return key

    def _retire(self) -> None:
        """Record the end of each overlap that is over, once both keys have signed one checkpoint together."""
        last = self._store.checkpoints.last()
        if last is None:
            return
        signed = {(each.name, each.key_id) for each in parse_note(last.note).signatures}
        for old in to_retire(self.keys(), to_ms(self._clock.now())):
            pair = (old.key, old.replaced_by)
            if all(key is not None and (key.name, key.id) in signed for key in pair):
                self._store.checkpoints.add_key(KeyEvent(KeyAct.RETIRED, old.key, 0, 0, until=last.size))

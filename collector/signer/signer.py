"""The signer itself: keys, memory, and the one rule. It signs a head only with a proof that it extends the last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collector.errors import ConfigError, HistoryError, IntegrityError
from collector.log.checkpoint import Checkpoint, sign_checkpoint
from collector.log.note import Signer, VerifierKey
from collector.log.origin import origin
from collector.log.tree import EMPTY_ROOT, verify_consistency
from collector.signer.keys import create_key, open_key
from collector.signer.memory import Memory, Remembered


class FileSigner:
    """A `LogSigner` in this process: keys by *references*, read each time they are used; *memory* is a file."""

    def __init__(self, references: Sequence[str], memory: Path) -> None:
        self._references = tuple(references)
        self._memory = Memory(memory)

    def held(self, log: str) -> tuple[VerifierKey, ...]:
        """See `LogSigner.held`."""
        return tuple(each.key for each in self._open(log))

    def create(self, name: str) -> VerifierKey:
        """See `LogSigner.create`."""
        for reference in self._references:
            if open_key(reference, name) is None:
                return create_key(reference, name).key
        raise ConfigError(
            "every key that `checkpoints.keys` names is there already",
            hint='Name the new one first: keys = [..., "file:/absolute/path"].',
        )

    def recall(self, log: str) -> Remembered | None:
        """See `LogSigner.recall`."""
        with self._memory.held():
            return self._memory.recall(log)

    def sign(
        self, log: str, epoch: int, head: tuple[int, bytes], proof: Sequence[bytes], keys: Sequence[VerifierKey]
    ) -> bytes:
        """See `LogSigner.sign`."""
        size, root = head
        signers = [each for each in self._open(log) if each.key in keys]
        if not signers:
            raise ConfigError(
                "the signer holds no key that is to sign", hint="`evidenced keys show` tells which are; name them."
            )
        with self._memory.held():
            _require_extension(self._memory.recall(log), log, epoch, head, proof)
            note = sign_checkpoint(Checkpoint(origin(log, epoch), size, root), signers)
            # Before the signature leaves: one that was given and forgotten could be given again for another history.
            self._memory.remember(log, Remembered(epoch, size, root, note))
        return note

    def begin_epoch(self, log: str, epoch: int) -> None:
        """See `LogSigner.begin_epoch`."""
        with self._memory.held():
            last = self._memory.recall(log)
            if last is not None and (epoch < last.epoch or (epoch == last.epoch and last.size)):
                raise HistoryError(f"epoch {epoch} of {log} was signed already; a new one comes after {last.epoch}")
            self._memory.remember(log, Remembered(epoch, 0, EMPTY_ROOT, b""))

    def _open(self, log: str) -> list[Signer]:
        keys = [open_key(each, log) for each in self._references]
        return [key for key in keys if key is not None]


def _require_extension(
    last: Remembered | None, log: str, epoch: int, head: tuple[int, bytes], proof: Sequence[bytes]
) -> None:
    """Raise `HistoryError` unless *proof* shows that *head* extends *last*."""
    size, root = head
    if last is None:
        return
    if epoch != last.epoch:
        raise HistoryError(f"the log {log} comes in epoch {epoch}; the last head signed was of epoch {last.epoch}")
    if size < last.size:
        raise HistoryError(f"the log {log} shrank: {last.size} leaves were signed, now it has {size}")
    try:
        verify_consistency(last.size, size, last.root, root, proof)
    except IntegrityError as error:
        raise HistoryError(
            f"the log {log} forked after what was signed at size {last.size}: {error.message}"
        ) from error

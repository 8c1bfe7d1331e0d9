"""What a signer does for whoever keeps the log, wherever it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from collector.log.note import VerifierKey
from collector.signer.memory import Remembered


class LogSigner(Protocol):
    """Signs heads of logs, each only when it extends the last one it signed."""

    def held(self, log: str) -> tuple[VerifierKey, ...]:
        """Return the public halves of the keys it holds; one without a name of its own bears that of *log*.

        Raises `ConfigError` for a key it cannot use, `KeeperError` when a key's keeper does not answer.
        """

    def create(self, name: str) -> VerifierKey:
        """Make the key that is named by its configuration and not there yet, call it *name*, return its public half.

        Raises `ConfigError` when every key it is told of is there.
        """

    def recall(self, log: str) -> Remembered | None:
        """Return the last head of *log* that it signed, or None. Raises `IntegrityError` for a spoilt memory."""

    def sign(
        self, log: str, epoch: int, head: tuple[int, bytes], proof: Sequence[bytes], keys: Sequence[VerifierKey]
    ) -> bytes:
        """Return the checkpoint of *log* at *head* (size, root) as a note signed by those of *keys* that it holds.

        *proof* is the consistency proof from the size it recalls, empty when it recalls nothing. Raises
        `HistoryError` when *head* does not extend what it recalls, `ConfigError` when it holds none of *keys*,
        `KeeperError` as `held`.
        """

    def begin_epoch(self, log: str, epoch: int) -> None:
        """Let go of the last head of *log*: its loss was declared. Raises `HistoryError` unless *epoch* is new."""

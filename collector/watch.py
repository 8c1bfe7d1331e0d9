"""Who looks on while the daemon reads: told of each thing as it happens, and able to hold up nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from collector.model import Run


class Watcher(Protocol):
    """Hears of the reading, from several threads at once. It neither waits nor raises."""

    def reading(self, source: str) -> AbstractContextManager[None]:
        """Return what is entered for as long as one run of *source* is under way."""

    def recorded(self, source: str, runs: Sequence[Run], seconds: float) -> None:
        """Hear that a sweep of *source* took so many *seconds*, and of its *runs*, which are recorded."""

    def missed(self, source: str, slots: int) -> None:
        """Hear that so many *slots* of *source* passed unread, and that this is recorded."""


class Nobody:
    """A `Watcher` for when nobody looks on."""

    def reading(self, _source: str) -> AbstractContextManager[None]:
        """See `Watcher.reading`."""
        return nullcontext()

    def recorded(self, _source: str, _runs: Sequence[Run], _seconds: float) -> None:
        """See `Watcher.recorded`."""

    def missed(self, _source: str, _slots: int) -> None:
        """See `Watcher.missed`."""


NOBODY = Nobody()

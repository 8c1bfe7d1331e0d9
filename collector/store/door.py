"""Where sweeps wait for the writer: those that wait at the same time are committed together, by one flush of the disk.

Each has its own leaf, and is acknowledged only after the commit. When anything is wrong with one of them, nothing of
the group is recorded, and each is then recorded, or refused, by itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from collector.errors import EvidencedError
from collector.model import Sweep
from collector.store.records import Receipt

MOST = 32
"""So many sweeps are committed together at most: a transaction holds up who takes a checkpoint or stages contents."""

Append = Callable[[Sequence[Sweep]], list[Receipt]]
"""Records sweeps in one transaction, and returns their receipts after the commit."""


@dataclass(eq=False, slots=True)
class _Waiting:
    sweep: Sweep
    receipt: Receipt | None = None
    tried: bool = False


class Door:
    """The door of one store; used by many threads at once."""

    def __init__(self, append: Append) -> None:
        self._append = append
        self._waiting: deque[_Waiting] = deque()
        self._passing = threading.Lock()

    def append(self, sweep: Sweep) -> Receipt:
        """Record *sweep*, perhaps with others, and return its receipt. Raises what recording it alone raises."""
        mine = _Waiting(sweep)
        self._waiting.append(mine)
        with self._passing:
            while not mine.tried:
                self._record([self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))])
            # Still in the door: whoever comes meanwhile waits for the next commit, not for a lock of its own.
            return mine.receipt or self._append([sweep])[0]

    def _record(self, group: Sequence[_Waiting]) -> None:
        """Record *group* if it is one; what is left without a receipt is for those who wait to try again."""
        try:
            if len(group) > 1:
                with suppress(EvidencedError):
                    receipts = self._append([each.sweep for each in group])
                    for each, receipt in zip(group, receipts, strict=True):
                        each.receipt = receipt
        finally:
            for each in group:
                each.tried = True

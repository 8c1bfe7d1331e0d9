"""What the writer knows of the end of the store without asking: so that what is unchanged costs no read.

It is true as long as the log has the size that it had when this was learnt: whoever else writes appends a leaf. A
writer whose transaction fails must `forget`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from collector.log import ledger
from collector.model import Json
from collector.store.checkpoints import quoted
from collector.store.frames import Frame
from collector.store.populations import State, latest_state
from collector.store.tables import sweep


@dataclass
class Recent:
    """The last states, frames and sweeps, by number of subject or source. For the writer alone, behind its lock."""

    _size: int = -1
    _states: dict[int, State | None] = field(default_factory=dict)
    _frames: dict[int, tuple[Frame, int]] = field(default_factory=dict)
    _dues: dict[int, int] = field(default_factory=dict)
    _sweep: int | None = None
    _quote: dict[str, Json] | None = None
    _tip: ledger.Tip | None = None

    @property
    def tip(self) -> ledger.Tip:
        """The end of the log, in the transaction that was begun."""
        assert self._tip is not None, "a writer begins first"
        return self._tip

    def forget(self) -> None:
        """Drop everything; it is read again when it is needed."""
        self._size, self._sweep, self._quote = -1, None, None
        self._states, self._frames, self._dues = {}, {}, {}

    def begin(self, conn: Connection) -> bool:
        """Lock the log, forget what another process may have changed, and tell whether there was."""
        self._tip = ledger.Tip(conn)
        size = self._tip.size
        other = size != self._size
        if other:
            self.forget()
        self._size = size
        return other

    def appended(self, leaf: int) -> None:
        """Note that this transaction has appended *leaf*."""
        self._size = leaf + 1

    def state(self, conn: Connection, subject: int) -> State | None:
        """Return the last state of *subject*, or None before the first."""
        if subject not in self._states:
            self._states[subject] = latest_state(conn, subject)
        return self._states[subject]

    def begun(self, subjects: Iterable[int]) -> None:
        """Note that *subjects* are new: there is no state of them."""
        self._states.update(dict.fromkeys(subjects))

    def reached(self, subject: int, state: State) -> None:
        """Note that *subject* has a new last state."""
        self._states[subject] = state

    def frame(self, source: int) -> tuple[Frame, int] | None:
        """Return the frame that *source* used last and the id it is stored under, if it is known."""
        return self._frames.get(source)

    def frame_id(self, source: int, frame: Frame) -> int | None:
        """Return the id that *frame* is stored under, if *source* used it last."""
        found = self._frames.get(source)
        return found[1] if found and found[0] is frame else None

    def framed(self, source: int, frame: Frame, artifact: int) -> None:
        """Note which frame *source* uses."""
        self._frames[source] = frame, artifact

    def quote(self, conn: Connection) -> dict[str, Json]:
        """Return what the leaf of a sweep says of the last checkpoint."""
        if self._quote is None:
            self._quote = quoted(conn)
        return self._quote

    def last_due(self, conn: Connection, source: int) -> int:
        """Return the latest due time in ms of any sweep of *source*; -1 before the first."""
        if source not in self._dues:
            found = conn.execute(select(func.max(sweep.c.due)).where(sweep.c.source == source)).scalar()
            self._dues[source] = -1 if found is None else int(found)
        return self._dues[source]

    def next_sweep(self, conn: Connection) -> int:
        """Return the id of the sweep to be written."""
        if self._sweep is None:
            self._sweep = int(conn.execute(select(func.coalesce(func.max(sweep.c.id), 0))).scalar_one())
        return self._sweep + 1

    def swept(self, number: int, source: int, due: int) -> None:
        """Note that sweep *number* of *source* was written."""
        self._sweep = number
        self._dues[source] = max(self._dues.get(source, -1), due)

"""What the pages of the slot ledger settle of the slots that were due, and which slots are left to be looked at.

A stretch settles slots where it plainly fits: it holds due slots, one after the other, nothing else was recorded for
them, and no run of it finished so late that it could have ended a gap after it. Whatever does not fit is left to the
arithmetic of `collector.coverage`, with its runs as their sheets have them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from collector.ask.dues import Dues
from collector.clock import from_ms
from collector.coverage import SlotOutcome
from collector.model import Detail, Outcome, Slot, Subject

if TYPE_CHECKING:
    from collector.store import Page, Stretch


class Settled(NamedTuple):
    """The slots ``[start, end)`` of *stretch*, counted from 0: due and collected as scheduled.

    They were due from *first* to *last*, and the last of their runs can have finished at *latest*, all in ms.
    """

    subject: Subject
    page: Page
    stretch: Stretch
    start: int
    end: int
    first: int
    last: int
    latest: int

    @classmethod
    def of(cls, subject: Subject, page: Page, stretch: Stretch, start: int, end: int) -> Settled:
        """Return the slots ``[start, end)`` of *stretch* as settled."""
        first, last = (stretch.first + stretch.step * each for each in (start, end - 1))
        return cls(subject, page, stretch, start, end, first, last, last + stretch.slowest)

    def runs(self, after: int | None = None) -> Iterator[str]:
        """Yield the ids of their runs; with *after* of those that can have finished later than that (ms)."""
        for number in range(self.start, self.end):
            due = self.stretch.first + self.stretch.step * number
            if after is None or due + self.stretch.slowest > after:
                yield self.page.run(self.stretch, number)

    def between(self, start: int, end: int) -> Iterator[tuple[Detail, int]]:
        """Yield details and how many of the slots that were due in ``[start, end)`` (ms) had them."""
        first, step = self.stretch.first, self.stretch.step or 1
        begin, stop = (max(self.start, min(self.end, -((first - each) // step))) for each in (start, end))
        return self.stretch.part(begin, stop)

    def beginning(self) -> SlotOutcome:
        """Return what became of the first of them."""
        detail = next(self.stretch.part(self.start, self.start + 1))[0]
        slot = Slot(self.subject, from_ms(self.first))
        return SlotOutcome(slot, Outcome.COLLECTED, detail, None, "", self.page.run(self.stretch, self.start))


@dataclass
class Fit:
    """*settled* slots, the ones that are *left*, *ends* of what may be gaps, and runs (ids) to be *opened*."""

    settled: list[Settled] = field(default_factory=list)
    left: list[Slot] = field(default_factory=list)
    ends: list[SlotOutcome] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)

    def add(
        self, subject: Subject, dues: Sequence[Dues], held: Iterable[tuple[Page, Stretch]], others: Iterable[int]
    ) -> None:
        """Fit what was *held* of *subject* to its *dues*; *others* are the due times of its other scheduled runs."""
        settled = sorted(self._placed(subject, dues, held), key=attrgetter("first", "last"))
        settled = self._alone(settled, sorted(others))
        self.settled += settled
        lasts = list(accumulate((each.latest for each in settled), max))
        at = dues[0].start if dues else 0
        for number, each in enumerate([*settled, None]):
            until = dues[-1].end if each is None else each.first
            left = [due for piece in dues if piece.start < until and at < piece.end for due in piece.between(at, until)]
            if left:
                self.left += [Slot(subject, from_ms(due)) for due in left]
                self._look_back(settled, lasts, number, left[0])
                if each is not None:
                    self.ends.append(each.beginning())
            if each is not None:
                at = each.last + 1

    def _placed(
        self, subject: Subject, dues: Sequence[Dues], held: Iterable[tuple[Page, Stretch]]
    ) -> Iterator[Settled]:
        starts = [piece.start for piece in dues]
        for page, stretch in held:
            piece = _piece(dues, starts, stretch.first)
            if piece is not None and piece.holds(stretch.first, stretch.step, stretch.slots):
                yield Settled.of(subject, page, stretch, 0, stretch.slots)
                continue
            for number in range(stretch.slots):
                due = stretch.first + stretch.step * number
                piece = _piece(dues, starts, due)
                if piece is not None and piece.holds(due, 0, 1):
                    yield Settled.of(subject, page, stretch, number, number + 1)
                elif dues and due + stretch.slowest > dues[0].start and due < dues[-1].end:
                    self.opened.add(page.run(stretch, number))

    def _alone(self, settled: Sequence[Settled], others: Sequence[int]) -> list[Settled]:
        """Return those of *settled* (by time) beside whose slots nothing else is recorded; open the others' runs."""
        doubtful: set[int] = set()
        furthest = 0
        for number, each in enumerate(settled[1:], 1):
            if each.first <= settled[furthest].last:
                doubtful |= {furthest, number}
            if each.last > settled[furthest].last:
                furthest = number
        firsts = [each.first for each in settled]
        for due in others:
            at = bisect_right(firsts, due) - 1
            if at >= 0 and due <= settled[at].last:
                doubtful.add(at)
        for number in doubtful:
            self.opened.update(settled[number].runs())
        return [each for number, each in enumerate(settled) if number not in doubtful]

    def _look_back(self, settled: Sequence[Settled], lasts: Sequence[int], before: int, due: int) -> None:
        """Open the runs of settled slots that can have finished after *due*, when a slot was that is left."""
        number = before - 1
        while number >= 0 and lasts[number] > due:
            if settled[number].latest > due:
                self.opened.update(settled[number].runs(after=due))
            number -= 1


def _piece(dues: Sequence[Dues], starts: Sequence[int], due: int) -> Dues | None:
    at = bisect_right(starts, due) - 1
    return dues[at] if at >= 0 and due < dues[at].end else None

"""What the pages of the slot ledger settle of the slots that were due, and which slots are left to be looked at.

A stretch settles slots where it plainly fits: it holds due slots, one after the other, nothing else was recorded for
them, and no run of it finished so late that it could have ended a gap after it. Whatever does not fit is left to the
arithmetic of `collector.coverage`, with its runs as their sheets have them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING

from collector.ask.dues import Dues
from collector.clock import from_ms
from collector.coverage import SlotOutcome
from collector.model import Slot, Subject

if TYPE_CHECKING:
    from collector.store import Held


@dataclass
class Fit:
    """*settled* slots, those *found* to have come to something else, and those that are *left* to be looked at.

    Of subjects that are *doubted*, all that is recorded is to be looked at. *ends* are slots collected after some that
    were not (subject, due, run): there a gap ends. *opened* are runs (ids) whose sheets are to be opened.
    """

    settled: list[Held] = field(default_factory=list)
    found: list[SlotOutcome] = field(default_factory=list)
    left: list[Slot] = field(default_factory=list)
    doubted: set[Subject] = field(default_factory=set)
    ends: list[tuple[Subject, datetime, str]] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    _times: dict[int, datetime] = field(default_factory=dict)

    def add(
        self, subject: Subject, dues: Sequence[Dues], held: Iterable[Held], others: Mapping[int, SlotOutcome | None]
    ) -> None:
        """Fit what was *held* of *subject* to its *dues*; *others* is what its other scheduled runs say, by due time.

        None is of a slot of which several say something.
        """
        placed = sorted(self._placed(dues, held), key=attrgetter("first", "last"))
        settled = self._alone(placed, sorted(others))
        if len(settled) < len(placed) or None in others.values():
            # A slot may have several records, and which of them counts is not for here.
            self.doubted.add(subject)
            others = {}
        self.settled += settled
        lasts = list(accumulate((each.latest for each in settled), max))
        at = dues[0].start if dues else 0
        for number, each in enumerate([*settled, None]):
            until = dues[-1].end if each is None else each.first
            left = [due for piece in dues if piece.start < until and at < piece.end for due in piece.between(at, until)]
            if left:
                self._leave(subject, left, others)
                self._look_back(settled, lasts, number, left[0])
                if each is not None:
                    self.ends.append((subject, self._time(each.first), each.run(each.start)))
            if each is not None:
                at = each.last + 1

    def _leave(self, subject: Subject, left: Iterable[int], others: Mapping[int, SlotOutcome | None]) -> None:
        for due in left:
            said = others.get(due)
            if said is not None:
                self.found.append(said)
            else:
                self.left.append(Slot(subject, self._time(due)))

    def _time(self, ms: int) -> datetime:
        # The subjects of a source fall due together, and mostly fail together.
        found = self._times.get(ms)
        if found is None:
            found = self._times[ms] = from_ms(ms)
        return found

    def _placed(self, dues: Sequence[Dues], held: Iterable[Held]) -> Iterator[Held]:
        starts = [piece.start for piece in dues]
        begin, end = (dues[0].start, dues[-1].end) if dues else (0, 0)
        for each in held:
            stretch = each.stretch
            inside = begin <= each.first and each.last < end
            start, stop = (0, stretch.slots) if inside else stretch.within(begin, end)
            first = stretch.first + stretch.step * start
            piece = _piece(dues, starts, first)
            if start < stop and piece is not None and piece.holds(first, stretch.step, stop - start):
                yield each.part(start, stop)
            else:
                yield from self._one_by_one(dues, each, range(start, stop))
            # A run may have ended in the period whose slot was due before it.
            while dues and start and first - stretch.step + stretch.slowest > begin:
                start, first = start - 1, first - stretch.step
                self.opened.add(each.run(start))

    def _one_by_one(self, dues: Sequence[Dues], held: Held, numbers: Iterable[int]) -> Iterator[Held]:
        starts = [piece.start for piece in dues]
        for number in numbers:
            due = held.stretch.first + held.stretch.step * number
            piece = _piece(dues, starts, due)
            if piece is not None and piece.holds(due, 0, 1):
                yield held.part(number, number + 1)
            else:
                self.opened.add(held.run(number))

    def _alone(self, settled: Sequence[Held], others: Sequence[int]) -> list[Held]:
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

    def _look_back(self, settled: Sequence[Held], lasts: Sequence[int], before: int, due: int) -> None:
        """Open the runs of settled slots that can have finished after *due*, when a slot was that is left."""
        number = before - 1
        while number >= 0 and lasts[number] > due:
            if settled[number].latest > due:
                self.opened.update(settled[number].runs(after=due))
            number -= 1


def _piece(dues: Sequence[Dues], starts: Sequence[int], due: int) -> Dues | None:
    at = bisect_right(starts, due) - 1
    return dues[at] if at >= 0 and due < dues[at].end else None

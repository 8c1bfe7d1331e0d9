"""Slots of a subject that were collected one after the other, an equal time apart, as a few numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import add
from typing import NamedTuple

from collector.model import Detail, Subject
from collector.store.sheet_columns import DETAIL_LETTERS

PAGE = 64
"""How many sweeps of a source make a page of the slot ledger."""
BLOCK = 8
"""How many pages are read as one."""
LONGEST = BLOCK * PAGE
"""How many slots a stretch has at most that goes through several pages."""

_HELD = tuple(DETAIL_LETTERS[detail] for detail in Detail)


class Stretch(NamedTuple):
    """Scheduled runs that collected: as many *slots*, due at *first* (ms) and every *step* ms from there.

    Each finished after its slot was due, the *slowest* that many ms after. The run of slot *k* is at *position* in the
    sweep at place ``at + k * stride`` of the page. The slots came to the details of *letters*, in turn, as many to each
    as *lengths* says; *sums* has how many came to each `Detail`, in its order: numbers and text alone,
    for Python's collector of garbage walks through the objects of a year while somebody waits.
    """

    first: int
    step: int
    slots: int
    at: int
    stride: int
    position: int
    slowest: int
    letters: str
    lengths: tuple[int, ...]
    sums: tuple[int, ...]

    @classmethod
    def of(cls, numbers: Sequence[int], letters: str, lengths: tuple[int, ...]) -> Stretch:
        """Return the stretch with *numbers* (the first seven fields). Raises KeyError for an unknown letter."""
        sums = dict.fromkeys(_HELD, 0)
        for letter, count in zip(letters, lengths, strict=True):
            sums[letter] += count
        first, step, slots, at, stride, position, slowest = numbers
        return cls(first, step, slots, at, stride, position, slowest, letters, lengths, tuple(sums.values()))

    @property
    def last(self) -> int:
        """When the last slot was due, in ms."""
        return self.first + self.step * (self.slots - 1)

    def and_then(self, other: Stretch) -> Stretch | None:
        """Return this and *other* as one where *other* goes on, slot by slot, as this one does; else None.

        Not where a run was so slow that the next slot fell due before its end, nor beyond `LONGEST`: of a stretch that
        does not fit its plan every sheet is opened.
        """
        step, stride = (self.step, self.stride) if self.slots > 1 else (other.step, other.stride)
        slots, slowest = self.slots + other.slots, max(self.slowest, other.slowest)
        goes_on = (other.first, other.at) == (self.first + step * self.slots, self.at + stride * self.slots)
        if not goes_on or other.position != self.position or slowest > step or slots > LONGEST:
            return None
        if other.slots > 1 and (other.step, other.stride) != (step, stride):
            return None
        letters, lengths = self.letters + other.letters, (*self.lengths, *other.lengths)
        if self.letters[-1] == other.letters[0]:
            letters = self.letters + other.letters[1:]
            lengths = (*self.lengths[:-1], self.lengths[-1] + other.lengths[0], *other.lengths[1:])
        sums = tuple(map(add, self.sums, other.sums))
        return Stretch(self.first, step, slots, self.at, stride, self.position, slowest, letters, lengths, sums)

    def within(self, start: int, end: int) -> tuple[int, int]:
        """Return the first of the slots due in ``[start, end)`` (ms), counted from 0, and the one after the last."""
        first, step, slots = self.first, self.step or 1, self.slots
        return max(0, min(slots, -((first - start) // step))), max(0, min(slots, -((first - end) // step)))

    def counts(self, start: int, end: int) -> tuple[int, ...]:
        """Return how many of the slots ``[start, end)``, counted from 0, came to each detail, as *sums* does."""
        if start == 0 and end == self.slots:
            return self.sums
        found, done = dict.fromkeys(_HELD, 0), 0
        for letter, count in zip(self.letters, self.lengths, strict=True):
            found[letter] += max(0, min(end, done + count) - max(start, done))
            done += count
        return tuple(found.values())


class Held(NamedTuple):
    """The slots ``[start, end)`` of *stretch*, counted from 0; *sweeps* (ids) are those of its page.

    They were due from *first* to *last*, and the last of their runs can have finished at *latest*, all in ms.
    """

    subject: Subject
    sweeps: Sequence[int]
    stretch: Stretch
    start: int
    end: int
    first: int
    last: int
    latest: int

    @classmethod
    def of(cls, subject: Subject, sweeps: Sequence[int], stretch: Stretch, start: int, end: int) -> Held:
        """Return the slots ``[start, end)`` of *stretch*."""
        first, last = (stretch.first + stretch.step * each for each in (start, end - 1))
        return cls(subject, sweeps, stretch, start, end, first, last, last + stretch.slowest)

    def part(self, start: int, end: int) -> Held:
        """Return of them the slots ``[start, end)``, counted as in the stretch."""
        return (
            self
            if (start, end) == (self.start, self.end)
            else self.of(self.subject, self.sweeps, self.stretch, start, end)
        )

    def run(self, number: int) -> str:
        """Return the id of the run that collected slot *number* of the stretch."""
        stretch = self.stretch
        return f"{self.sweeps[stretch.at + number * stretch.stride]}-{stretch.position}"

    def runs(self, after: int | None = None) -> Iterator[str]:
        """Yield the ids of their runs; with *after* of those that can have finished later than that (ms)."""
        for number in range(self.start, self.end):
            due = self.stretch.first + self.stretch.step * number
            if after is None or due + self.stretch.slowest > after:
                yield self.run(number)

    def due_in(self, start: int, end: int) -> int:
        """Return how many of them were due in ``[start, end)`` (ms)."""
        if start <= self.first and self.last < end:
            return self.end - self.start
        begin, stop = self.stretch.within(start, end)
        return max(0, min(stop, self.end) - max(begin, self.start))

    def between(self, start: int, end: int) -> tuple[int, ...]:
        """Return how many of the slots that were due in ``[start, end)`` (ms) came to each `Detail`, in its order."""
        if start <= self.first and self.last < end:
            return self.stretch.counts(self.start, self.end)
        begin, stop = self.stretch.within(start, end)
        return self.stretch.counts(max(begin, self.start), min(stop, self.end))

"""Pages of the slot ledger: what became of the runs of some sweeps of one source, subject by subject.

Coverage asks of a year which slots were collected, and nearly all were, one hour after the other. A page says so in a
few bytes: a `Stretch` for runs that collected slots an equal time apart, and a line for every other run. Page after
page holds the next `PAGE` sweeps of its source, so that whatever is recorded late is in a later page; sweeps after the
last page are condensed when they are asked for.

A page is a projection: everything in it is in the sweeps' sheets, `evidenced verify` makes it again from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from operator import attrgetter

import orjson

from collector.canonical import canonical
from collector.clock import from_ms, to_ms
from collector.coverage import RunOutcome, SlotOutcome
from collector.errors import IntegrityError
from collector.model import Detail, Json, Outcome, Reason, Slot, Subject, Trigger
from collector.store.frames import Frame
from collector.store.sheet_columns import DETAIL_LETTERS
from collector.store.sheet_reading import Sheet
from collector.store.stretches import Held, Stretch

FORM = 1

_DETAILS: dict[str, Detail | None] = {letter: detail for detail, letter in DETAIL_LETTERS.items()}
_NONE = DETAIL_LETTERS[None]
_SCHEDULE = Trigger.SCHEDULE.value
_NOTHING_SAID = [Outcome.COLLECTED.value, None, ""]


@dataclass(frozen=True)
class Page:
    """What became of the runs of *sweeps* (ids, ascending). *others* are the runs that are in no stretch.

    In `joined` pages those of a subject come together.
    """

    sweeps: tuple[int, ...]
    stretches: Mapping[Subject, tuple[Stretch, ...]]
    others: tuple[RunOutcome, ...]

    @cached_property
    def held(self) -> Mapping[Subject, Sequence[Held]]:
        """The slots of its stretches, of each subject in the order recorded."""
        return {
            subject: [Held.of(subject, self.sweeps, each, 0, each.slots) for each in found]
            for subject, found in self.stretches.items()
        }

    @cached_property
    def outcomes(self) -> Mapping[Subject, Mapping[int, SlotOutcome | None]]:
        """What its *others* say of the slots that they were scheduled for, by due time in ms.

        None of a slot of which several say something.
        """
        found: dict[Subject, dict[int, SlotOutcome | None]] = {}
        for run in self.others:
            if run.trigger is Trigger.SCHEDULE:
                mine, at = found.setdefault(run.subject, {}), to_ms(run.due)
                slot = Slot(run.subject, run.due)
                said = SlotOutcome(slot, run.outcome, run.detail, run.reason, run.message, run.id)
                mine[at] = None if at in mine else said
        return found

    @cached_property
    def pieces(self) -> int:
        """How many stretches and other runs it has."""
        return sum(len(each) for each in self.stretches.values()) + len(self.others)

    @cached_property
    def subjects(self) -> frozenset[Subject]:
        """Whose runs it has."""
        return frozenset((*self.stretches, *(run.subject for run in self.others)))

    def within(self, holds: Callable[[Subject], bool]) -> Page:
        """Return this page without the runs of subjects that *holds* is false of."""
        if all(map(holds, self.subjects)):
            return self
        stretches = {subject: found for subject, found in self.stretches.items() if holds(subject)}
        return Page(self.sweeps, stretches, tuple(run for run in self.others if holds(run.subject)))


def joined(pages: Sequence[Page]) -> Page:
    """Return *pages* of one source, in the order recorded, as one: a stretch goes on through as many as continue it."""
    sweeps: list[int] = []
    stretches: dict[Subject, list[Stretch]] = {}
    for page in pages:
        for subject, found in page.stretches.items():
            mine = stretches.setdefault(subject, [])
            for each in found:
                moved = each._replace(at=each.at + len(sweeps)) if sweeps else each
                whole = mine[-1].and_then(moved) if mine else None
                if whole is None:
                    mine.append(moved)
                else:
                    mine[-1] = whole
        sweeps += page.sweeps
    others = tuple(sorted((run for page in pages for run in page.others), key=attrgetter("subject")))
    return Page(tuple(sweeps), {subject: tuple(each) for subject, each in stretches.items()}, others)


@dataclass
class Draft:
    """A page being made: give it the sheets of sweeps in the order recorded; *numbers* are those of the subjects."""

    numbers: Mapping[Subject, int]
    sweeps: list[int] = field(default_factory=list)
    since: int = 0
    until: int = 0
    _open: dict[int, list[Json]] = field(default_factory=dict)
    _closed: list[list[Json]] = field(default_factory=list)
    _others: list[list[Json]] = field(default_factory=list)
    _said: dict[str, int] = field(default_factory=dict)
    _lines: tuple[Frame, list[int]] | None = None

    def add(self, sheet: Sheet, since: int, until: int) -> None:
        """Take the next *sheet*; *since* and *until* are the earliest due time and the last finish of its runs."""
        place = len(self.sweeps)
        self.since = min(self.since, since) if place else since
        self.until = max(self.until, until) if place else until
        self.sweeps.append(sheet.place.sweep)
        lines = self._subjects_of(sheet.frame)
        for position, (line, due, finished, letter, note, trigger) in enumerate(sheet.plain()):
            good = note is None or note[:3] == _NOTHING_SAID
            if good and finished > due and trigger == _SCHEDULE and letter != _NONE:
                self._collected(lines[line], place, position, due, finished - due, letter)
            else:
                outcome, reason, message = note[:3] if note else _NOTHING_SAID
                words = self._said.setdefault(str(message), len(self._said))
                self._others.append(
                    [lines[line], place, position, due, finished, outcome, letter, reason, words, trigger]
                )

    def _subjects_of(self, frame: Frame | None) -> Sequence[int]:
        if frame is None:
            return ()
        # Frames are compared by identity: their lines are many, and hashing a subject takes longer than all the rest.
        if self._lines is None or self._lines[0] is not frame:
            self._lines = frame, [self.numbers[line.subject] for line in frame.lines]
        return self._lines[1]

    def _collected(self, number: int, place: int, position: int, due: int, took: int, letter: str) -> None:
        # [subject, first, step, count, at, stride, position, slowest, letters]
        found = self._open.get(number)
        if found is not None:
            _, first, step, count, at, stride, where, slowest, letters = found
            if count == 1 and due > first and place > at:
                step, stride = due - first, place - at
            if position == where and place > at and due == first + step * count and place == at + stride * count:
                found[2], found[3], found[5] = step, count + 1, stride
                if took > slowest:
                    found[7] = took
                letters.append(letter)
                return
            self._closed.append(found)
        self._open[number] = [number, due, 0, 1, place, 0, position, took, [letter]]

    def document(self) -> bytes:
        """Return the page as it is stored."""
        stretches = sorted((*self._closed, *self._open.values()), key=lambda each: (each[0], each[4], each[6]))
        document = {
            "version": FORM,
            "sweeps": [self.sweeps[0], *(after - before for before, after in pairwise(self.sweeps))],
            "stretches": [[*each[:8], *_lengths(each[8])] for each in stretches],
            "others": self._others,
            "said": list(self._said),
        }
        return canonical(document)


def _lengths(letters: Iterable[str]) -> Iterator[Json]:
    for letter, run in groupby(letters):
        yield letter
        yield sum(1 for _ in run)


def read_page(data: bytes, subjects: Mapping[int, Subject]) -> Page:
    """Return the page that a `Draft` made *data* of. Raises `IntegrityError` when it is none."""
    try:
        found = orjson.loads(data)
        if found["version"] != FORM:
            raise ValueError("its form is unknown")
        sweeps = tuple(accumulate(found["sweeps"]))
        stretches: dict[Subject, list[Stretch]] = {}
        for number, *numbers in found["stretches"]:
            found_so = Stretch.of(numbers[:7], "".join(numbers[7::2]), tuple(numbers[8::2]))
            stretches.setdefault(subjects[number], []).append(found_so)
        others = tuple(_other(each, sweeps, found["said"], subjects) for each in found["others"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise IntegrityError(f"a page of the slot ledger cannot be read: {type(error).__name__}: {error}") from error
    return Page(sweeps, {subject: tuple(each) for subject, each in stretches.items()}, others)


def _other(
    line: Sequence[Json], sweeps: Sequence[int], said: Sequence[str], subjects: Mapping[int, Subject]
) -> RunOutcome:
    number, place, position, due, finished, outcome, letter, reason, words, trigger = line
    return RunOutcome(
        f"{sweeps[place]}-{position}",
        subjects[number],
        from_ms(due),
        from_ms(finished),
        Outcome(outcome),
        _DETAILS[letter],
        Reason(reason) if reason else None,
        said[words],
        Trigger(trigger),
    )

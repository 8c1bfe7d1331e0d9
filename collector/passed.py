"""Which record of slots missed holds a slot: an index over intervals that may nest, overlap and come in any order."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from collector.model import Missed, Slot, Subject


class Passed:
    """Finds the record of slots missed that holds a slot; of several, the one whose interval begins first."""

    def __init__(self, missed: Iterable[Missed]) -> None:
        self._whole: dict[str, list[Missed]] = defaultdict(list)
        self._named: dict[Subject, list[Missed]] = defaultdict(list)
        self._pieces: dict[Subject | str, tuple[list[datetime], list[tuple[datetime, str]]]] = {}
        for each in missed:
            if each.subjects is None:
                self._whole[each.source].append(each)
            for subject in each.subjects or ():
                if subject.source == each.source:
                    self._named[subject].append(each)

    def cause(self, slot: Slot) -> str | None:
        """Return why *slot* was missed, or None when no record says that it was."""
        # Most subjects are named in no record: they share their source's intervals.
        key = slot.subject if slot.subject in self._named else slot.subject.source
        if key not in self._pieces:
            named = self._named.get(slot.subject, [])
            self._pieces[key] = _disjoint([*named, *self._whole.get(slot.subject.source, [])])
        starts, pieces = self._pieces[key]
        at = bisect_right(starts, slot.due) - 1
        return pieces[at][1] if at >= 0 and slot.due < pieces[at][0] else None


def _disjoint(missed: Sequence[Missed]) -> tuple[list[datetime], list[tuple[datetime, str]]]:
    """Return the starts, and the (end, cause) of each, of pieces that cover what *missed* covers without overlap."""
    starts: list[datetime] = []
    pieces: list[tuple[datetime, str]] = []
    for each in sorted(missed, key=lambda each: (each.period.start, each.period.end, each.cause)):
        start = max(each.period.start, pieces[-1][0]) if pieces else each.period.start
        if start < each.period.end:
            starts.append(start)
            pieces.append((each.period.end, each.cause))
    return starts, pieces

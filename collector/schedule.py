"""Which slots are due when: pure arithmetic over plans (design 5). The daemon's ticks only ask these questions."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

from collector.cadence import Cadence, parse_duration
from collector.model import Period, Slot, Subject
from collector.plan import Plan, PlannedSource

__all__ = ["Cadence", "exclusions", "parse_duration", "reigns", "slots", "slots_through"]

_ALWAYS = datetime.min.replace(tzinfo=UTC)


def slots(plan: Plan, period: Period, source: str | None = None) -> Iterator[Slot]:
    """Yield every slot that *plan* expects in *period* (half-open), by due time, then subject; each once.

    Slots of excluded kinds and scopes are among them: that they were not to be read is their known outcome.
    *source* restricts to one source; a name the plan does not know has no slots. The plan's validity is not looked at.
    """
    chosen = [each for each in plan.sources if source is None or each.name == source]
    groups = [(each, *group) for each in chosen for group in each.by_cadence.items()]
    streams = [_marked(number, planned, cadence, period) for number, (planned, cadence, _) in enumerate(groups)]
    together: dict[tuple[int, ...], list[Subject]] = {}
    for due, marks in groupby(heapq.merge(*streams), key=lambda each: each[0]):
        numbers = tuple(number for _, number in marks)
        if numbers not in together:
            together[numbers] = sorted(subject for number in numbers for subject in groups[number][2])
        yield from (Slot(subject, due) for subject in together[numbers])


def slots_through(plans: Sequence[Plan], period: Period, source: str | None = None) -> Iterator[Slot]:
    """Yield the slots of *period* as expected at the time: each plan's, while it ruled (see `reigns`).

    A time before the first plan has no slots. Order and edges are those of `slots`.
    """
    for plan, reign in reigns(plans, period):
        yield from slots(plan, reign, source)


def reigns(plans: Sequence[Plan], period: Period) -> list[tuple[Plan, Period]]:
    """Return which of *plans* (any order) ruled in which part of *period*, ascending, without overlap.

    At an instant the highest version valid by then rules (of equal versions, the one valid from later on); a plan
    without *valid_from* always was valid.
    """
    found: list[tuple[Plan, Period]] = []
    end = period.end
    for plan in _newest_first(plans):
        start = max(plan.valid_from or _ALWAYS, period.start)
        if start < end:
            found.append((plan, Period(start, end)))
            end = start
    return found[::-1]


def exclusions(plans: Sequence[Plan]) -> Callable[[Slot], str]:
    """Return the question "why was this slot not to be read?", answered by the plan that ruled when it fell due."""
    newest_first = _newest_first(plans)

    def excluded(slot: Slot) -> str:
        for plan in newest_first:
            if (plan.valid_from or _ALWAYS) <= slot.due:
                return plan.excluded(slot.subject)
        return ""

    return excluded


def _newest_first(plans: Sequence[Plan]) -> list[Plan]:
    return sorted(plans, key=lambda each: (each.version, each.valid_from or _ALWAYS), reverse=True)


def _marked(number: int, source: PlannedSource, cadence: str, period: Period) -> Iterator[tuple[datetime, int]]:
    times = Cadence.parse(cadence, source.timezone, source.daily_at).occurrences(period, source.offset)
    return ((due, number) for due in times)

"""Which slots to read now, which have passed: the pure half of dispatching (design 5)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.model import Missed, Period, Slot, Subject, Trigger

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """One run to be made for a slot, or (ad hoc, first reading) outside of any."""

    subject: Subject
    due: datetime
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Due:
    """What a tick found: runs to make, and slots that passed unread."""

    orders: tuple[Order, ...]
    passed: tuple[Slot, ...]


def due(
    pending: Iterable[Slot],
    *,
    now: datetime,
    grace: timedelta,
    recorded: Collection[Slot] = (),
    skipped: Callable[[Subject], bool] = lambda _: False,
) -> Due:
    """Sort *pending* slots (any order, all due by *now*) into runs to make and slots that passed.

    Of each subject only the latest slot is read: as scheduled when it is at most *grace* late, else as a catch-up,
    and then the slot itself has passed. Earlier ones have passed. *recorded* slots have an outcome already and
    *skipped* subjects (excluded ones) are recorded by the plan; neither is read or passed.
    """
    latest: dict[Subject, Slot] = {}
    passed: list[Slot] = []
    for slot in sorted(pending, key=lambda each: each.due):
        if skipped(slot.subject) or slot in recorded:
            continue
        before = latest.get(slot.subject)
        if before is not None:
            passed.append(before)
        latest[slot.subject] = slot
    orders = []
    for subject, slot in latest.items():
        late = now - slot.due > grace
        orders.append(Order(subject, slot.due, Trigger.CATCH_UP if late else Trigger.SCHEDULE))
        if late:
            passed.append(slot)
    return Due(tuple(sorted(orders)), tuple(sorted(passed, key=lambda each: (each.due, each.subject))))


def missed(
    found: Due, *, source: str, since: datetime, until: datetime, plan_version: int, cause: Callable[[datetime], str]
) -> list[Missed]:
    """Return *found*'s passed slots as records of at most a few intervals.

    Up to the first slot that is still read as scheduled, every slot of the source after *since* has passed: one
    interval ``(since, cut)`` says so. Later passed slots (overtaken by one that is read) are named one by one.
    *until* ends the first interval where nothing is read as scheduled; *cause* words the cause for a due time.
    """
    if not found.passed:
        return []
    cut = min((order.due for order in found.orders if order.trigger is Trigger.SCHEDULE), default=until)
    records = []
    if found.passed[0].due < cut:
        end = min(cut, until)
        records.append(Missed(source, Period(since + _MS, end), cause(found.passed[0].due), plan_version))
    overtaken: dict[datetime, list[Subject]] = {}
    for slot in found.passed:
        if slot.due >= cut:
            overtaken.setdefault(slot.due, []).append(slot.subject)
    for at, subjects in sorted(overtaken.items()):
        records.append(Missed(source, Period(at, at + _MS), cause(at), plan_version, tuple(subjects)))
    return records

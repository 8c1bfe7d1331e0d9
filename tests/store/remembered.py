"""What a store should answer, from a memory that keeps every snapshot whole and looks at all of it for each question.

Written from the words of the design alone: a slot is what the plan in force expects; it ends in exactly one outcome;
a gap is an interval of a period in which a due slot was not collected, with the worst of its causes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORST = ["internal", "misconfigured", "denied", "not_enabled", "invalid", "truncated", "unavailable", "throttled"]


@dataclass(frozen=True)
class Seen:
    """One run: *documents* is what it saw (None: it failed), *known* what was there by then, of an event kind."""

    run: str
    subject: tuple
    due: datetime
    scheduled: bool
    finished: datetime
    documents: dict | None
    known: dict | None
    detail: str | None
    reason: str | None


@dataclass(frozen=True)
class Quiet:
    """A record that slots of *subjects* (None: all of the source) passed unread in ``[start, end)``."""

    source: str
    start: datetime
    end: datetime
    cause: str
    subjects: tuple | None

    def holds(self, subject, due):
        named = subject in self.subjects if self.subjects is not None else subject[0] == self.source
        return named and self.start <= due < self.end


@dataclass(frozen=True)
class Fate:
    """What became of a slot."""

    subject: tuple
    due: datetime
    outcome: str
    detail: str | None
    reason: str | None
    run: str

    @property
    def wanting(self):
        return self.outcome in ("failed", "missed")


@dataclass
class Memory:
    """Everything that happened. *plans* are (valid from, {subject: (step, offset, why it is excluded)})."""

    plans: list = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    quiet: list[Quiet] = field(default_factory=list)

    # Populations

    def subjects(self, kind=None):
        planned = {subject for _, subjects in self.plans for subject in subjects}
        named = {subject for each in self.quiet for subject in each.subjects or ()}
        every = planned | named | {each.subject for each in self.seen}
        return sorted(each for each in every if kind in (None, each[1]))

    def good(self, subject):
        return [each for each in self.seen if each.subject == subject and each.documents is not None]

    def around(self, subject, at):
        before = [each for each in self.good(subject) if each.finished <= at]
        after = [each for each in self.good(subject) if each.finished > at]
        return (before or [None])[-1], (after or [None])[0]

    def population(self, subject, at):
        last, _ = self.around(subject, at)
        return last.known if last else {}

    def changes(self, start, end, wanted):
        found = []
        for subject in filter(wanted, self.subjects()):
            before = {}
            for each in self.good(subject):
                if start <= each.finished < end:
                    found += [
                        (each.finished, subject, key, before.get(key), each.known.get(key))
                        for key in sorted(before.keys() | each.known.keys())
                        if before.get(key) != each.known.get(key)
                    ]
                before = each.known
        return sorted(found, key=lambda each: each[:3])

    def forms(self, subject, key):
        """Return (document, first seen, last seen, first seen otherwise, how) of each form of an item."""
        found, now = [], None
        for each in self.good(subject):
            document = each.known.get(key)
            if document == now and now is not None:
                found[-1][2] = each.finished
            elif now is not None:
                found[-1][3:] = [each.finished, "gone" if document is None else "changed"]
            if document is not None and document != now:
                found.append([document, each.finished, each.finished, None, ""])
            now = document
        return [tuple(each) for each in found]

    # Slots

    def expected(self, start, end):
        """Return every (subject, due, why it is excluded) of ``[start, end)``, as the plan in force then had it."""
        found = []
        for number, (since, subjects) in enumerate(self.plans):
            until = self.plans[number + 1][0] if number + 1 < len(self.plans) else end
            for subject, (step, offset, excluded) in subjects.items():
                count = (max(since, start) - EPOCH - offset) // step
                while (due := EPOCH + offset + count * step) < min(until, end):
                    if due >= max(since, start):
                        found.append((subject, due, excluded))
                    count += 1
        return sorted(found, key=lambda each: (each[1], each[0]))

    def fates(self, start, end, now, grace):
        """Return what became of each slot due in ``[start, end)`` by *now*, and how many may still be read."""
        found, pending, scheduled = [], 0, {}
        for each in self.seen:
            if each.scheduled:
                scheduled.setdefault((each.subject, each.due), []).append(each)
        for subject, due, excluded in self.expected(start, min(end, now + timedelta(milliseconds=1))):
            runs = scheduled.get((subject, due))
            passed = any(each.holds(subject, due) for each in self.quiet if each.source == subject[0])
            if runs:
                outcome = "failed" if runs[0].documents is None else "collected"
                found.append(Fate(subject, due, outcome, runs[0].detail, runs[0].reason, runs[0].run))
            elif excluded:
                found.append(Fate(subject, due, "excluded", None, None, ""))
            elif passed or due <= now - grace:
                found.append(Fate(subject, due, "missed", None, None, ""))
            else:
                pending += 1
        return found, pending

    def gaps(self, start, end, now, grace):
        """Return (subject, start, end, outcome, reason, slots, failed runs, the run that ended it) of each gap."""
        limit = min(end, now)
        of_subject, together = {}, {}
        for each in self.fates(EPOCH, limit, now, grace)[0]:
            if each.due < limit:
                of_subject.setdefault(each.subject, []).append(each)
        for each in (each for every in of_subject.values() for each in every if each.wanting):
            later = [(limit, "")]
            later += [(seen.finished, seen.run) for seen in self.good(each.subject) if seen.finished > each.due][:1]
            later += [
                (other.due, other.run)
                for other in of_subject[each.subject]
                if other.due > each.due and not other.wanting
            ][:1]
            until = min(at for at, _ in later)
            # Where a run finished just when the next slot was due that was collected, the run came first.
            ended_by = next((run for at, run in later[1:] if at == until and until < limit), "")
            together.setdefault((each.subject, until, ended_by), []).append(each)
        found = []
        for (subject, until, ended_by), slots in together.items():
            since = max(slots[0].due, start)
            if since < until:
                reasons = [each.reason for each in slots if each.reason]
                found.append(
                    (
                        subject,
                        since,
                        until,
                        "missed" if any(each.outcome == "missed" for each in slots) else "failed",
                        min(reasons, key=WORST.index, default=None),
                        sum(each.due >= start for each in slots),
                        tuple(each.run for each in slots if each.run),
                        ended_by,
                    )
                )
        return sorted(found, key=lambda each: each[:2])

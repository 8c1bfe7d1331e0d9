"""The population of a kind over an engagement's period: counted, stated and, when asked, frozen.

Everything comes from what is recorded; what the statement says of slots and gaps is what `coverage` says.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from collector.act import Act, ActKind, NewAct
from collector.ask.coverage import Coverage, covered
from collector.ask.engagements import act_named
from collector.ask.expressions import compiled
from collector.ask.plans import recorded_plans
from collector.ask.slots import Question, slots_of
from collector.canonical import digest
from collector.clock import from_ms, to_ms
from collector.engagement import Engagement, Terms
from collector.errors import QueryError, Withheld
from collector.frozen import FORM, row_line, stamp
from collector.model import Json, Outcome, Period, Subject
from collector.population import document, subjects_of
from collector.presence import Presence, Sightings, event_time, presence

if TYPE_CHECKING:
    from collector.coverage import Tally
    from collector.store import Store
    from collector.store.lives import ItemLife

_MS = timedelta(milliseconds=1)
_COUNTED = ("due", "collected", "changed", "unchanged", "empty", "failed", "missed", "excluded")


@dataclass(frozen=True)
class Over:
    """The population of *kind* over *period*: its *rows* (JSON Lines), how many, and the *statement* beside them.

    *joined*, *left* and *changed* count items; *subjects* those observed and not.
    """

    kind: str
    period: Period
    count: int
    joined: int
    left: int
    changed: int
    rows: bytes
    statement: dict[str, Json]


@dataclass
class _Seen:
    """What is known of the good runs of one subject: their ids, when they finished, the last of them."""

    ids: list[str] = field(default_factory=list)
    times: array[int] = field(default_factory=lambda: array("q"))


def over_period(store: Store, kind: str, engagement: Engagement, *, now: datetime, grace: timedelta) -> Over:
    """Return the population of *kind* in what *engagement* has in scope, over its period as far as it has passed.

    Of an event kind those that happened in the period, whenever they were read. Raises `QueryError` for a kind of which
    nothing is recorded there and for a period that has not begun, `Invalid` for an event whose time is no time.
    """
    terms, period = engagement.terms, engagement.terms.period
    if period.start >= now:
        raise QueryError("the period has not begun", hint="A population is of what was there.")
    until = min(period.end, now)
    subjects = [each for each in subjects_of(store, kind) if terms.holds(each)]
    if not subjects:
        raise QueryError(f"the engagement has no source or scope of {kind}", hint="`evidenced engagement show` tells.")
    dated_by = event_field(store, subjects, now)
    found = _Counting(store, Period(period.start, until), now, dated_by)
    # What happened in the period may be read after it: an event kind rests on every good run since it began.
    seen = _good_runs(store, kind, Period(period.start, now + _MS) if dated_by else found.period)
    described = [found.add(subject, seen.get(subject, _Seen())) for subject in subjects]
    asked = Question(period, kind=kind, terms=replace(terms, criteria=(), controls=()))
    slots = slots_of(store, asked, now=now, grace=grace) if _planned(store, kind, terms) else None
    both = [covered(slots.grouped(by)) for by in ("scope", "day")] if slots is not None else []
    rows = bytes(found.rows)
    statement = {
        "form": FORM,
        "kind": kind,
        "engagement": engagement.id,
        "period": {"start": stamp(period.start), "end": stamp(period.end), "until": stamp(until)},
        "event_time": dated_by or None,
        "undated": found.undated,
        "rows": {"sha256": digest(rows).hex(), "count": found.count, "bytes": len(rows)},
        "items": {name: getattr(found, name) for name in ("joined", "left", "changed")},
        "subjects": described,
        **_completeness(*both),
    }
    counts = found.count, found.joined, found.left, found.changed
    return Over(kind, period, *counts, rows, statement)


def freeze(store: Store, over: Over, engagement: Engagement, *, actor: str) -> Act:
    """Record *over* as a frozen population of *engagement*, and return the act."""
    act = NewAct(ActKind.POPULATION, over.statement, actor, engagement.id, data=over.rows)
    return store.desk.record([act])[0]


def frozen(store: Store, name: str) -> Act:
    """Return the frozen population *name* (``population:7`` or ``7``). Raises `QueryError` when there is none."""
    return act_named(store, ActKind.POPULATION, name)


def event_field(store: Store, subjects: Sequence[Subject], now: datetime) -> str:
    """Return by which field the items of *subjects* are dated, as the newest procedure says; empty: they are no events.

    An early version kept no procedure of a run by hand before there was a plan: such a run says nothing.
    """
    for subject in subjects:
        run, _ = store.observations(subject, now)
        try:
            said = document(store, bytes.fromhex(run.provenance.procedure.removeprefix("sha256:"))) if run else {}
        except (QueryError, ValueError):
            continue
        if said.get("since"):
            return str(said["since"]["field"])
    return ""


class _Counting:
    """Goes through the items of subject after subject and writes the rows."""

    def __init__(self, store: Store, period: Period, now: datetime, dated_by: str) -> None:
        self.period = period
        self.rows = bytearray()
        self.count = self.joined = self.left = self.changed = self.undated = 0
        self._store, self._now = store, now
        self._field = compiled(dated_by) if dated_by else None

    def add(self, subject: Subject, seen: _Seen) -> dict[str, Json]:
        """Write the rows of *subject* and return what the statement says of it."""
        before, _ = self._store.observations(subject, self.period.start - _MS)
        first = self._store.observations(subject, from_ms(0))[1]
        last = self._store.run(seen.ids[-1]) if seen.ids else before
        if first is None or last is None:
            return {**_named(subject), "observed": False, "items": 0}
        times = [*([before.finished] if before else []), *map(from_ms, seen.times)]
        sightings = Sightings(first.finished, times)
        count = self.count
        for item in self._store.lives(subject, self._now + _MS if self._field else self.period.end):
            self._item(subject, item, sightings)
        return {
            **_named(subject),
            "observed": True,
            "items": self.count - count,
            "first_observed": stamp(sightings.first),
            "run_before": before.id if before else None,
            "runs": seen.ids,
            "last_run": last.id,
            "read_until": stamp(last.watermark_after) if last.watermark_after else None,
            "procedure": last.provenance.procedure,
            "reported": {each.operation: each.total for each in last.operations if each.total is not None},
        }

    def _item(self, subject: Subject, item: ItemLife, sightings: Sightings) -> None:
        at = None
        if self._field:
            last = item.forms[-1]
            at = self._event_time(self._field, last.artifact)
            read = item.forms[0].start
            if not self.period.start <= (at or read) < self.period.end:
                return
            self.undated += at is None
            artifacts = tuple(each.artifact for each in item.forms)
            found: Presence | None = Presence(read, last.start, (), (), len(item.forms) - 1, artifacts)
        else:
            found = presence(item.forms, self.period, sightings)
        if found is None:
            return
        self.count += 1
        self.joined += bool(found.joined)
        self.left += bool(found.left)
        self.changed += bool(found.changes)
        self.rows += row_line(subject, item.key, item.key_digest, found, at) + b"\n"

    def _event_time(self, field: Any, artifact: bytes) -> datetime | None:
        try:
            return event_time(field.search(document(self._store, artifact)))
        except Withheld:
            return None  # what was erased, or is sealed with a key that is not here, is undated


def _good_runs(store: Store, kind: str, period: Period) -> dict[Subject, _Seen]:
    """Return the good runs that finished in *period*, by subject, in the order of their ends."""
    found: dict[Subject, list[tuple[int, str]]] = {}
    for sweep in store.sweeps(period):
        for run in sweep.runs:
            inside = period.start <= run.finished < period.end
            if inside and run.subject.kind == kind and run.outcome is Outcome.COLLECTED:
                found.setdefault(run.subject, []).append((to_ms(run.finished), run.id))
    seen = {}
    for subject, runs in found.items():
        runs.sort(key=lambda each: each[0])
        seen[subject] = _Seen([name for _, name in runs], array("q", [at for at, _ in runs]))
    return seen


def _planned(store: Store, kind: str, terms: Terms) -> bool:
    plans = recorded_plans(store, terms)
    return any(each.name == kind for plan in plans for source in plan.sources for each in source.kinds)


def _completeness(by_scope: Coverage | None = None, by_day: Coverage | None = None) -> dict[str, Json]:
    if by_scope is None or by_day is None:
        return {"slots": _counts(None), "scopes": {}, "days": [], "gaps": [], "lost": []}
    return {
        "slots": _counts(by_scope.total) | {"pending": by_scope.pending},
        "scopes": {row.name: _counts(row.tally) for row in by_scope.rows},
        "days": [[row.name, *(getattr(row.tally, each) for each in _COUNTED)] for row in by_day.rows],
        "gaps": [
            {
                **_named(gap.subject),
                "start": stamp(gap.period.start),
                "end": stamp(gap.period.end),
                "outcome": gap.outcome.value,
                "reason": gap.reason.value if gap.reason else None,
                "cause": gap.cause,
            }
            for gap in by_scope.gaps
        ],
        "lost": [{**_named(each.subject), "run": each.run, "message": each.message} for each in by_scope.lost],
    }


def _counts(tally: Tally | None) -> dict[str, Json]:
    if tally is None:
        return dict.fromkeys((*_COUNTED, "gaps", "longest_gap_s"), 0)
    counts = {name: getattr(tally, name) for name in (*_COUNTED, "gaps")}
    return counts | {"longest_gap_s": int(tally.longest_gap.total_seconds())}


def _named(subject: Subject) -> dict[str, Json]:
    return {"source": subject.source, "scope": subject.scope}

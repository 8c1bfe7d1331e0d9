"""Read the run sheets of a sweep; the form is that of `collector.store.sheet_columns`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import accumulate, islice
from typing import NamedTuple

import orjson

from collector.clock import from_ms, to_ms
from collector.coverage import RunOutcome
from collector.errors import IntegrityError
from collector.model import (
    Counts,
    Json,
    OperationCalls,
    Outcome,
    Principal,
    Reason,
    Redaction,
    Run,
    Subject,
    Trigger,
    Window,
)
from collector.store.frames import Frame, Line
from collector.store.sheet_columns import (
    DEFAULT_DETAIL,
    DETAIL_LETTERS,
    FORM,
    ID_BYTES,
    PER_OPERATION,
    PER_OPERATION_WITHOUT_IDS,
    PER_RUN,
    RAW_ID,
    WITHOUT_IDS,
    id_text,
    usual_skew,
    whole_second,
)

_DETAILS = {letter: detail for detail, letter in DETAIL_LETTERS.items()}
_NOTHING_SAID = [Outcome.COLLECTED.value, None, "", "", None, None]
PopulationOf = Callable[[Run], bytes | None]


class Found(NamedTuple):
    """What the run at a position found: when it *finished*, *since* and *watermark* in ms (None: no such)."""

    finished: int
    population: bytes | None
    items: int
    since: int | None
    watermark: int | None


PlainRun = tuple[int, int, int, str, list[Json] | None, str]
"""A run's line in the frame, due time and finish in ms, the letter of its detail, its note or None, its trigger."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a sheet leaves to the sweep's own row."""

    sweep: int
    due: datetime
    trigger: Trigger
    recorded: datetime


class Sheet:
    """A sheet opened for reading, with its notes and frame (None: a sweep without runs).

    Raises `IntegrityError` where they do not fit together.
    """

    def __init__(self, data: bytes, notes: bytes | None, frame: Frame | None, place: Place) -> None:
        self.place = place
        self.frame = frame
        try:
            said, _, self._ids = data.partition(b"\n")
            self._columns: dict[str, Json] = orjson.loads(said)
            if self._columns.get("version") not in (FORM, WITHOUT_IDS):
                raise IntegrityError(f"the sheet of sweep {place.sweep} has an unknown form")
            self.lines: list[Line] = [frame.lines[each] for each in self._columns.get("line", ())] if frame else []
            noted = orjson.loads(notes) if notes else []
            self._said: dict[int, list[Json]] = {at: noted[each] for at, each in self._columns.get("note", ())}
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise IntegrityError(f"the sheet of sweep {place.sweep} cannot be read: {error}") from error
        self._details = self._columns.get("detail") or DEFAULT_DETAIL * len(self.lines)
        self._triggers = self._columns.get("trigger")

    def tally(self) -> dict[str, int]:
        """Return how many runs came to each detail, or to each outcome where there is none."""
        counted = Counter(self._details)
        came = Counter(self._said.get(at, _NOTHING_SAID)[0] for at, each in enumerate(self._details) if each == "-")
        named = {detail.value: counted[letter] for letter, detail in _DETAILS.items() if detail and counted[letter]}
        return {**named, **came}

    def span(self) -> tuple[int, int]:
        """Return the earliest due time of the runs and when the last of them finished, in ms; else the sweep's own."""
        due = to_ms(self.place.due)
        ended = (began + took for began, took in zip(self._started, self._per_run("took"), strict=True))
        return due - max(self._per_run("due"), default=0), max(ended, default=due)

    def outcomes(self) -> Iterator[RunOutcome]:
        """Yield what coverage needs of every run, in order."""
        return (self.outcome(at) for at in range(len(self.lines)))

    def plain(self) -> Iterator[PlainRun]:
        """Yield what `outcomes` yields, as it stands in the columns."""
        usual, due = self.place.trigger.value, to_ms(self.place.due)
        before, took = self._per_run("due"), self._per_run("took")
        lines, triggers, said = self._columns.get("line", ()), self._triggers, self._said
        for at, started in enumerate(self._started):
            trigger = triggers[at] if triggers else usual
            yield lines[at], due - before[at], started + took[at], self._details[at], said.get(at), trigger

    def outcome(self, at: int) -> RunOutcome:
        """Return what coverage needs of the run at position *at*."""
        outcome, reason, message = self._said.get(at, _NOTHING_SAID)[:3]
        return RunOutcome(
            f"{self.place.sweep}-{at}",
            self.lines[at].subject,
            from_ms(to_ms(self.place.due) - self._per_run("due")[at]),
            from_ms(self._started[at] + self._per_run("took")[at]),
            Outcome(outcome),
            _DETAILS[self._details[at]],
            Reason(reason) if reason else None,
            message,
            Trigger(self._triggers[at]) if self._triggers else self.place.trigger,
        )

    def found(self, at: int, population: Callable[[Subject], bytes | None]) -> Found | None:
        """Return what `run` says of a population, as it stands in the columns; None where the run collected nothing."""
        if self._said.get(at, _NOTHING_SAID)[0] != Outcome.COLLECTED.value:
            return None
        started = self._started[at]
        since = next((each[1] for each in self._columns.get("window", ()) if each[0] == at), None)
        mark = next((each[2] for each in self._columns.get("watermark", ()) if each[0] == at), None)
        stated = dict(self._columns.get("population", ()))
        root = bytes.fromhex(stated[at] or "") or None if at in stated else population(self.lines[at].subject)
        return Found(
            started + self._per_run("took")[at],
            root,
            self._per_run("items")[at],
            None if since is None else started + since,
            None if mark is None else started + mark,
        )

    def run(self, at: int, population: PopulationOf) -> Run:
        """Return the run at position *at* whole; *population* tells the root that its subject had after the sweep."""
        outcome = self.outcome(at)
        operations = tuple(self._operations(at))
        run = Run(
            subject=outcome.subject,
            due=outcome.due,
            trigger=outcome.trigger,
            provenance=self.lines[at].provenance,
            started=from_ms(self._started[at]),
            finished=outcome.finished,
            outcome=outcome.outcome,
            detail=outcome.detail,
            reason=outcome.reason,
            message=outcome.message,
            hint=self._said.get(at, _NOTHING_SAID)[3],
            principal=self._principal(at),
            operations=operations,
            counts=Counts(*(self._per_run(name)[at] for name in ("items", "added", "changed", "removed"))),
            redactions=self._redactions(at),
            skew_ms=self._skew(at, outcome.finished, operations),
            recorded=self.place.recorded,
            id=outcome.id,
        )
        run = self._with_window(run, at)
        stated = dict(self._columns.get("population", ()))
        if at in stated:
            return replace(run, population=bytes.fromhex(stated[at]) if stated[at] else None)
        return replace(run, population=population(run) if run.outcome is Outcome.COLLECTED else None)

    def _skew(self, at: int, finished: datetime, operations: Sequence[OperationCalls]) -> int | None:
        more: int | None = self._per_run("skew")[at]
        if more is None or self._columns["version"] == WITHOUT_IDS:
            return more
        return more + usual_skew(finished, operations)

    def _with_window(self, run: Run, at: int) -> Run:
        started = self._started[at]
        for position, since, until in self._columns.get("window", ()):
            if position == at:
                run = replace(run, window=Window(from_ms(started + since), from_ms(started + until)))
        for position, before, after in self._columns.get("watermark", ()):
            if position == at:
                run = replace(run, watermark_before=_at(before, started), watermark_after=_at(after, started))
        return run

    def _principal(self, at: int) -> Principal:
        number = self._per_run("who")[at]
        if number:
            return Principal(*self._columns["principal"][number - 1])
        return self.frame.principal if self.frame else Principal("")

    def _operations(self, at: int) -> Iterator[OperationCalls]:
        start = self._first_cell[at]
        second = whole_second(self._started[at])
        columns = self._cells
        for cell, name in enumerate(self._operation_names(at), start):
            first_id, last_id = columns["first_id"][cell], columns["last_id"][cell]
            calls, pages, listed = (columns[each][cell] for each in ("calls", "pages", "listed"))
            first_date = columns["first_date"][cell]
            before_last = second + (first_date or 0) if self._columns["version"] == FORM else second
            yield OperationCalls(
                name,
                calls=calls,
                pages=calls if pages is None else pages,
                retries=columns["retries"][cell],
                items=self._per_run("items")[at] if listed is None else listed,
                total=columns["total"][cell],
                drained=columns["drained"][cell],
                first_request_id=first_id,
                last_request_id=first_id if last_id is None else last_id,
                first_date=_at(first_date, second),
                last_date=_at(columns["last_date"][cell], before_last),
            )

    def _redactions(self, at: int) -> tuple[Redaction, ...]:
        start = sum(len(self._redaction_rules(each)) for each in range(at))
        counts = islice(self._columns.get("redacted", ()), start, None)
        return tuple(
            Redaction(path, rule, count) for (path, rule), count in zip(self._redaction_rules(at), counts, strict=False)
        )

    def _operation_names(self, at: int) -> list[str]:
        named = self._said.get(at, _NOTHING_SAID)[4]
        return list(self.lines[at].operations) if named is None else named

    def _redaction_rules(self, at: int) -> list[tuple[str, str]]:
        named = self._said.get(at, _NOTHING_SAID)[5]
        return list(self.lines[at].redactions) if named is None else named

    @cached_property
    def _first_cell(self) -> list[int]:
        return [0, *accumulate(len(self._operation_names(at)) for at in range(len(self.lines)))]

    @cached_property
    def _started(self) -> list[int]:
        base = to_ms(self.place.due)
        return [base + step for step in accumulate(self._per_run("started"))]

    def _per_run(self, name: str) -> list[Json]:
        return self._columns.get(name) or [PER_RUN[name]] * len(self.lines)

    @cached_property
    def _cells(self) -> dict[str, list[Json]]:
        size = self._first_cell[-1]
        defaults = PER_OPERATION if self._columns["version"] == FORM else PER_OPERATION_WITHOUT_IDS
        columns = {name: self._columns.get(name) or [default] * size for name, default in defaults.items()}
        names = ("first_id", "last_id")
        if ID_BYTES * sum(columns[name].count(RAW_ID) for name in names) != len(self._ids):
            raise IntegrityError(f"the sheet of sweep {self.place.sweep} has too many or too few request ids")
        ids = (id_text(self._ids[start : start + ID_BYTES]) for start in range(0, len(self._ids), ID_BYTES))
        for name in names:
            columns[name] = [next(ids) if each == RAW_ID else each for each in columns[name]]
        return columns


def _at(after: int | None, ms: int) -> datetime | None:
    return None if after is None else from_ms(ms + after)

"""Write the run sheets of a sweep; the form is that of `collector.store.sheet_columns`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import orjson

from collector.canonical import canonical
from collector.clock import to_ms
from collector.model import Json, OperationCalls, Outcome, Run, Trigger
from collector.store.frames import Frame, Line
from collector.store.sheet_columns import (
    DEFAULT_DETAIL,
    DETAIL_LETTERS,
    FORM,
    PER_OPERATION,
    PER_RUN,
    RAW_ID,
    id_bytes,
    usual_skew,
    whole_second,
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sheet, and the notes it refers to (None when nothing was said)."""

    sheet: bytes
    notes: bytes | None


def encode(
    runs: Sequence[Run],
    lines: Sequence[Line],
    frame: Frame | None,
    *,
    due: datetime,
    trigger: Trigger,
    roots: Mapping[int, bytes | None],
) -> Encoded:
    """Return the sheet of *runs*, whose lines in *frame* are *lines*; *frame* is None only without runs.

    *roots* holds the population of each position of which the stored states would tell otherwise.
    """
    notes = {at: note for at, (run, line) in enumerate(zip(runs, lines, strict=True)) if (note := _note(run, line))}
    distinct = sorted(set(notes.values()))
    operations, ids = _ids_apart(_per_operation(runs))
    sheet: dict[str, Json] = {
        "version": FORM,
        "line": [frame.numbers[line] for line in lines] if frame else [],
        **_dense(_per_run(runs, due), PER_RUN),
        **_dense(operations, PER_OPERATION),
        **_principals(runs, frame),
        "detail": "".join(DETAIL_LETTERS[run.detail] for run in runs),
        "trigger": [run.trigger.value for run in runs if any(each.trigger is not trigger for each in runs)],
        "note": [[at, distinct.index(note)] for at, note in notes.items()],
        "population": [[at, root.hex() if root else None] for at, root in sorted(roots.items())],
        "redacted": [each.count for run in runs for each in run.redactions],
        **_windows(runs),
    }
    if sheet["detail"].strip(DEFAULT_DETAIL) == "":
        sheet["detail"] = ""
    said = {name: column for name, column in sheet.items() if column not in ([], "")}
    data = canonical(said) + (b"\n" + ids if ids else b"")
    return Encoded(data, canonical([orjson.loads(note) for note in distinct]) if distinct else None)


def _dense(columns: Mapping[str, list[Json]], defaults: Mapping[str, Json]) -> dict[str, list[Json]]:
    return {name: [] if all(each == defaults[name] for each in column) else column for name, column in columns.items()}


def _per_run(runs: Sequence[Run], due: datetime) -> dict[str, list[Json]]:
    started = [to_ms(due), *(to_ms(run.started) for run in runs)]
    return {
        "due": [to_ms(due) - to_ms(run.due) for run in runs],
        "started": [after - before for before, after in pairwise(started)],
        "took": [to_ms(run.finished) - to_ms(run.started) for run in runs],
        "items": [run.counts.items for run in runs],
        "added": [run.counts.added for run in runs],
        "changed": [run.counts.changed for run in runs],
        "removed": [run.counts.removed for run in runs],
        "skew": [
            None if run.skew_ms is None else run.skew_ms - usual_skew(run.finished, run.operations) for run in runs
        ],
    }


def _per_operation(runs: Sequence[Run]) -> dict[str, list[Json]]:
    cells: list[tuple[OperationCalls, int]] = [
        (each, whole_second(to_ms(run.started))) for run in runs for each in run.operations
    ]
    return {
        "calls": [each.calls for each, _ in cells],
        "pages": [None if each.pages == each.calls else each.pages for each, _ in cells],
        "retries": [each.retries for each, _ in cells],
        "listed": [None if each.items == run.counts.items else each.items for run in runs for each in run.operations],
        "total": [each.total for each, _ in cells],
        "drained": [each.drained for each, _ in cells],
        "first_id": [each.first_request_id for each, _ in cells],
        "last_id": [
            None if each.last_request_id == each.first_request_id else each.last_request_id for each, _ in cells
        ],
        "first_date": [_after(each.first_date, second) for each, second in cells],
        "last_date": [
            _after(each.last_date, second if each.first_date is None else to_ms(each.first_date))
            for each, second in cells
        ],
    }


def _ids_apart(columns: dict[str, list[Json]]) -> tuple[dict[str, list[Json]], bytes]:
    """Return *columns* without the request ids that are UUIDs, and the bytes of those."""
    apart: list[bytes] = []
    for name in ("first_id", "last_id"):
        made = [id_bytes(each) for each in columns[name]]
        apart += [each for each in made if each is not None]
        columns[name] = [each if data is None else RAW_ID for each, data in zip(columns[name], made, strict=True)]
    return columns, b"".join(apart)


def _windows(runs: Sequence[Run]) -> dict[str, list[Json]]:
    asked, marks = [], []
    for at, run in enumerate(runs):
        started = to_ms(run.started)
        if run.window:
            asked.append([at, to_ms(run.window.since) - started, to_ms(run.window.until) - started])
        if run.watermark_before or run.watermark_after:
            marks.append([at, _after(run.watermark_before, started), _after(run.watermark_after, started)])
    return {"window": asked, "watermark": marks}


def _principals(runs: Sequence[Run], frame: Frame | None) -> dict[str, list[Json]]:
    """Number the principals: 0 is the frame's own, the others are in the sheet."""
    if frame is None:
        return {}
    others = [each for each in dict.fromkeys(run.principal for run in runs) if each != frame.principal]
    numbers = {frame.principal: 0, **{each: number for number, each in enumerate(others, 1)}}
    who = {"who": [numbers[run.principal] for run in runs]}
    return {**_dense(who, PER_RUN), "principal": [[each.id, each.account] for each in others]}


def _note(run: Run, line: Line) -> bytes | None:
    operations = [each.operation for each in run.operations]
    redactions = [[each.path, each.rule] for each in run.redactions]
    said = [
        run.outcome.value,
        run.reason.value if run.reason else None,
        run.message,
        run.hint,
        None if operations == list(line.operations) else operations,
        None if redactions == [list(each) for each in line.redactions] else redactions,
    ]
    return None if said == [Outcome.COLLECTED.value, None, "", "", None, None] else canonical(said)


def _after(at: datetime | None, ms: int) -> int | None:
    return None if at is None else to_ms(at) - ms

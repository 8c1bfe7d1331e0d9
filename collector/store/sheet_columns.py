"""The form of a run sheet: one canonical JSON object of columns for all runs of a sweep. Form 1.

- A column that holds nothing but its default is left out; the defaults are here.
- Columns per run have a value for every position; columns per operation have one for every operation of every run,
  in order; sparse columns are lists of [position, ...].
- Times are milliseconds: ``due`` before the sweep's due time, ``started`` after the run before it (the first: after the
  sweep's due time), ``took`` after ``started``, dates after the whole second in which the run started, windows and
  watermarks after ``started``.
- What was said of a run (its failure, message, hint, and which operations it got to) is in the sweep's *notes*: a
  content-addressed list of ``[outcome, reason, message, hint, operations, redactions]``, to which ``note`` refers. A
  call that is denied is denied again every hour, in the same words.
"""

from __future__ import annotations

from collector.model import Detail, Json

FORM = 1

PER_RUN: dict[str, Json] = {
    "due": 0,
    "started": 0,
    "took": 0,
    "items": 0,
    "added": 0,
    "changed": 0,
    "removed": 0,
    "skew": None,
    "who": 0,
}
PER_OPERATION: dict[str, Json] = {
    "calls": 1,
    "pages": 1,
    "retries": 0,
    "listed": 0,
    "total": None,
    "drained": True,
    "first_id": "",
    "last_id": None,  # the same as first_id
    "first_date": None,
    "last_date": None,
}
DETAIL_LETTERS: dict[Detail | None, str] = {
    Detail.CHANGED: "c",
    Detail.UNCHANGED: "u",
    Detail.EMPTY: "e",
    None: "-",
}
DEFAULT_DETAIL = DETAIL_LETTERS[Detail.UNCHANGED]


def whole_second(ms: int) -> int:
    """Return *ms* cut to its second: a source's ``Date`` header has no finer."""
    return ms // 1000 * 1000

"""The form of a run sheet: one canonical JSON object of columns for all runs of a sweep. Form 2.

- A column that holds nothing but its default is left out; the defaults are here.
- Columns per run have a value for every position; columns per operation have one for every operation of every run,
  in order; sparse columns are lists of [position, ...].
- Times are milliseconds: ``due`` before the sweep's due time, ``started`` after the run before it (the first: after the
  sweep's due time), ``took`` after ``started``, dates after the whole second in which the run started, windows and
  watermarks after ``started``. ``skew``, where there is one, is what it is more than `usual_skew`.
- What was said of a run (its failure, message, hint, and which operations it got to) is in the sweep's *notes*: a
  content-addressed list of ``[outcome, reason, message, hint, operations, redactions]``, to which ``note`` refers. A
  call that is denied is denied again every hour, in the same words.
- A request id that is a UUID as RFC 9562 writes it is 0 in its column; its 16 bytes follow the object and a line feed,
  those of ``first_id`` in order, then those of ``last_id``. Nothing makes random bytes smaller: hexadecimal digits of
  them, packed, are larger, and so is whatever is packed together with them.

Form 1, which is read beside it, has every request id as text, ``pages`` and ``listed`` that are not None, ``last_date``
after the whole second, and ``skew`` as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from collector.clock import to_ms
from collector.model import Detail, Json, OperationCalls

FORM = 2
WITHOUT_IDS = 1
"""The form before."""
RAW_ID = 0
"""Stands for a request id whose bytes follow the object."""

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
    "pages": None,  # as many as calls
    "retries": 0,
    "listed": None,  # as many as the run's items
    "total": None,
    "drained": True,
    "first_id": RAW_ID,
    "last_id": None,  # the same as first_id
    "first_date": None,
    "last_date": None,  # none; else after first_date, or after the whole second where there is none
}
PER_OPERATION_WITHOUT_IDS: dict[str, Json] = {**PER_OPERATION, "pages": 1, "listed": 0, "first_id": ""}
DETAIL_LETTERS: dict[Detail | None, str] = {
    Detail.CHANGED: "c",
    Detail.UNCHANGED: "u",
    Detail.EMPTY: "e",
    None: "-",
}
DEFAULT_DETAIL = DETAIL_LETTERS[Detail.UNCHANGED]


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ID_BYTES = 16


def id_bytes(text: str | None) -> bytes | None:
    """Return the bytes of a request id that is a UUID and nothing else; None for any other."""
    return bytes.fromhex(text.replace("-", "")) if text and _UUID.fullmatch(text) else None


def id_text(data: bytes) -> str:
    """Return the request id that `id_bytes` made *data* of."""
    digits = data.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def usual_skew(finished: datetime, operations: Sequence[OperationCalls]) -> int:
    """Return the skew in ms of a run that *finished* the moment its last operation was answered; 0 without an answer.

    The skew was taken at that answer, so the run's own is a few milliseconds from this.
    """
    last = operations[-1].last_date if operations else None
    return 0 if last is None else to_ms(finished) - to_ms(last)


def whole_second(ms: int) -> int:
    """Return *ms* cut to its second: a source's ``Date`` header has no finer."""
    return ms // 1000 * 1000

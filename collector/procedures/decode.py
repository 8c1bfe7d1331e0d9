"""Reports that come as one file inside an answer."""

from __future__ import annotations

import csv
import io
import json

from collector.model import Json


def decode(value: Json, form: str) -> list[Json]:
    """Return the rows of a CSV report, as objects by its header, or the list a JSON report holds.

    *value* is bytes (UTF-8) or text. Raises ValueError when it is not what *form* says: no header, a row of another
    length than the header, not a list.
    """
    text = value.decode("utf-8-sig") if isinstance(value, bytes) else str(value or "")
    return _csv(text) if form == "csv" else _json(text)


def _csv(text: str) -> list[Json]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if not rows or len(set(rows[0])) < len(rows[0]):
        raise ValueError("no header line")
    header = rows[0]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ValueError(f"line {number} has {len(row)} fields, the header {len(header)}")
    return [dict(zip(header, row, strict=True)) for row in rows[1:]]


def _json(text: str) -> list[Json]:
    match json.loads(text):
        case [*rows]:
            return rows
        case value:
            raise ValueError(f"{type(value).__name__} instead of a list")

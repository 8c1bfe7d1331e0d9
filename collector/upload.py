"""Manual evidence: which files are taken, by their content, what they are called, and what is due when. Pure.

A file's type is what its first bytes and its structure say. Its name must not say otherwise.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePosixPath

import orjson

from collector.criteria import criteria
from collector.engagement import Terms
from collector.errors import QueryError
from collector.model import Period
from collector.tag import Control, ControlSet

_DAY = timedelta(days=1)
_MAGIC = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"PK\x03\x04", "zip"))
_OFFICE = (("xl/workbook.xml", "xlsx"), ("word/document.xml", "docx"))
_ENDINGS = {"jpg": "jpeg", "md": "txt", "log": "txt"}
TEXTS = ("csv", "json", "eml", "txt")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*:|[ \t]")
_MAIL = ("from:", "date:", "message-id:", "received:")
_UNSAFE = re.compile(r'[<>:"|?*\\/]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_LONGEST_NAME = 120
_HEADERS = 65_536
_MONTHS = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A recorded upload: its id, the control it is for, and the time that it speaks of."""

    id: int
    control: str
    effective: Period


@dataclass(frozen=True, slots=True)
class Expected:
    """Evidence that only people can add: for *control* (empty: no control names it) and *criteria*, over *period*.

    It is due by the end of the period. *uploads* are the ids of those that speak of some of it; *state* is ``there``,
    ``missing`` when it is overdue without one, else ``awaited``.
    """

    control: str
    title: str
    criteria: tuple[str, ...]
    period: Period
    uploads: tuple[int, ...] = ()
    state: str = "awaited"


def file_type(data: bytes, name: str) -> str:
    """Return what *data* is: pdf, png, jpeg, xlsx, docx, csv, json, eml or txt.

    Raises `QueryError` for anything else, and where the name's ending says otherwise.
    """
    ending = PurePosixPath(name).suffix.lower().removeprefix(".")
    ending = _ENDINGS.get(ending, ending)
    magic = next((kind for begin, kind in _MAGIC if data.startswith(begin)), "")
    found = _office(data) if magic == "zip" else magic or _text(data, ending)
    if not found:
        raise QueryError(
            f"{safe_name(name)}: its content is of no type that is taken as evidence",
            hint="Taken are PDF, PNG, JPEG, XLSX, DOCX (no macros), and CSV, text, JSON and e-mail in UTF-8.",
        )
    if ending and ending != found and not (found in TEXTS and ending == "txt"):
        raise QueryError(f"{safe_name(name)}: its name says {ending}, its content is {found}", hint="Rename the file.")
    return found


def safe_name(name: str) -> str:
    """Return *name* as it is stored: one name without folders, that no terminal, shell or spreadsheet minds."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(each if each.isprintable() else "_" for each in name)
    name = _UNSAFE.sub("_", name).strip(" .")
    while name[:1] in ("=", "+", "-", "@", "~", "'"):
        name = name[1:]
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST_NAME and dot:
        name = f"{stem[: _LONGEST_NAME - len(ending[:10]) - 1]}.{ending[:10]}"
    return name[:_LONGEST_NAME] or "file"


def effective_period(text: str) -> Period:
    """Return the days that *text* names, both included: ``2026-01-01..2026-03-31``, or one day. In UTC, half-open.

    Raises `QueryError` for anything else.
    """
    first, dots, last = text.partition("..")
    try:
        days = [_midnight(each) for each in (first, last or first)]
    except ValueError:
        days = []
    if not days or days[1] < days[0] or (dots and not last):
        raise QueryError(
            f"{text!r} are no days", hint="Write the first and the last day: --effective 2026-01-01..2026-03-31."
        )
    return Period(days[0], days[1] + _DAY)


def expected(controls: ControlSet, terms: Terms, uploads: Sequence[Uploaded], now: datetime) -> list[Expected]:
    """Return what people must upload for an engagement of *terms*, by control, then time; last what no control names.

    A control with ``upload`` expects one in each month, quarter, half-year or year of the period in which it is in
    force. A criterion that no API shows, and for which no control asks for uploads, expects one over the period.
    """
    found: list[Expected] = []
    asking = [each for each in controls.controls if each.upload and _asked(each, terms)]
    for control in asking:
        mine = [each for each in uploads if each.control == control.id]
        for period in _spans(control, terms.period):
            found.append(_state(Expected(control.id, control.title, control.criteria, period), mine, now))
    answered = {name for control in asking for name in control.criteria}
    of = {control.id: control.criteria for control in controls.controls}
    for name, criterion in criteria().items():
        if criterion.api_evidence or name in answered or (terms.criteria and name not in terms.criteria):
            continue
        mine = [each for each in uploads if name in of.get(each.control, ())]
        found.append(_state(Expected("", criterion.title, (name,), terms.period), mine, now))
    return found


def _state(wanted: Expected, uploads: Iterable[Uploaded], now: datetime) -> Expected:
    """Return *wanted* with those of *uploads* that speak of some of it, and the state that this makes."""
    period = wanted.period
    mine = tuple(e.id for e in uploads if e.effective.start < period.end and e.effective.end > period.start)
    return replace(wanted, uploads=mine, state="there" if mine else "missing" if now >= period.end else "awaited")


def _asked(control: Control, terms: Terms) -> bool:
    if terms.controls and control.id not in terms.controls:
        return False
    return not terms.criteria or bool(set(terms.criteria) & set(control.criteria))


def _spans(control: Control, period: Period) -> Iterator[Period]:
    """Yield the calendar spans of *period* by the control's cadence, clipped to it and to when it is in force."""
    start, end = max(period.start, control.start), min(period.end, control.end)
    months = _MONTHS[control.upload]
    month = (start.year * 12 + start.month - 1) // months * months
    while (first := _month(month)) < end:
        month += months
        yield Period(max(first, start), min(_month(month), end))


def _month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _office(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return ""
    if any(name.lower().endswith("vbaproject.bin") for name in names) or "[Content_Types].xml" not in names:
        return ""
    return next((kind for part, kind in _OFFICE if part in names), "")


def _text(data: bytes, ending: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    if not text.strip() or _CONTROLS.search(text):
        return ""
    if ending in ("csv", "txt"):
        return ending
    found = "json" if _is_json(text) else "eml" if _is_mail(text) else "txt"
    return found if ending in ("", found) else ""


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def _is_mail(text: str) -> bool:
    headers = text[:_HEADERS].replace("\r\n", "\n").partition("\n\n")[0].split("\n")
    named = any(line.lower().startswith(_MAIL) for line in headers)
    return named and all(_HEADER.match(line) for line in headers)


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day.strip()), datetime.min.time(), UTC)


def media_types() -> Mapping[str, str]:
    """Return the media type of each type of file."""
    office = "application/vnd.openxmlformats-officedocument."
    return {
        "pdf": "application/pdf",
        "png": "image/png",
        "jpeg": "image/jpeg",
        "csv": "text/csv",
        "json": "application/json",
        "eml": "message/rfc822",
        "txt": "text/plain",
        "xlsx": f"{office}spreadsheetml.sheet",
        "docx": f"{office}wordprocessingml.document",
    }

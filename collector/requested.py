"""What an auditor asks for (the request list): read from rows of cells, and what has become of each request. Pure.

A request is known by the id that the auditor gave it. What is in force (status, links) is derived from the acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from collector.act import Act
from collector.criteria import criteria
from collector.errors import QueryError
from collector.model import Json

_COLUMNS = ("id", "title", "criterion", "due")
_NEEDED = ("id", "title")
_LONGEST = {"id": 64, "title": 1_000}
_SHOWN = 20


class Status(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    ANSWERED = "answered"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as a list gives it; *row* is where it stands in the file, counted from 1, headings included."""

    id: str
    title: str
    criteria: tuple[str, ...]
    due: date | None
    row: int

    def document(self) -> dict[str, Json]:
        """Return the request as it is recorded."""
        due = self.due.isoformat() if self.due else None
        return {"did": "added", "id": self.id, "title": self.title, "criteria": list(self.criteria), "due": due}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done with a request: *did* (added, linked, unlinked, status, commented), by whom, when."""

    did: str
    by: str
    at: datetime
    what: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request and what has become of it. *act* is the id of the act that added it."""

    act: int
    engagement: int
    id: str
    title: str
    criteria: tuple[str, ...]
    due: date | None
    status: Status = Status.OPEN
    links: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()

    def overdue(self, today: date) -> bool:
        """Return whether it waits for an answer that was due before *today*."""
        return self.due is not None and self.due < today and self.status in (Status.OPEN, Status.RETURNED)


def read_requests(rows: Iterable[Sequence[object]], where: str) -> list[Asked]:
    """Return the requests in *rows* of cells, the first of which are headings: id, title, criterion, due.

    Other columns, and rows without anything in them, are passed over. Raises one `QueryError` that names every bad row
    as ``file:row``; *where* is the file.
    """
    given = iter(rows)
    places = _headings(next(given, ()), where)
    found: list[Asked] = []
    wrong: list[str] = []
    for number, cells in enumerate(given, start=2):
        values = {name: cells[place] if place < len(cells) else None for name, place in places.items()}
        if not any(_text(each) for each in cells):
            continue
        try:
            asked = _asked(values, number)
            if any(asked.id == each.id for each in found):
                raise ValueError(f"the id {asked.id!r} is there twice")
            found.append(asked)
        except ValueError as error:
            wrong.append(f"{where}:{number}: {error}")
    if wrong:
        more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        raise QueryError("\n".join([*wrong[:_SHOWN], *more]), hint="Correct these rows; nothing was imported.")
    if not found:
        raise QueryError(f"{where}: there is no request in it", hint="Below the headings each row is one request.")
    return found


def requests_of(acts: Iterable[Act]) -> list[Request]:
    """Return the requests that *acts* (oldest first) record, in the order in which they were added."""
    found: dict[int, Request] = {}
    for act in acts:
        said = act.document
        if said["did"] == "added":
            due = date.fromisoformat(said["due"]) if said["due"] else None
            made = Request(act.id, act.engagement, said["id"], said["title"], tuple(said["criteria"]), due)
            found[act.id] = replace(made, events=(Event("added", act.actor, act.at, ""),))
        elif act.about in found:
            found[act.about] = _after(found[act.about], act)
    return list(found.values())


def _after(request: Request, act: Act) -> Request:
    did, what = act.document["did"], str(act.document.get("what", ""))
    event = Event(did, act.actor, act.at, what, act.document.get("note", ""))
    changed = replace(request, events=(*request.events, event))
    if did == "status":
        return replace(changed, status=Status(what))
    if did == "linked":
        return replace(changed, links=(*(each for each in request.links if each != what), what))
    if did == "unlinked":
        return replace(changed, links=tuple(each for each in request.links if each != what))
    return changed


def _headings(cells: Sequence[object], where: str) -> dict[str, int]:
    names = [_text(each).lower() for each in cells]
    for name in _NEEDED:
        if name not in names:
            raise QueryError(f"{where}:1: there is no column {name!r}", hint=f"The columns are: {', '.join(_COLUMNS)}.")
    return {name: names.index(name) for name in _COLUMNS if name in names}


def _asked(values: dict[str, object], row: int) -> Asked:
    """Return the request in a row. Raises ValueError that says what is wrong with it."""
    texts = {name: _text(values.get(name)) for name in _NEEDED}
    for name, text in texts.items():
        if not text:
            raise ValueError(f"it has no {name}")
        if len(text) > _LONGEST[name]:
            raise ValueError(f"its {name} has more than {_LONGEST[name]:,} characters")
    if not texts["id"].isprintable():
        raise ValueError("its id is not plain text on one line")
    named = [each for each in re.split(r"[,;\s]+", _text(values.get("criterion"))) if each]
    for name in named:
        if name not in criteria():
            raise ValueError(f"there is no criterion {name!r}")
    return Asked(texts["id"], texts["title"], tuple(dict.fromkeys(named)), _due(values.get("due")), row)


def _due(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _text(value)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 2026-03-31") from None


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a spreadsheet has no other numbers
    return "" if value is None else str(value).strip()

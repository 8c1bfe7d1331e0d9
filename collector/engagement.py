"""Engagements: one audit each, with its period and what is in scope. Pure rules over the acts that record them.

The terms in force are dated: an amendment states them whole and holds from when it was recorded, so that what was in
scope on a day can be told later. A closed engagement takes nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase

from collector.act import Act
from collector.clock import iso, parse_instant
from collector.criteria import criteria
from collector.errors import QueryError, Unknown
from collector.model import Json, Period, Subject

_INSTANT = timedelta(milliseconds=1)
_LONGEST_NAME = 80


class Examination(StrEnum):
    """What is examined: the design at an instant (Type I), or operation over a period (Type II)."""

    TYPE_I = "I"
    TYPE_II = "II"


@dataclass(frozen=True, slots=True)
class Terms:
    """What one audit is about. An empty list of criteria, sources, scopes or controls means all of them.

    *sources* and *scopes* are names or patterns (``aws:*``). The period of a Type I is its instant, a millisecond long.
    *auditors* are people's names, kept as numbers.
    """

    examination: Examination
    period: Period
    criteria: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    auditors: tuple[str, ...] = ()

    def holds(self, subject: Subject) -> bool:
        """Return whether the source and scope of *subject* are in scope."""
        return self.holds_source(subject.source) and _among(subject.scope, self.scopes)

    def holds_source(self, name: str) -> bool:
        """Return whether the source *name* is in scope; perhaps none of its scopes is."""
        return _among(name, self.sources)

    def planned(self, document: Json) -> Json:
        """Return the *document* of a plan without what is out of scope: sources, scopes, and kinds left without any."""
        sources = []
        for source in document["sources"]:
            scopes = [each for each in source["scopes"] if _among(each["name"], self.scopes)]
            levels = {each["level"] for each in scopes}
            kinds = [each for each in source["kinds"] if each["level"] in levels]
            if kinds and self.holds_source(source["name"]):
                sources.append({**source, "scopes": scopes, "kinds": kinds})
        return {**document, "sources": sources}

    def document(self) -> dict[str, Json]:
        """Return the terms as they are recorded, without the names of people."""
        return {
            "type": self.examination.value,
            "start": iso(self.period.start),
            "end": iso(self.period.end),
            **{name: list(getattr(self, name)) for name in _LISTS},
        }


@dataclass(frozen=True, slots=True)
class Dated:
    """Terms, since when they are in force, and who said so."""

    since: datetime
    by: str
    terms: Terms
    why: str = ""


@dataclass(frozen=True, slots=True)
class Engagement:
    """One audit as recorded; *history* is never empty and ends with the terms in force. *closed* is when it ended."""

    id: int
    name: str
    history: tuple[Dated, ...]
    closed: datetime | None = None
    closed_by: str = ""

    @property
    def terms(self) -> Terms:
        """The terms in force, or of a closed one, those in force last."""
        return self.history[-1].terms

    def at(self, instant: datetime) -> Terms | None:
        """Return the terms that were in force at *instant*; None before it was created."""
        ruling = [each.terms for each in self.history if each.since <= instant]
        return ruling[-1] if ruling else None


_LISTS = ("criteria", "sources", "scopes", "controls")


def engagements(acts: Iterable[Act]) -> list[Engagement]:
    """Return the engagements that *acts* (oldest first) record, oldest first."""
    found: dict[int, Engagement] = {}
    for act in acts:
        did = act.document["did"]
        if did == "created":
            found[act.engagement] = Engagement(act.engagement, act.document["name"], (_dated(act),))
        elif did == "amended":
            before = found[act.engagement]
            found[act.engagement] = replace(before, history=(*before.history, _dated(act)))
        else:
            found[act.engagement] = replace(found[act.engagement], closed=act.at, closed_by=act.actor)
    return list(found.values())


def find(known: Sequence[Engagement], name: str) -> Engagement:
    """Return the engagement *name*. Raises `QueryError` that names the nearest."""
    for each in known:
        if each.name == name:
            return each
    names = [each.name for each in known]
    near = ", ".join(get_close_matches(name, names, n=3) or names[:12]) or "none yet"
    raise Unknown(f"there is no engagement {name!r}", hint=f"There are: {near}.")


def require_open(known: Sequence[Engagement], number: int) -> None:
    """Raise `QueryError` unless engagement *number* is there and takes records."""
    engagement = next((each for each in known if each.id == number), None)
    if engagement is None:
        raise no_engagement(number)
    if engagement.closed is not None:
        raise QueryError(
            f"the engagement {engagement.name!r} was closed at {iso(engagement.closed)}: it takes nothing more",
            hint="Create another engagement; what this one holds stays as it is.",
        )


def no_engagement(number: int) -> QueryError:
    """Return the error for an engagement *number* that is not there, as far as who asks may know."""
    return QueryError(f"there is no engagement {number}", hint="`evidenced engagement list` shows them.")


def checked_name(name: str) -> str:
    """Return *name*, trimmed. Raises `QueryError` for one that is empty, long, or has what no line or path may."""
    name = name.strip()
    if not name[:1].isalnum() or len(name) > _LONGEST_NAME or not name.isprintable() or "/" in name:
        raise QueryError(
            f"an engagement cannot be called {name!r}",
            hint="A name begins with a letter or digit, has no '/', and is plain text of at most "
            f"{_LONGEST_NAME} characters.",
        )
    return name


def checked_terms(terms: Terms) -> Terms:
    """Return *terms* in one form. Raises `QueryError` for an empty period or an unknown criterion."""
    start, end = terms.period.start, terms.period.end
    if terms.examination is Examination.TYPE_I:
        end = start + _INSTANT
    if end <= start:
        raise QueryError(
            f"the period is empty: {iso(start)} is not before {iso(end)}",
            hint="A period includes its start, not its end: for the first half, --from 2026-01-01 --to 2026-07-01.",
        )
    known = criteria()
    for name in terms.criteria:
        if name not in known:
            near = ", ".join(get_close_matches(name, known, n=3, cutoff=0.5)) or "CC6.1, A1.2, ..."
            raise QueryError(f"there is no criterion {name!r}", hint=f"Did you mean: {near}?")
    lists = (tuple(dict.fromkeys(getattr(terms, name))) for name in (*_LISTS, "auditors"))
    return Terms(terms.examination, Period(start, end), *lists)


def _dated(act: Act) -> Dated:
    said = act.document
    period = Period(parse_instant(said["start"]), parse_instant(said["end"]))
    asked, sources, scopes, controls = (tuple(said[name]) for name in _LISTS)
    terms = Terms(Examination(said["type"]), period, asked, sources, scopes, controls, act.people)
    return Dated(act.at, act.actor, terms, said.get("why", ""))


def _among(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(name, each) for each in patterns)

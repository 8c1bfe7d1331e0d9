"""Engagements: created, amended and closed by people, each time checked against what is on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from collector.act import Act, ActKind, NewAct
from collector.ask.notes import note_of
from collector.engagement import Engagement, Terms, checked_name, checked_terms, engagements, find
from collector.errors import QueryError

if TYPE_CHECKING:
    from collector.store import Store
    from collector.tag import ControlSet


def engagement_of(store: Store, name: str) -> Engagement:
    """Return the engagement *name*. Raises `QueryError` when there is none."""
    return find(store.engagements(), name)


def acts_of(store: Store, kind: ActKind, name: str = "") -> tuple[list[Act], dict[int, str]]:
    """Return the acts of *kind*, of the engagement *name* or of all, and the names of engagements by id.

    Raises `QueryError` when there is no engagement *name*.
    """
    known = store.engagements()
    number = find(known, name).id if name else None
    return store.desk.acts(kind, number), {each.id: each.name for each in known}


def act_named(store: Store, kind: ActKind, name: str) -> Act:
    """Return the act *name*, as ``population:7`` or ``7``. Raises `QueryError` when there is none of that *kind*."""
    number = name.removeprefix(f"{kind}:")
    if not number.isascii() or not number.isdigit():
        raise QueryError(f"{name!r} is no {kind}", hint=f"They are named like {kind}:7; the lists show the numbers.")
    return store.desk.act(int(number), kind)


def create(store: Store, controls: ControlSet, name: str, terms: Terms, *, actor: str) -> Engagement:
    """Record the engagement *name* with *terms*, and return it.

    Raises `QueryError` for a name that is taken, an empty period, and a criterion, control, source or scope that
    nothing on record knows.
    """
    name = checked_name(name)
    terms = _known(store, controls, terms)

    def free(acts: Sequence[Act]) -> None:
        if any(each.name == name for each in engagements(acts)):
            raise QueryError(
                f"there is an engagement {name!r} already", hint="Amend it, or give the new one another name."
            )

    document = {"did": "created", "name": name, **terms.document()}
    store.desk.record([NewAct(ActKind.ENGAGEMENT, document, actor, people=terms.auditors)], free)
    return engagement_of(store, name)


def amend(store: Store, controls: ControlSet, name: str, terms: Terms, *, why: str, actor: str) -> Engagement:
    """Record *terms* as those in force from now on. Raises `QueryError` as `create` does, and for a closed one."""
    engagement = engagement_of(store, name)
    terms = _known(store, controls, terms)
    if terms == engagement.terms:
        raise QueryError(f"these are the terms of {name!r} already", hint="Nothing was recorded.")
    document = {"did": "amended", "why": note_of(why, "an amendment needs a reason", "--why"), **terms.document()}
    act = NewAct(ActKind.ENGAGEMENT, document, actor, engagement.id, people=terms.auditors)
    store.desk.record([act])
    return engagement_of(store, name)


def close(store: Store, name: str, *, actor: str) -> Engagement:
    """Record that the engagement is over: nothing more is recorded for it. Raises `QueryError` when it is already."""
    engagement = engagement_of(store, name)
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, actor, engagement.id)])
    return engagement_of(store, name)


def require_control(controls: ControlSet, name: str) -> None:
    """Raise `QueryError` that names the nearest unless *controls* has the control *name*."""
    defined = {each.id for each in controls.controls}
    if name not in defined:
        raise _unknown("control", name, defined)


def _known(store: Store, controls: ControlSet, terms: Terms) -> Terms:
    terms = checked_terms(terms)
    for name in terms.controls:
        require_control(controls, name)
    subjects = store.subjects()
    # Before anything was collected nobody can tell a source that is to come from one that is misspelt.
    if subjects:
        for what, patterns, names in (
            ("source", terms.sources, {each.source for each in subjects}),
            ("scope", terms.scopes, {each.scope for each in subjects}),
        ):
            for pattern in patterns:
                if not any(fnmatchcase(name, pattern) for name in names):
                    raise _unknown(what, pattern, names)
    return terms


def _unknown(what: str, name: str, known: Iterable[str]) -> QueryError:
    names = sorted(known)
    near = ", ".join(get_close_matches(name, names, n=3) or names[:12]) or "none"
    return QueryError(f"no {what} on record is called {name!r}", hint=f"Nearest: {near}.")

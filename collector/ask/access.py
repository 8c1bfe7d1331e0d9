"""Tokens of the API and the pages: granted, revoked and looked up; and what auditors read, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING

from collector.access import Grant, Role, grants, new_token, token_digest
from collector.act import Act, ActKind, NewAct
from collector.ask.engagements import engagement_of
from collector.ask.notes import note_of
from collector.clock import iso
from collector.errors import QueryError, Unknown
from collector.model import Json

if TYPE_CHECKING:
    from collector.store import Store

LONGEST = timedelta(days=400)
_MOST_NAME = 100


def grant(
    store: Store, name: str, role: Role, engagement: str, *, now: datetime, lasts: timedelta, actor: str
) -> tuple[Grant, str]:
    """Record a token for *name*, and return it with the token itself, which is kept nowhere.

    An auditor's token opens the *engagement*, and must name one; any other may. Raises `QueryError` for an empty name,
    a life that is over 400 days or none, an unknown engagement, and an auditor without one.
    """
    name = note_of(name, "a token needs the name of whom it is for", "NAME")
    if len(name) > _MOST_NAME or not name.isprintable():
        raise QueryError(
            f"a token cannot be for {name!r}", hint=f"A name is plain text of at most {_MOST_NAME} characters."
        )
    if not timedelta(0) < lasts <= LONGEST:
        raise QueryError("a token lasts at most 400 days", hint="Say how long: --lasts 90d.")
    if role is Role.AUDITOR and not engagement:
        raise QueryError("an auditor's token opens one engagement", hint="Name it: --engagement NAME.")
    of = engagement_of(store, engagement).id if engagement else None
    token = new_token()
    digest = token_digest(token)
    assert digest is not None, "a new token has the form of one"
    document: dict[str, Json] = {
        "form": 1,
        "did": "granted",
        "role": role.value,
        "digest": digest.hex(),
        "expires": iso(now + lasts),
    }
    (act,) = store.desk.record([NewAct(ActKind.TOKEN, document, actor, of, people=(name,))])
    return grants([act])[0], token


def revoke(store: Store, number: int, *, actor: str) -> Grant:
    """Record that token *number* is no longer good, and return it. Raises `QueryError` for none, or one revoked."""
    known = {each.id: each for each in granted(store)}
    found = known.get(number)
    if found is None:
        raise Unknown(f"there is no token {number}", hint="`evidenced token list` shows them.")

    def good(acts: Sequence[Act]) -> None:
        if any(act.about == number for act in acts):
            raise QueryError(f"token {number} was revoked already", hint="Nothing was recorded.")

    of = number if found.engagement is None else found.engagement
    store.desk.record([NewAct(ActKind.TOKEN, {"form": 1, "did": "revoked"}, actor, of, about=number)], good)
    return next(each for each in granted(store) if each.id == number)


def granted(store: Store) -> list[Grant]:
    """Return every token ever granted, oldest first, the revoked and the expired too."""
    return grants(store.desk.acts(ActKind.TOKEN))


def holder(known: Sequence[Grant], token: str, now: datetime) -> Grant | None:
    """Return which of *known* the text *token* is, if that is good at *now*."""
    digest = token_digest(token)
    if digest is None:
        return None
    return next((each for each in known if compare_digest(each.digest, digest) and each.holds(now)), None)


def record_reads(store: Store, engagement: int, name: str, reads: Sequence[dict[str, Json]]) -> Act:
    """Record what the auditor *name* read of *engagement*: one act, and one leaf, for all of *reads* (oldest first).

    Each read says when (``at``), what was asked for (``path``, with its query) and how it ended (``status``).
    """
    document: dict[str, Json] = {"form": 1, "did": "read", "count": len(reads), "reads": list(reads)}
    (act,) = store.desk.record([NewAct(ActKind.ACCESS, document, name, engagement)])
    return act

"""The installation: who is asking, how the collecting goes, snapshots on demand, claims, and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Response
from pydantic import Field

from collector.access import RIGHTS, Grant, Role
from collector.api.asked import Numbered
from collector.api.models.installation import Me, NewTokenForm, RoleWord, StatusForm, Tagged, TokenForm, TokensForm
from collector.api.models.runs import SnapshotForm
from collector.api.models.shared import Form
from collector.api.paging import Paged
from collector.api.route import Route
from collector.api.texts import Maybe, Name, Note
from collector.api.visiting import Admitter, Installed, Overseer, Tagger, Trigger, Visitor
from collector.ask.access import grant, granted, revoke
from collector.ask.claims import claim, withdrawal
from collector.ask.status import status
from collector.ask.triggers import Trigger as Triggered
from collector.ask.triggers import Wanted, queue, trigger
from collector.words import plain

router = APIRouter(route_class=Route, tags=["installation"])

_Asked = Literal["pending", "answered"]


class NewSnapshot(Form):
    """What is to be read now, and why."""

    source: Name = Field(description="A source of the plan in force.", examples=["aws:prod"])
    kinds: Annotated[list[Name], Field(max_length=200)] = Field(
        default=[], description="Only these, by name or pattern; none: all that the plan has."
    )
    control: Maybe = Field(default="", description="Only what serves this control.")
    reason: Note = Field(description="Why; kept with the evidence.")


class NewToken(Form):
    """Whom to let in."""

    name: Name = Field(description="Whom it is for; recorded with what they do.")
    role: RoleWord
    engagement: Maybe = Field(default="", description="The only one that it opens; an auditor's must name one.")
    days: Annotated[int, Field(ge=1, le=400, description="How long it is good.")] = 90


class NewTag(Form):
    """What supports which control."""

    target: Name = Field(description="A run's id, or `sha256:...` of an artifact.", examples=["12-3"])
    control: Name
    note: Note


class Withdrawal(Form):
    """Why a claim no longer holds."""

    note: Note


@router.get("/me", response_model=Me)
def read_me(visit: Visitor) -> Any:
    """Who the token makes you, and what you may see."""
    who = visit.principal
    rights = sorted(each.value for each in RIGHTS[who.role])
    engagements = [each.name for each in visit.engagements()]
    return {"name": who.name, "role": who.role.value, "rights": rights, "engagements": engagements}


@router.get("/status", response_model=StatusForm)
def read_status(installed: Overseer) -> Any:
    """How the collecting goes right now: the daemon, each source, and what has not been read well since."""
    return plain(status(installed.store, now=installed.now, config=installed.config))


@router.post("/snapshots", response_model=SnapshotForm, status_code=202)
def ask_for_snapshot(installed: Trigger, body: Annotated[NewSnapshot, Body()], response: Response) -> Any:
    """Ask the daemon to read a source now, beside the schedule. `Location` tells what came of it.

    Repeated, it asks again, and the source is read again. Without a daemon the request waits for one.
    """
    wanted = Wanted(body.source, body.reason, tuple(body.kinds), body.control)
    made = queue(installed.store, installed.controls, wanted, actor=installed.actor, at=installed.now)
    response.headers["Location"] = f"/api/v1/snapshots/{made.request.id}"
    return _snapshot(made)


@router.get("/snapshots/{number}", response_model=SnapshotForm)
def read_snapshot(installed: Trigger, number: Numbered) -> Any:
    """What came of a snapshot that was asked for."""
    return _snapshot(trigger(installed.store, number))


@router.get("/tokens", response_model=TokensForm)
def read_tokens(installed: Admitter, page: Paged) -> Any:
    """Every token ever granted, the revoked and the expired too; never a token itself."""
    part, following = page.of(granted(installed.store), lambda each: each.id)
    return plain({"tokens": [_token(installed, each) for each in part], "next": following})


@router.post("/tokens", response_model=NewTokenForm, status_code=201)
def grant_token(installed: Admitter, body: Annotated[NewToken, Body()], response: Response) -> Any:
    """Grant a token. It is in this answer, and nowhere else.

    Repeated, it grants another token; the first stays good.
    """
    lasts = timedelta(days=body.days)
    made, token = grant(
        installed.store,
        body.name,
        Role(body.role),
        body.engagement,
        now=installed.now,
        lasts=lasts,
        actor=installed.actor,
    )
    response.headers["Cache-Control"] = "no-store"
    return plain({**_token(installed, made), "token": token})


@router.post("/tokens/{number}/revocation", response_model=TokenForm, status_code=201)
def revoke_token(installed: Admitter, number: Numbered) -> Any:
    """Revoke a token, from the next request on.

    Repeated, it is refused (422): the token is revoked already, and nothing is recorded.
    """
    return plain(_token(installed, revoke(installed.store, number, actor=installed.actor)))


@router.post("/tags", response_model=Tagged, status_code=201)
def add_tag(installed: Tagger, body: Annotated[NewTag, Body()]) -> Any:
    """Claim that a run or an artifact supports a control.

    Repeated, it claims it again, under another number.
    """
    number = claim(
        installed.store, installed.controls, body.target, body.control, note=body.note, actor=installed.actor
    )
    return {"tag": number}


@router.post("/tags/{number}/withdrawal", response_model=Tagged, status_code=201)
def withdraw_tag(installed: Tagger, number: Numbered, body: Annotated[Withdrawal, Body()]) -> Any:
    """Withdraw a claim by a later one; both stay on record.

    Repeated, it is refused (422): the claim is withdrawn already, and nothing is recorded.
    """
    return {"tag": withdrawal(installed.store, number, body.note, installed.actor, now=installed.now)}


def _snapshot(found: Triggered) -> Any:
    state: _Asked = "answered" if found.answered else "pending"
    return plain({"request": found.request, "state": state, "runs": found.runs})


def _token(installed: Installed, found: Grant) -> dict[str, Any]:
    names = {each.id: each.name for each in installed.store.engagements()}
    return {
        "id": found.id,
        "name": found.name,
        "role": found.role.value,
        "engagement": None if found.engagement is None else names[found.engagement],
        "at": found.at,
        "by": found.by,
        "expires": found.expires,
        "revoked": found.revoked,
    }

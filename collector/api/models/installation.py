"""Engagements, tokens, status and who is asking."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from collector.api.models.runs import RunForm, TagForm
from collector.api.models.shared import Form, Instant, Paged, Seconds, Span, SubjectForm

RoleWord = Literal["auditor", "reader", "operator", "admin"]


class TermsForm(Form):
    """What an audit is about. An empty list means all."""

    examination: Literal["I", "II"]
    period: Span
    criteria: list[str]
    sources: list[str] = Field(description="Names or patterns.")
    scopes: list[str]
    controls: list[str]
    auditors: list[str]


class DatedTerms(Form):
    """Terms, since when they are in force, and who said so."""

    since: Instant
    by: str
    terms: TermsForm
    why: str


class EngagementForm(Form):
    """One audit; `terms` are those in force, `history` all that ever were."""

    id: int
    name: str
    closed: Instant | None
    closed_by: str | None
    terms: TermsForm
    history: list[DatedTerms]


class Engagements(Paged):
    """The engagements that you may see, the oldest first."""

    engagements: list[EngagementForm]


class Me(Form):
    """Who the token makes you, and what you may see."""

    name: str
    role: RoleWord
    rights: list[str]
    engagements: list[str]


class TokenForm(Form):
    """A token as recorded: never the token itself."""

    id: int
    name: str
    role: RoleWord
    engagement: str | None = Field(description="The only one that it opens; null: the whole installation.")
    at: Instant
    by: str
    expires: Instant
    revoked: Instant | None


class NewTokenForm(TokenForm):
    """A token that was just granted."""

    token: str = Field(description="Shown now and never again.")


class TokensForm(Paged):
    """Every token ever granted, the oldest first."""

    tokens: list[TokenForm]


class SourceStatusForm(Form):
    """One planned source."""

    source: str
    kinds: int
    scopes: int
    last: RunForm | None
    accounted_until: Instant | None
    next_due: Instant | None


class FailureForm(Form):
    """A planned subject whose newest run failed."""

    subject: SubjectForm
    run: RunForm
    last_good: Instant | None


class PlaceForm(Form):
    """An authority or an anchor: what it has of the log."""

    name: str
    role: str
    size: int | None
    age: Seconds | None
    waiting: int
    late: bool


class LogForm(Form):
    """How far the log is signed."""

    signed: bool
    size: int
    checkpoint: int | None
    checkpoint_at: Instant | None
    places: list[PlaceForm]


class StatusForm(Form):
    """How the collecting goes right now."""

    at: Instant
    store: str
    size: int = Field(description="What the store takes, in bytes.")
    daemon_running: bool
    plan_version: int | None
    plan_valid_from: Instant | None
    sources: list[SourceStatusForm]
    failures: list[FailureForm]
    waiting_requests: int
    log: LogForm | None


class Tags(Paged):
    """Claims by people, the oldest first."""

    tags: list[TagForm]


class Tagged(Form):
    """The number of a claim that was recorded."""

    tag: int

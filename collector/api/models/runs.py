"""Runs and their sheets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from collector.api.models.shared import (
    Content,
    DetailWord,
    Digest,
    Form,
    Instant,
    OutcomeWord,
    Paged,
    ReasonWord,
    Span,
    SubjectForm,
)

TriggerWord = Literal["schedule", "catch-up", "adhoc", "backfill"]


class ProvenanceForm(Form):
    """With which code and configuration a subject was read."""

    connector: str
    connector_version: str
    collector_version: str
    procedure: str = Field(description="The digest of the query.")
    config: str = Field(description="The digest of the source's settings.")
    plan_version: int
    criteria: list[str]
    controls: list[str]
    grants: list[str]


class PrincipalForm(Form):
    """As whom the source was asked, as it says itself."""

    id: str
    account: str


class CallsForm(Form):
    """What a run asked of one operation of the API."""

    operation: str
    calls: int
    pages: int
    retries: int
    items: int
    total: int | None = Field(description="How many there are, where the source says so.")
    drained: bool = Field(description="False when the source offered more than was read.")
    first_request_id: str
    last_request_id: str
    first_date: Instant | None = Field(description="The source's own clock.")
    last_date: Instant | None


class CountsForm(Form):
    """Items read, and how they differ from the last good population."""

    items: int
    added: int
    changed: int
    removed: int


class RedactionForm(Form):
    """A value was removed; never the value."""

    path: str
    rule: str
    count: int


class WindowForm(Form):
    """The interval of event time that was asked for."""

    since: Instant
    until: Instant


class RunForm(Form):
    """One attempt to read one kind in one scope."""

    id: str = Field(examples=["12-3"])
    subject: SubjectForm
    due: Instant
    trigger: TriggerWord
    provenance: ProvenanceForm
    started: Instant
    finished: Instant
    recorded: Instant | None
    outcome: OutcomeWord
    detail: DetailWord | None
    reason: ReasonWord | None
    message: str
    hint: str
    principal: PrincipalForm
    operations: list[CallsForm]
    counts: CountsForm
    population: Digest | None = Field(description="The Merkle root over the items; null when the run failed.")
    redactions: list[RedactionForm]
    skew_ms: int | None = Field(description="Our clock minus the source's.")
    window: WindowForm | None
    watermark_before: Instant | None
    watermark_after: Instant | None


class Runs(Paged):
    """Runs, the newest first."""

    period: Span | None
    runs: list[RunForm]


class RequestedForm(Form):
    """An ad hoc trigger: who asked for which kinds of which source, when, and why."""

    id: int
    source: str
    kinds: list[str] = Field(description="Empty: all that the plan has.")
    reason: str
    actor: str
    at: Instant


class TagForm(Form):
    """A dated claim that something supports a control."""

    id: int
    target: str = Field(examples=["run:12-3"])
    control: str
    note: str
    actor: str
    at: Instant
    withdraws: int | None


class SheetForm(Form):
    """What an auditor needs to accept a run as evidence."""

    run: RunForm
    procedure: Content = Field(description="The query as declared; null when only its digest is recorded.")
    settings: Content = Field(description="Those of the source; null when only their digest is recorded.")
    request: RequestedForm | None
    tags: list[TagForm]


class AnsweredRun(Form):
    """What came of one run."""

    id: str
    subject: SubjectForm
    due: Instant
    finished: Instant
    outcome: OutcomeWord
    detail: DetailWord | None
    reason: ReasonWord | None
    message: str
    trigger: TriggerWord


class SnapshotForm(Form):
    """A snapshot that was asked for, and what came of it so far."""

    request: RequestedForm
    state: Literal["pending", "answered"] = Field(description="`answered`: no more runs will come.")
    runs: list[AnsweredRun]

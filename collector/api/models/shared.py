"""What several answers have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-14T03:00:12Z"], description="In UTC.")
]
Day = Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2026-03-14"])]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", examples=["sha256:" + "0f" * 32])]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Seconds = Annotated[float, Field(description="In seconds.")]
Content = Annotated[Any, Field(description="As recorded; any JSON.")]
OutcomeWord = Literal["collected", "failed", "missed", "excluded"]
ReasonWord = Literal[
    "denied", "throttled", "unavailable", "truncated", "invalid", "not_enabled", "misconfigured", "internal"
]
DetailWord = Literal["changed", "unchanged", "empty"]


class Form(BaseModel):
    """A form whose every field is named here."""

    model_config = ConfigDict(extra="forbid")


class Paged(Form):
    """A page of a list."""

    next: str | None = Field(description="The cursor of the next page; null on the last.")


class Span(Form):
    """A half-open interval, in UTC."""

    start: Instant
    end: Instant


class SubjectForm(Form):
    """What is observed again and again: one kind in one scope of one source."""

    source: str = Field(examples=["aws:prod"])
    kind: str = Field(examples=["aws.iam.credential_report"])
    scope: str = Field(examples=["111122223333"])


class FieldChanged(Form):
    """One field that is not the same."""

    path: str = Field(description="Names joined with `.`, positions as `[2]`.", examples=["mfa.active"])
    change: Literal["added", "removed", "changed", "reordered"]
    before: Content
    after: Content

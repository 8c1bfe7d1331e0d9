"""What was there, what changed, the life of an item, and kinds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from collector.api.models.runs import RunForm
from collector.api.models.shared import Content, Digest, FieldChanged, Form, Instant, Paged, SubjectForm


class KindForm(Form):
    """A kind of evidence that is planned or on record."""

    kind: str
    criteria: list[str]
    controls: list[str]
    places: list[SubjectForm] = Field(description="The sources and scopes in which it is read.")


class Kinds(Paged):
    """Kinds, by name."""

    kinds: list[KindForm]


class ItemForm(Form):
    """One item as it was."""

    key: str
    artifact: Digest
    since: Instant = Field(description="When it was first observed in this form.")
    until: Instant | None = Field(description="When it no longer was; null: it still is.")
    still_seen: bool | None = Field(description="Whether the next good run saw it so; null: there is none yet.")
    document: Content
    withheld: str = Field(description="Why the content cannot be shown; else empty.")
    volatile: Content = Field(description="Fields that vary by themselves, as last kept by then.")


class PopulationForm(Form):
    """The population of one subject at an instant."""

    subject: SubjectForm
    observed: bool = Field(description="False: nobody had looked yet, and nothing is known. Not the same as empty.")
    run: RunForm | None = Field(description="The run that saw it.")
    next: RunForm | None = Field(description="The next good run.")
    items: list[ItemForm]


class AsOf(Paged):
    """Populations at an instant, by subject and key; a subject whose items go on is named by the next page again."""

    kind: str
    at: Instant
    populations: list[PopulationForm]


class StandingForm(Paged):
    """What the kinds that serve a control showed at an instant: who had access."""

    control: str
    title: str
    criteria: list[str]
    at: Instant
    events: list[str] = Field(description="Kinds that serve it and list what happened, not what was there.")
    unseen: list[str] = Field(description="Patterns of the control that no kind on record fits.")
    populations: list[PopulationForm]


class ComparedForm(Form):
    """The good runs that show a subject at either end; null where it was not observed yet."""

    subject: SubjectForm
    before: RunForm | None
    after: RunForm | None
    rekeyed: bool = Field(description="Items have another key since, and were not compared.")


class ItemDiffers(Form):
    """An item that is not the same."""

    subject: SubjectForm
    key: str
    change: Literal["added", "removed", "changed"]
    before: Digest | None
    after: Digest | None
    fields: list[FieldChanged]


class DifferenceForm(Paged):
    """What differs between two instants."""

    kind: str
    start: Instant
    end: Instant
    subjects: list[ComparedForm]
    items: list[ItemDiffers]


class LifeForm(Form):
    """One form of an item."""

    subject: SubjectForm
    key: str
    artifact: Digest
    first_seen: Instant
    last_seen: Instant | None
    ended: Instant | None
    ending: Literal["", "changed", "gone", "named otherwise"]
    fields: list[FieldChanged]
    withheld: str


class History(Paged):
    """Every form that an item ever had, the oldest first within each subject."""

    kind: str
    key: str
    forms: list[LifeForm]

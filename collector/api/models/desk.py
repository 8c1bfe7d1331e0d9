"""What is recorded at the auditor's desk: populations, samples, reconciliations, uploads, requests, reviews."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from collector.api.models.periods import ExpectedForm
from collector.api.models.shared import Day, Form, Hex, Instant, Paged, Span


class Said(Form):
    """When something was recorded, by whom, and the leaf of the log that commits to it."""

    at: Instant
    by: str = Field(description="Empty: the name was erased.")
    leaf: int


class RowsForm(Form):
    """The rows of a frozen population."""

    sha256: Hex
    count: int
    bytes: int


class PopulationListed(Said):
    """A frozen population as lists show it."""

    population: int
    engagement: str
    kind: str
    rows: RowsForm


class Populations(Paged):
    """Frozen populations, the oldest first."""

    populations: list[PopulationListed]


class StatementForm(Form):
    """A population over a period: what it counts, and how complete it is. docs/samples.md specifies the statement."""

    population: int | None = Field(description="Its number; null when it is not frozen.")
    frozen: Instant | None
    statement: dict[str, Any]


class RowForm(Form):
    """One item of a frozen population."""

    id: Hex
    source: str
    scope: str
    key: str
    first_seen: Instant
    last_seen: Instant
    joined: list[Instant]
    left: list[Instant]
    changes: int
    artifacts: list[Hex] = Field(description="The digests of the forms that it had.")
    at: Instant | None = Field(description="When an event happened.")


class RowsPage(Paged):
    """Rows of a frozen population, in their order."""

    population: int
    sha256: Hex = Field(description="Of all rows, as `.jsonl` gives them.")
    rows: list[RowForm]


class PopulationOf(Form):
    """By what a record names a frozen population."""

    act: int
    rows: Hex


class StratumForm(Form):
    """How many were drawn of how many."""

    name: str
    of: int
    drawn: int


class SampleListed(Said):
    """A sample as recorded."""

    sample: int
    method: Literal["random", "systematic", "stratified", "dates"]
    seed: str
    size: int
    among: int
    population: PopulationOf
    drawn: list[str]
    every: str | None = None
    stratum: str | None = None
    minimum: int | None = None
    strata: list[StratumForm] | None = None
    engagement: str | None = None


class DrawnDateForm(Form):
    """A date that was drawn, and what became of the slots due on it."""

    label: str
    counts: dict[str, int]


class SampleForm(SampleListed):
    """A sample with what it drew."""

    number: int = Field(description="Which of the samples of its population it is, from 1.")
    others: list[SampleListed]
    reproduced: bool = Field(description="Whether drawing again gives the same.")
    items: list[RowForm]
    dates: list[DrawnDateForm]


class Samples(Paged):
    """Samples, the oldest first."""

    samples: list[SampleListed]


class SideCounts(Form):
    """One side in numbers: `items = matched + only + duplicates + without_key + left_out`."""

    items: int
    matched: int
    only: int
    duplicates: int
    without_key: int
    left_out: int


class TogetherForm(Form):
    """The items of both sides with one key."""

    value: str
    left: list[str]
    right: list[str]


class ReconciliationForm(Form):
    """How two populations compare."""

    left: SideCounts
    right: SideCounts
    matched: list[TogetherForm]
    only_left: list[TogetherForm]
    only_right: list[TogetherForm]
    duplicates: list[TogetherForm]
    without_key_left: list[str]
    without_key_right: list[str]


class ReconciledForm(Form):
    """A reconciliation, and its number when it was recorded."""

    agree: bool
    recorded: int | None
    reconciliation: ReconciliationForm


class ReconciliationListed(Said):
    """A reconciliation on record; what it found in full is the artifact of its act."""

    reconciliation: int
    normalise: str
    agree: bool
    left: dict[str, Any]
    right: dict[str, Any]
    engagement: str | None = None


class Reconciliations(Paged):
    """Reconciliations, the oldest first."""

    reconciliations: list[ReconciliationListed]


class UploadForm(Said):
    """A file that somebody added as evidence."""

    upload: int
    name: str = Field(description="Safe to be a file's name.")
    type: str
    media_type: str
    bytes: int
    sha256: Hex
    control: str
    effective: Span
    reason: str
    engagement: str | None = None


class Uploads(Paged):
    """Uploads, the oldest first."""

    uploads: list[UploadForm]


class Due(Form):
    """What people must add, of an engagement."""

    due: list[ExpectedForm]


class EventForm(Form):
    """Something that was done with a request."""

    did: str
    by: str
    at: Instant
    what: str
    note: str


class RequestForm(Form):
    """What the auditor asks for, and what has become of it."""

    act: int
    engagement: str
    id: str
    title: str
    criteria: list[str]
    due: Day | None
    status: Literal["open", "answered", "returned", "accepted", "withdrawn"]
    links: list[str]
    events: list[EventForm]


class Requests(Paged):
    """Requests, in the order in which they were added."""

    requests: list[RequestForm]


class Imported(Form):
    """What became of a request list."""

    added: int
    already: int = Field(description="There already, word for word.")


class ReviewForm(Said):
    """What a named person decided."""

    review: int
    of: str = Field(examples=["population:7", "AC-02"])
    decision: Literal["approved", "exceptions-noted", "changes-requested", "declined"]
    note: str
    period: Span
    rows: Hex | None = None
    engagement: str | None = None


class Reviews(Paged):
    """Reviews, the oldest first."""

    reviews: list[ReviewForm]

"""Populations over the engagement's period, frozen, with samples drawn from them and reconciliations between them."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Response
from pydantic import Field

from collector.act import Act, ActKind
from collector.api.acts import act_here, location, page_of_acts
from collector.api.asked import Numbered
from collector.api.downloads import download, downloads
from collector.api.models.desk import (
    Populations,
    ReconciledForm,
    Reconciliations,
    RowsPage,
    SampleForm,
    Samples,
    StatementForm,
)
from collector.api.models.shared import Form
from collector.api.paging import Paged
from collector.api.route import Route
from collector.api.texts import Instant, Maybe, Name, Note, Number
from collector.api.visiting import Desk, Examiner, Reader
from collector.ask.documents import frozen_document, said_of, sample_document, statement_document
from collector.ask.populations import freeze, over_period
from collector.ask.reconciling import Side, reconciled, record
from collector.ask.samples import Wanted, draw, sample_of
from collector.frozen import rows
from collector.sample import Method
from collector.words import plain

router = APIRouter(route_class=Route, tags=["populations"])

_JSONL = "application/jsonl"


class Freeze(Form):
    """Which population to freeze."""

    kind: Name = Field(description="A kind of evidence.", examples=["aws.iam.credential_report"])


class Draw(Form):
    """What to draw."""

    population: Number = Field(description="A frozen population, by its number.")
    seed: Annotated[Note, Field(min_length=1, description="Public text that decides the draw.")]
    method: Literal["random", "systematic", "stratified", "dates"] = "random"
    size: Maybe = Field(default="", description="A number or a share, `10%`; left out: as configured.")
    stratum: Note = Field(default="", description="Stratified: a JMESPath expression over an item.")
    minimum: Annotated[int, Field(ge=0, le=100_000, description="Stratified: at least so many of each.")] = 1
    every: Literal["daily", "weekly", "monthly"] = Field(default="daily", description="Dates of such a control.")


class SideOf(Form):
    """One side of a reconciliation."""

    of: Name = Field(description="A frozen population (`population:7`) or a kind.", examples=["population:7"])
    key: Note = Field(default="", description="A JMESPath expression over an item; left out: its own key.")
    where: Note = Field(default="", description="Only items for which this is true.")


class Reconcile(Form):
    """What to compare."""

    left: SideOf
    right: SideOf
    normalise: Maybe = Field(default="", description="`lower`, `trim`, `nfc`, `digits`, joined by commas.")
    at: Instant | None = Field(default=None, description="Of kinds: the instant; left out: now.")
    record: bool = Field(default=False, description="Whether to record it; both must be frozen.")


@router.get("/populations", response_model=Populations)
def read_populations(desk: Reader, page: Paged) -> Any:
    """The frozen populations."""
    part, following = page_of_acts(desk, ActKind.POPULATION, page)
    return plain({"populations": [frozen_document(each, desk.name) for each in part], "next": following})


@router.post("/populations", response_model=StatementForm, status_code=201)
def freeze_population(desk: Examiner, body: Annotated[Freeze, Body()], response: Response) -> Any:
    """Freeze what existed over the engagement's period, so that it can be sampled.

    Repeated, it freezes another: each is recorded, with its own number.
    """
    over = over_period(desk.store, body.kind, desk.engagement, now=desk.now, grace=desk.grace)
    act = freeze(desk.store, over, desk.engagement, actor=desk.actor)
    response.headers["Location"] = location(desk, "populations", act.id)
    return plain(statement_document(act.document, act))


@router.get("/kinds/{kind}/population", response_model=StatementForm)
def read_population_of_kind(desk: Reader, kind: Name) -> Any:
    """The statement of what existed over the engagement's period as it stands now, without freezing it."""
    over = over_period(desk.store, kind, desk.engagement, now=desk.now, grace=desk.grace)
    return plain(statement_document(over.statement, None))


@router.get("/populations/{number}", response_model=StatementForm)
def read_population(desk: Reader, number: Numbered) -> Any:
    """The statement of a frozen population: what it counts, and how complete it is."""
    act = act_here(desk, ActKind.POPULATION, number)
    return plain(statement_document(act.document, act))


@router.get("/populations/{number}/rows", response_model=RowsPage)
def read_rows(desk: Reader, number: Numbered, page: Paged) -> Any:
    """The rows of a frozen population, in their order."""
    act = act_here(desk, ActKind.POPULATION, number)
    start = page.after or 0
    found = list(islice(rows(_bytes(desk, act)), start, start + page.limit + 1))
    numbered = list(enumerate(found, start=start + 1))
    part, following = page.cut(numbered, lambda each: each[0])
    said = {"population": act.id, "sha256": act.document["rows"]["sha256"], "next": following}
    return said | {"rows": plain([row for _, row in part])}


@router.get(
    "/populations/{number}/rows.jsonl", response_class=Response, responses=downloads(_JSONL, "Every row, one a line.")
)
def download_rows(desk: Reader, number: Numbered) -> Response:
    """The exact bytes by whose SHA-256 the population is known: one item a line."""
    act = act_here(desk, ActKind.POPULATION, number)
    name = f"population-{act.id}.jsonl"
    return download(_bytes(desk, act), name, act.document["rows"]["sha256"], _JSONL)


@router.get("/samples", response_model=Samples, response_model_exclude_unset=True)
def read_samples(desk: Reader, page: Paged) -> Any:
    """Every sample that was ever drawn."""
    part, following = page_of_acts(desk, ActKind.SAMPLE, page)
    return plain({"samples": [{**said_of(each), "engagement": desk.name} for each in part], "next": following})


@router.post("/samples", response_model=SampleForm, response_model_exclude_unset=True, status_code=201)
def draw_sample(desk: Examiner, body: Annotated[Draw, Body()], response: Response) -> Any:
    """Draw from a frozen population by a stated seed; anybody can draw it again.

    Repeated, it records another draw, the same items by the same seed; none replaces another, and each names all.
    """
    act_here(desk, ActKind.POPULATION, body.population)
    wanted = Wanted(Method(body.method), body.seed, body.size, body.stratum, body.minimum, body.every)
    act = draw(desk.store, str(body.population), wanted, desk.config.samples, actor=desk.actor)
    response.headers["Location"] = location(desk, "samples", act.id)
    return plain(sample_document(sample_of(desk.store, str(act.id))))


@router.get("/samples/{number}", response_model=SampleForm, response_model_exclude_unset=True)
def read_sample(desk: Reader, number: Numbered) -> Any:
    """A sample with its items, every other sample of its population, and whether drawing again gives the same."""
    act = act_here(desk, ActKind.SAMPLE, number)
    return plain(sample_document(sample_of(desk.store, str(act.id))))


@router.get("/reconciliations", response_model=Reconciliations, response_model_exclude_unset=True)
def read_reconciliations(desk: Reader, page: Paged) -> Any:
    """The reconciliations on record."""
    part, following = page_of_acts(desk, ActKind.RECONCILIATION, page)
    return plain({"reconciliations": [{**said_of(each), "engagement": desk.name} for each in part], "next": following})


@router.post("/reconciliations", response_model=ReconciledForm)
def reconcile(desk: Examiner, body: Annotated[Reconcile, Body()]) -> Any:
    """Compare two populations by a key, with counts that add up.

    Repeated with `record`, it is recorded again; without, nothing is recorded at all.
    """
    left, right = (Side(each.of, each.key, each.where) for each in (body.left, body.right))
    for each in (left, right):
        if each.is_frozen:
            act_here(desk, ActKind.POPULATION, _number(each.of))
    found = reconciled(desk.store, left, right, normalise=body.normalise, at=body.at or desk.now, now=desk.now)
    act = record(desk.store, left, right, body.normalise, found, actor=desk.actor) if body.record else None
    return plain({"agree": found.agree, "recorded": act.id if act else None, "reconciliation": found})


def _bytes(desk: Desk, act: Act) -> bytes:
    return desk.store.artifact(act.artifact or b"")


def _number(name: str) -> int:
    return int(name.removeprefix("population:"))

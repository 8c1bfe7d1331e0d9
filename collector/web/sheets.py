"""The sheet of one run, in the order in which an auditor asks; the same as JSON and PDF, and the proof of it."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from collector.ask.sheet import sheet_of
from collector.export import makes_pdf, sheet_pdf
from collector.export.sheet_sections import listings, outcome, query, when, where
from collector.log.checkpoint import Checkpoint
from collector.log.note import parse_note
from collector.verify import Proof, prove
from collector.web.pages import page
from collector.web.runs import saved
from collector.web.visiting import Visitor, Within
from collector.words import plain

router = APIRouter(include_in_schema=False)


@router.get("/e/{name}/runs/{id}.json")
def as_json(visit: Visitor, engaged: Within, id: str) -> Response:
    """Give the sheet as JSON, as `evidenced run --json` does."""
    found = sheet_of(engaged.store, id, now=visit.now)
    data = json.dumps(plain(found), ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    return saved(data, f"run-{found.run.id}.json", "application/json")


@router.get("/e/{name}/runs/{id}.pdf")
def as_pdf(visit: Visitor, engaged: Within, id: str) -> Response:
    """Give the sheet as PDF, with the proof that the run is in the log."""
    found = sheet_of(engaged.store, id, now=visit.now)
    data = sheet_pdf(found, prove(engaged.store, f"run:{found.run.id}").proof)
    return saved(data, f"run-{found.run.id}.pdf", "application/pdf")


@router.get("/e/{name}/runs/{id}.proof")
def as_proof(engaged: Within, id: str) -> Response:
    """Give the proof that the run is in the log, as `evidenced proof` writes it."""
    return saved(prove(engaged.store, f"run:{id}").data, f"run-{id}.proof", "application/json")


@router.get("/e/{name}/runs/{id}")
def sheet(request: Request, visit: Visitor, engaged: Within, id: str) -> HTMLResponse:
    """Show the sheet of one run."""
    found = sheet_of(engaged.store, id, now=visit.now)
    dates = [at for each in found.run.operations for at in (each.first_date, each.last_date) if at is not None]
    proof = prove(engaged.store, f"run:{found.run.id}").proof
    return page(
        request,
        visit,
        "sheet.html",
        engagement=engaged.engagement,
        sheet=found,
        run=found.run,
        api=(["runs", found.run.id], {}),
        sections={"where": where(found), "query": query(found), "when": when(found), "outcome": outcome(found)},
        listings=list(listings(found)),
        procedure=json.dumps(found.procedure, ensure_ascii=False, indent=2).split("\n") if found.procedure else [],
        source_clock=(min(dates), max(dates)) if dates else None,
        proof=proof,
        signed=_signed(proof),
        pdf=makes_pdf(),
    )


def _signed(proof: Proof) -> tuple[int, list[str]] | None:
    """Return how many leaves the checkpoint covers that the proof leads to, and who signed it; None without one."""
    if not proof.note:
        return None
    note = parse_note(proof.note)
    return Checkpoint.parse(note.text).size, [each.name for each in note.signatures]

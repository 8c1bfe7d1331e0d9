"""The sheet of a run as PDF: what an auditor files to show where a piece of evidence came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from reportlab.platypus import Flowable

from collector.canonical import digest
from collector.clock import iso
from collector.errors import IntegrityError
from collector.export.pdf import About, Cover, boxed, document, heading, pairs, paragraph, space, style, table, tiles
from collector.export.sheet_sections import Listing, Section, listings, outcome, query, when, where
from collector.log.checkpoint import Checkpoint
from collector.log.note import parse_note
from collector.model import Json, Outcome
from collector.words import came_of, span

if TYPE_CHECKING:
    from collector.ask.sheet import Sheet
    from collector.verify import Proof

_LINES = 600
_WIDTHS = {
    "call": 26,
    "request ids": 40,
    "source's clock": 34,
    "complete": 24,
    "note": 40,
    "removed at": 40,
    "rule": 24,
}
_USUAL_WIDTH = 10


def made(sheet: Sheet, proof: Proof) -> bytes:
    """Return the file; see `collector.export.pdfs.sheet_pdf`."""
    run = sheet.run
    if proof.target != f"run {run.id}":
        raise IntegrityError(f"that is the proof of {proof.target}, not of run {run.id}")
    foot = f"Run {run.id}, {run.subject.kind}: nothing signs this page; the proof below is what to check"
    return document(About(f"Sheet of run {run.id}", foot, run.recorded or run.finished), list(_parts(sheet, proof)))


def _parts(sheet: Sheet, proof: Proof) -> Iterator[Flowable]:
    run = sheet.run
    yield Cover(
        "INFORMATION PRODUCED BY THE ENTITY: SHEET OF A RUN",
        f"Run {run.id}: {run.subject.kind}",
        [f"{run.subject.source}, {run.subject.scope}", f"read at {iso(run.finished)}: {came_of(run)}"],
    )
    yield space(6)
    yield tiles(_figures(sheet))
    yield space(2)
    yield from _section(where(sheet))
    yield from _section(query(sheet))
    yield from _procedure(sheet.procedure)
    yield from _section(outcome(sheet))
    for each in listings(sheet):
        yield space(5)
        yield _listing(each)
    yield from _section(when(sheet))
    yield from _clocks(sheet)
    yield from _proof(proof)


def _figures(sheet: Sheet) -> list[tuple[str, str]]:
    run = sheet.run
    known = run.outcome is Outcome.COLLECTED
    counts = [getattr(run.counts, name) for name in ("items", "added", "changed", "removed")]
    named = zip(counts, ("items", "added", "changed", "removed"), strict=True)
    pages = sum(each.pages for each in run.operations)
    return [*((f"{count:,}" if known else "unknown", name) for count, name in named), (f"{pages:,}", "pages read")]


def _section(found: Section) -> Iterator[Flowable]:
    yield from heading(found.title)
    yield pairs((name, _worded(value)) for name, value in found.pairs)


def _worded(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_worded, value))
    return iso(value) if isinstance(value, datetime) else str(value)


def _procedure(procedure: Json) -> Iterator[Flowable]:
    yield space(5)
    if procedure is None:
        yield paragraph("The procedure is known by its digest alone: the run was made before there was a plan.")
        return
    yield paragraph("The procedure, as declared:", style(7.5, keepWithNext=1))
    lines = json.dumps(procedure, indent=2, ensure_ascii=False).split("\n")
    shown = [
        paragraph(each.strip(), style(7, leftIndent=4 * (len(each) - len(each.lstrip())))) for each in lines[:_LINES]
    ]
    if len(lines) > _LINES:
        shown.append(paragraph(f"and {len(lines) - _LINES:,} lines more", style(7)))
    yield boxed(shown)


def _listing(found: Listing) -> Flowable:
    widths = [_WIDTHS.get(each, _USUAL_WIDTH) for each in found.columns]
    return table(found.columns, found.rows, widths, found.right)


def _clocks(sheet: Sheet) -> Iterator[Flowable]:
    """Yield the three clocks side by side: the source's, ours at reading, ours at storing."""
    run = sheet.run
    dates = [at for each in run.operations for at in (each.first_date, each.last_date) if at is not None]
    rows = [
        ("the source's", "first and last Date of its answers", *_edges(dates)),
        ("ours at reading", "first and last of the run", iso(run.started), iso(run.finished)),
        ("ours at storing", "the transaction with the leaf", "", iso(run.recorded) if run.recorded else ""),
    ]
    yield from heading("The three clocks")
    yield table(("clock", "what", "from", "to"), rows, (20, 34, 23, 23))
    if run.recorded is not None:
        yield space(3)
        yield paragraph(f"Stored {span(run.recorded - run.finished)} after it was read.", style(7.5))


def _edges(dates: list[datetime]) -> tuple[str, str]:
    return (iso(min(dates)), iso(max(dates))) if dates else ("not told", "not told")


def _proof(proof: Proof) -> Iterator[Flowable]:
    yield from heading("Proof that it is in the log")
    yield pairs(
        [
            ("leaf", f"{proof.branch.index:,} of a log of {proof.branch.size:,} leaves"),
            ("log", proof.origin),
            ("root", proof.root.hex()),
            ("leaf's bytes", proof.leaf.decode("utf-8", "backslashreplace")),
            ("audit path", " ".join(each.hex() for each in proof.branch.path) or "none: the leaf is the only one"),
            ("commits to", ", ".join(f"{each.name}: {digest(each.data).hex()}" for each in proof.parts)),
            ("checkpoint", _checkpoint(proof)),
            ("time stamps", ", ".join(name for name, _ in proof.tokens) or "none over this checkpoint"),
        ]
    )
    yield space(6)
    name = proof.target.removeprefix("run ")
    yield boxed(
        [
            paragraph(
                "Nothing signs this page. The checkpoint signs the root; the audit path leads from the leaf to it."
            ),
            paragraph(
                f"To check: evidenced proof {name} -o run.proof, then anywhere: evidenced verify run.proof --key KEY"
            ),
        ]
    )


def _checkpoint(proof: Proof) -> str:
    if not proof.note:
        return "none yet: nobody has signed a log that has this leaf"
    note = parse_note(proof.note)
    found = Checkpoint.parse(note.text)
    by = ", ".join(each.name for each in note.signatures)
    return f"of {found.size:,} leaves, signed by {by}; SHA-256 of its note: {digest(proof.note).hex()}"

"""summary.pdf: what summary.html says, on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reportlab.platypus import Flowable

from collector.ask.coverage import Coverage
from collector.clock import iso
from collector.export.days import calendar, weeks
from collector.export.facts import Facts, populations, samples
from collector.export.pdf import (
    About,
    Cover,
    boxed,
    document,
    heading,
    pairs,
    paragraph,
    space,
    style,
    table,
    tiles,
)
from collector.export.pdf_calendar import WEEKS, Legend, Strip
from collector.words import fell_short, span

MOST = 400
"""How many rows of a kind it shows; index.xlsx and the CSV files have all."""
_FROZEN = ("number", "kind", "items", "joined", "left", "frozen at", "by", "rows (sha256)")
_DRAWN = ("number", "of", "method", "seed", "size", "among", "drawn at")
_FIGURES = ("due", "collected", "failed", "missed", "excluded", "gaps")


def made(facts: Facts) -> bytes:
    """Return the file."""
    name = facts.engagement.name
    foot = f"For reading: nothing signs this page. {facts.head.origin}, {facts.head.size:,} leaves"
    return document(About(f"Evidence summary: {name}", foot, facts.head.at), list(_parts(facts)))


def _parts(facts: Facts) -> Iterator[Flowable]:
    yield from _opening(facts)
    yield from _calendar(facts)
    for by in ("criterion", "control", "kind", "source"):
        if facts.covered[by].rows or by == "criterion":
            yield from _coverage(by, facts.covered[by])
    yield from _gaps(facts.coverage)
    yield from _desk(facts)
    yield from _signing(facts)


def _opening(facts: Facts) -> Iterator[Flowable]:
    terms, total = facts.engagement.terms, facts.coverage.total
    period = f"{iso(terms.period.start)} to {iso(terms.period.end)}, in UTC; the end is not part of it"
    yield Cover("EVIDENCE SUMMARY", facts.engagement.name, [f"SOC 2 Type {terms.examination.value}", period])
    yield space(6)
    yield tiles(
        [
            (f"{total.due:,}", "slots due"),
            (f"{total.collected:,}", "collected"),
            (f"{total.failed + total.missed:,}", "failed or missed"),
            (f"{total.gaps:,}", f"gaps, the longest {span(total.longest_gap)}" if total.gaps else "gaps"),
            (f"{facts.versions:,}", "versions of items"),
        ]
    )
    yield space(8)
    lists = ((each, ", ".join(getattr(terms, each)) or "all") for each in ("criteria", "controls", "sources", "scopes"))
    signed = f"checkpoint {facts.head.checkpoint}" if facts.head.checkpoint is not None else "nobody"
    yield pairs(
        [
            *lists,
            ("as of", f"{iso(facts.head.at)}: the last leaf in this bundle"),
            ("log", f"{facts.head.origin}: {facts.head.size:,} leaves, signed by {signed}"),
            ("not in the clear", f"{facts.sealed:,} contents are encrypted, {facts.erased:,} were erased"),
        ]
    )
    if facts.coverage.until < terms.period.end:
        yield space(4)
        yield paragraph(f"The period is not over: this is how it stood at {iso(facts.coverage.until)}.")


def _calendar(facts: Facts) -> Iterator[Flowable]:
    yield from heading("The period, day by day")
    found = list(weeks(calendar(facts.covered["day"])))
    for start in range(0, len(found), WEEKS):
        yield Strip(found[start : start + WEEKS])
    yield Legend()


def _coverage(by: str, found: Coverage) -> Iterator[Flowable]:
    yield from heading(f"Coverage by {by}")
    titled = any(row.title for row in found.rows)
    rows = [
        (
            row.name,
            *([row.title] if titled else []),
            *(getattr(row.tally, each) for each in _FIGURES),
            span(row.tally.longest_gap) if row.tally.gaps else "",
        )
        for row in found.rows[:MOST]
    ]
    columns = (by, *(["title"] if titled else []), *_FIGURES, "longest gap")
    widths = ([11, 30] if titled else [41]) + [9.8] * len(_FIGURES) + [11]
    yield table(columns, rows, widths, (*_FIGURES, "longest gap"))
    yield from _cut(len(found.rows), "index.xlsx")
    if found.unserved:
        yield space(3)
        yield paragraph(f"No planned kind serves: {', '.join(found.unserved)}", style(7.5))


def _gaps(found: Coverage) -> Iterator[Flowable]:
    yield from heading(f"Gaps: {len(found.gaps):,}")
    rows = [
        (
            (iso(each.period.start), iso(each.period.end)),
            span(each.period.end - each.period.start),
            (each.subject.kind, f"{each.subject.source} {each.subject.scope}"),
            fell_short(each),
            each.cause,
        )
        for each in found.gaps[:MOST]
    ]
    yield table(("from, to", "length", "of", "outcome", "cause"), rows, (18, 8, 30, 13, 31))
    yield from _cut(len(found.gaps), "index.xlsx")
    if found.lost:
        yield from heading("Events that nobody can read any more")
        lost = [(each.subject.source, each.subject.kind, each.run, each.message) for each in found.lost[:MOST]]
        yield table(("source", "kind", "run", "what"), lost, (15, 25, 10, 50))
        yield from _cut(len(found.lost), "summary.html")


def _desk(facts: Facts) -> Iterator[Flowable]:
    yield from heading("Populations")
    frozen: list[Sequence[object]] = [
        (str(each.number), each.kind, each.count, each.joined, each.left, iso(each.at), _by(each.by), each.rows)
        for each in populations(facts.acts)
    ]
    yield from _rows(_FROZEN, frozen, (8, 18, 7, 7, 6, 18, 12, 32), ("items", "joined", "left"))
    yield from heading("Samples")
    drawn: list[Sequence[object]] = [
        (str(each.number), f"population:{each.population}", each.method, each.seed, each.size, each.among, iso(each.at))
        for each in samples(facts.acts)
    ]
    yield from _rows(_DRAWN, drawn, (9, 17, 14, 26, 9, 9, 20), ("size", "among"))
    yield from heading("Everything recorded at the desk")
    every = [(str(each.id), each.kind.value, iso(each.at), _by(each.actor), each.digest.hex()) for each in facts.acts]
    yield from _rows(("number", "what", "when", "by", "document (sha256)"), every, (9, 15, 18, 18, 42))


def _rows(
    columns: Sequence[str], rows: Sequence[Sequence[object]], widths: Sequence[float], right: Sequence[str] = ()
) -> Iterator[Flowable]:
    yield table(columns, rows[:MOST], widths, right)
    yield from _cut(len(rows), "acts.csv")


def _cut(rows: int, where: str) -> Iterable[Flowable]:
    if rows > MOST:
        yield paragraph(f"The first {MOST:,} of {rows:,} are shown; {where} has all.", style(7.5, spaceBefore=3))


def _by(actor: str) -> str:
    return actor or "(erased)"


def _signing(facts: Facts) -> Iterator[Flowable]:
    head = facts.head
    yield from heading("What signs this, and what does not")
    if head.checkpoint is None:
        signs = "Nobody has signed the log yet: this bundle is as good as whoever gave it."
    else:
        signs = (
            f"Checkpoint {head.checkpoint} signs the root over all {head.size:,} leaves of the log {head.origin}. Those"
            " leaves commit to the evidence beside this page: sweeps, contents, plans, and the acts of the desk."
        )
    yield boxed(
        [
            paragraph(signs),
            paragraph(
                "Nothing signs this page. It is for reading, like summary.html, index.xlsx, acts.csv and the OSCAL"
                " document: whoever packs the bundle again can make them say anything."
            ),
            paragraph(
                "To check the evidence: python3 -I verify.py BUNDLE.zip --key KEY, with the key and the program from"
                " somebody other than whoever gave the bundle. It compares index.csv with the log row by row."
            ),
            paragraph("This page shows what was and was not collected. It concludes nothing."),
        ]
    )

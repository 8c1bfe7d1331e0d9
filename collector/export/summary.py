"""The summary of a bundle as one HTML page: no script, nothing loaded, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape

from collector.act import Act, ActKind
from collector.ask.coverage import Coverage
from collector.clock import iso
from collector.engagement import Engagement
from collector.export.verifier import shown

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24 }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid #d0d7de }
th { background: #f6f8fa } td { overflow-wrap: anywhere } .n { text-align: right; overflow-wrap: normal }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3 } th { background: #161b22 } th, td { border-color: #30363d }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What the summary says of the bundle: *versions*, *sealed* and *erased* contents; the log's *size* and *origin*.

    *uncovered* leaves came after the checkpoint; *signed* tells whether there is one.
    """

    engagement: Engagement
    coverage: Coverage
    acts: Sequence[Act]
    versions: int
    sealed: int
    erased: int
    origin: str
    size: int
    uncovered: int
    signed: bool


def summary(facts: Facts) -> Iterator[bytes]:
    """Yield the page, piece by piece."""
    for piece in _page(facts):
        yield piece.encode("utf-8")


def _page(facts: Facts) -> Iterator[str]:
    name = _text(facts.engagement.name)
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<style>{_STYLE}</style></head><body>\n'
    yield f"<h1>{name}</h1>\n"
    yield from _about(facts)
    yield from _coverage(facts.coverage)
    yield from _gaps(facts.coverage)
    yield from _desk(facts.acts)
    yield "</body></html>\n"


def _about(facts: Facts) -> Iterator[str]:
    terms = facts.engagement.terms
    head = "under a checkpoint" if facts.signed else "which nobody has signed"
    yield from _table(
        ("what this is about", ""),
        [
            ("examination", f"Type {terms.examination.value}"),
            ("period", f"{iso(terms.period.start)} to {iso(terms.period.end)} (the end is not part of it)"),
            *(
                (each, ", ".join(getattr(terms, each)) or "all")
                for each in ("criteria", "sources", "scopes", "controls")
            ),
            ("log", f"{facts.origin}: {facts.size:,} leaves, {head}; {facts.uncovered:,} came later"),
            ("evidence", f"{facts.versions:,} versions of items existed in the period: index.csv"),
            ("sealed or erased", f"{facts.sealed:,} contents are encrypted, {facts.erased:,} erased (erased.jsonl)"),
        ],
    )
    yield "<p>Nothing signs this page: it is for reading. What it says comes from the evidence beside it.</p>\n"


def _coverage(found: Coverage) -> Iterator[str]:
    yield f"<h2>Coverage by {_text(found.question.by)}</h2>\n"
    figures = ("due", "collected", "failed", "missed", "excluded", "gaps")
    rows = [
        (row.name, row.title, *(f"{getattr(row.tally, each):,}" for each in figures), _span(row.tally.longest_gap))
        for row in found.rows
    ]
    if found.until < found.question.period.end:
        yield f"<p>The period is not over: this is how it stood at {iso(found.until)}.</p>\n"
    yield from _table((found.question.by, "title", *figures, "longest gap"), rows, right=2)
    if found.unserved:
        yield f"<p>No planned kind serves: {_text(', '.join(found.unserved))}</p>\n"


def _gaps(found: Coverage) -> Iterator[str]:
    yield f"<h2>Gaps: {len(found.gaps):,}</h2>\n"
    rows = [
        (
            iso(gap.period.start),
            iso(gap.period.end),
            gap.subject.source,
            gap.subject.kind,
            gap.subject.scope,
            f"{gap.outcome.value}{f': {gap.reason.value}' if gap.reason else ''}",
            gap.cause,
        )
        for gap in found.gaps[:_MOST]
    ]
    yield from _table(("from", "to", "source", "kind", "scope", "outcome", "cause"), rows)
    if len(found.gaps) > _MOST:
        yield f"<p>The first {_MOST:,} are shown.</p>\n"
    if found.lost:
        yield "<h2>Events that nobody can read any more</h2>\n"
        lost = [(each.subject.source, each.subject.kind, each.run, each.message) for each in found.lost]
        yield from _table(("source", "kind", "run", "what"), lost)


def _desk(acts: Sequence[Act]) -> Iterator[str]:
    yield "<h2>Populations</h2>\n"
    frozen = [each for each in acts if each.kind is ActKind.POPULATION]
    rows = [
        (each.id, str(each.document.get("kind", "")), _of(each, "rows", "count"), each.artifact and each.artifact.hex())
        for each in frozen
    ]
    yield from _table(("number", "kind", "items", "rows (sha256)"), rows)
    yield "<h2>Samples</h2>\n"
    drawn = [each for each in acts if each.kind is ActKind.SAMPLE]
    said = [
        (
            each.id,
            f"population:{each.about}",
            *(str(each.document.get(name, "")) for name in ("method", "seed", "size")),
        )
        for each in drawn
    ]
    yield from _table(("number", "of", "method", "seed", "size"), said)
    yield "<h2>Everything recorded at the desk</h2>\n"
    every = [(each.id, each.kind.value, iso(each.at), each.actor or "(erased)", each.digest.hex()) for each in acts]
    yield from _table(("number", "what", "when", "by", "document (sha256)"), every)


def _of(act: Act, part: str, name: str) -> object:
    found = act.document.get(part)
    return found.get(name, "") if isinstance(found, dict) else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: int | None = None) -> Iterator[str]:
    """Yield a table; figures stand at the right from column *right* on."""
    yield "<table><tr>" + "".join(f"<th>{_text(each)}</th>" for each in columns) + "</tr>\n"
    for row in rows:
        cells = (
            f"<td{' class=n' if right is not None and at >= right else ''}>{_text(each)}</td>"
            for at, each in enumerate(row)
        )
        yield "<tr>" + "".join(cells) + "</tr>\n"
    yield "</table>\n"


def _span(length: timedelta) -> str:
    return str(length) if length else ""


def _text(value: object) -> str:
    return escape(shown("" if value is None else str(value), 2_000))

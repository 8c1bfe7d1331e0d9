"""The summary of a bundle as one HTML page: no script, nothing loaded, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from collector.act import Act
from collector.ask.coverage import Coverage
from collector.clock import iso
from collector.export.days import Level, calendar, weeks
from collector.export.facts import Facts, populations, samples
from collector.export.verifier import shown
from collector.words import fell_short, span

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24 }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid #d0d7de }
th { background: #f6f8fa } td { overflow-wrap: anywhere } .n { text-align: right; overflow-wrap: normal }
svg { max-width: 100%; height: auto; display: block; margin-bottom: .5rem } svg.key { display: inline; margin: 0 }
rect.NONE { fill: none; stroke: #d0d7de } rect.FULL { fill: #2e7d5b } rect.PART { fill: #e0a526 }
rect.LOST { fill: #b3362b } rect.EXCLUDED { fill: #aeb8c4 }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3 } th { background: #161b22 } th, td { border-color: #30363d }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MOST = 2_000
_WEEKS = 53


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
    yield from _calendar(facts.covered["day"])
    for by in ("criterion", "control", "kind", "source"):
        if facts.covered[by].rows or by == "criterion":
            yield from _coverage(facts.covered[by])
    yield from _gaps(facts.coverage)
    yield from _desk(facts.acts)
    yield "</body></html>\n"


def _about(facts: Facts) -> Iterator[str]:
    terms = facts.engagement.terms
    head = facts.head
    by = "which nobody has signed" if head.checkpoint is None else f"signed by checkpoint {head.checkpoint}"
    yield from _table(
        ("what this is about", ""),
        [
            ("examination", f"Type {terms.examination.value}"),
            ("period", f"{iso(terms.period.start)} to {iso(terms.period.end)} (the end is not part of it)"),
            *(
                (each, ", ".join(getattr(terms, each)) or "all")
                for each in ("criteria", "sources", "scopes", "controls")
            ),
            ("log", f"{head.origin}: {head.size:,} leaves, {by}; the last came at {iso(head.at)}"),
            ("evidence", f"{facts.versions:,} versions of items existed in the period: index.csv"),
            ("sealed or erased", f"{facts.sealed:,} contents are encrypted, {facts.erased:,} erased (erased.jsonl)"),
        ],
    )
    yield "<p>Nothing signs this page: it is for reading. What it says comes from the evidence beside it.</p>\n"


def _coverage(found: Coverage) -> Iterator[str]:
    yield f"<h2>Coverage by {_text(found.question.by)}</h2>\n"
    figures = ("due", "collected", "failed", "missed", "excluded", "gaps")
    rows = [
        (
            row.name,
            row.title,
            *(f"{getattr(row.tally, each):,}" for each in figures),
            span(row.tally.longest_gap) if row.tally.gaps else "",
        )
        for row in found.rows
    ]
    yield from _table((found.question.by, "title", *figures, "longest gap"), rows, right=2)
    if found.unserved:
        yield f"<p>No planned kind serves: {_text(', '.join(found.unserved))}</p>\n"


def _calendar(by_day: Coverage) -> Iterator[str]:
    yield "<h2>The period, day by day</h2>\n"
    if by_day.until < by_day.question.period.end:
        yield f"<p>The period is not over: this is how it stood at {iso(by_day.until)}.</p>\n"
    yield "<p>"
    for level in Level:
        yield f'<svg class="key" width="12" height="12"><rect width="12" height="12" class="{level.name}"/></svg> '
        yield f"{level.value} &#160; "
    yield "</p>\n"
    columns = list(weeks(calendar(by_day)))
    for start in range(0, len(columns), _WEEKS):
        several = columns[start : start + _WEEKS]
        first, last = several[0].days[0][0], several[-1].days[-1][0]
        label = f"Days from {first} to {last}"
        yield f'<svg role="img" aria-label="{label}" viewBox="0 0 {_WEEKS * 14} 98" width="{_WEEKS * 14}">\n'
        for column, week in enumerate(several):
            for day, level in week.days:
                place = f'x="{column * 14}" y="{day.weekday() * 14}" width="12" height="12"'
                yield f'<rect {place} class="{level.name}"><title>{day}: {level.value}</title></rect>\n'
        yield "</svg>\n"


def _gaps(found: Coverage) -> Iterator[str]:
    yield f"<h2>Gaps: {len(found.gaps):,}</h2>\n"
    rows = [
        (
            iso(gap.period.start),
            iso(gap.period.end),
            gap.subject.source,
            gap.subject.kind,
            gap.subject.scope,
            fell_short(gap),
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
    frozen = [(each.number, each.kind, each.count, each.joined, each.left, each.rows) for each in populations(acts)]
    yield from _table(("number", "kind", "items", "joined", "left", "rows (sha256)"), frozen)
    yield "<h2>Samples</h2>\n"
    drawn = [
        (each.number, f"population:{each.population}", each.method, each.seed, each.size, each.among)
        for each in samples(acts)
    ]
    yield from _table(("number", "of", "method", "seed", "size", "among"), drawn)
    yield "<h2>Everything recorded at the desk</h2>\n"
    every = [(each.id, each.kind.value, iso(each.at), each.actor or "(erased)", each.digest.hex()) for each in acts]
    yield from _table(("number", "what", "when", "by", "document (sha256)"), every)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: int | None = None) -> Iterator[str]:
    """Yield a table; figures stand at the right from column *right* on."""
    figure = [" class=n" if right is not None and at >= right else "" for at in range(len(columns))]
    heads = (f"<th{of}>{_text(each)}</th>" for of, each in zip(figure, columns, strict=True))
    yield "<table><tr>" + "".join(heads) + "</tr>\n"
    for row in rows:
        yield "<tr>" + "".join(f"<td{of}>{_text(each)}</td>" for of, each in zip(figure, row, strict=True)) + "</tr>\n"
    yield "</table>\n"


def _text(value: object) -> str:
    return escape(shown("" if value is None else str(value), 2_000))

"""One sample: what was drawn, how anybody draws it again, and the same as CSV."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from collector.ask.samples import Sample, sample_of
from collector.export.verifier import cell, shown
from collector.sample import Method
from collector.web.pages import page
from collector.web.runs import saved
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)
_ITEM = ("number", "source", "scope", "key", "first_seen", "last_seen", "at", "changes", "id", "artifact")


@router.get("/e/{name}/samples/{number}.csv")
def table(engaged: Within, number: int) -> Response:
    """Give the sample as CSV; no cell begins a formula."""
    found = sample_of(engaged.store, str(number))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([cell(shown(str(each))) for each in row] for row in _rows(found))
    return saved(out.getvalue().encode("utf-8"), f"sample-{number}.csv", "text/csv; charset=utf-8")


@router.get("/e/{name}/samples/{number}")
def sample(request: Request, visit: Visitor, engaged: Within, number: int) -> HTMLResponse:
    """Show one sample, drawn again to compare."""
    found = sample_of(engaged.store, str(number))
    said = found.act.document
    again = _again(found) if said["method"] == Method.RANDOM.value else ""
    return page(
        request,
        visit,
        "sample.html",
        engagement=engaged.engagement,
        sample=found,
        said=said,
        again=again,
        api=(["samples", number], {}),
    )


def _again(found: Sample) -> str:
    """Return the command that draws a random sample again from its population's rows, by the usual tools."""
    seed, size = shlex.quote(found.act.document["seed"]), len(found.act.document["drawn"])
    return (
        f"seed={seed}\n"
        f"""grep -o '"id":"[0-9a-f]*"' population-{found.population.id}.jsonl | cut -d'"' -f4 | while read -r id; do """
        """printf '%s\\0%s' "$seed" "$id" | sha256sum | sed "s/-/$id/"; done """
        f"| sort | head -n {size} | cut -c67-"
    )


def _rows(found: Sample) -> Iterator[Sequence[object]]:
    if found.dates:
        counts = ("due", "collected", "failed", "missed", "excluded")
        yield ("number", "date", *counts)
        for number, date in enumerate(found.dates, 1):
            yield (number, date.label, *(date.counts[each] for each in counts))
        return
    yield _ITEM
    for number, item in enumerate(found.items, 1):
        seen = (item.first_seen, item.last_seen, item.at or "", item.changes)
        yield (number, item.source, item.scope, item.key, *seen, item.id, f"sha256:{item.artifacts[-1]}")

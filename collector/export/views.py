"""What of a bundle is for reading: tables, summaries, and what other tools read. Nothing signs these."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from collector.act import Act
from collector.clock import iso
from collector.export import verifier
from collector.export.facts import Facts
from collector.export.oscal import assessment_results
from collector.export.pdfs import summary_pdf
from collector.export.summary import summary
from collector.export.workbook import Workbook

if TYPE_CHECKING:
    from collector.export.bag import Bag
    from collector.export.gathering import Gathering

_ACTS = ("act", "kind", "about", "at", "by", "leaf", "document_sha256", "artifact_sha256")


def write_views(bag: Bag, gathering: Gathering, facts: Facts, terms: Act) -> None:
    """Write what is for reading into *bag*; *terms* is the act whose document is in force."""
    acts = [_act_row(each) for each in facts.acts]
    with Workbook(facts) as workbook:
        bag.add("index.csv", _csv([verifier.INDEX], _both(gathering.index(), workbook)), large=True)
        bag.add("acts.csv", _csv([_ACTS], acts))
        bag.add("index.xlsx", workbook.parts(acts, _ACTS), large=True)
    bag.add("summary.html", summary(facts))
    bag.add("summary.pdf", [summary_pdf(facts)])
    document = assessment_results(facts, gathering.versions, gathering.gone, terms.digest.hex())
    bag.add("oscal-assessment-results.json", document, large=True)


def _both(rows: Iterable[list[str]], workbook: Workbook) -> Iterator[list[str]]:
    for row in rows:
        workbook.add(row)
        yield row


def _act_row(act: Act) -> list[str]:
    about = "" if act.about is None else str(act.about)
    artifact = act.artifact.hex() if act.artifact else ""
    by = verifier.cell(verifier.shown(act.actor))
    return [str(act.id), act.kind.value, about, iso(act.at), by, str(act.leaf), act.digest.hex(), artifact]


def _csv(*parts: Iterable[Sequence[str]]) -> Iterator[bytes]:
    for rows in parts:
        for row in rows:
            line = io.StringIO()
            csv.writer(line, lineterminator="\n").writerow(row)
            yield line.getvalue().encode("utf-8")

"""`export`: everything an engagement rests on, and the program that checks it, as one file.

A bundle goes from the first leaf of the log to the last checkpoint: the root can then be made from nothing but the
leaves, and nobody can leave one out. What people recorded after the period is under that checkpoint too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from collector import __version__
from collector.act import Act, ActKind
from collector.ask.coverage import Question, coverage
from collector.ask.engagements import engagement_of
from collector.canonical import digest
from collector.clock import from_ms, iso
from collector.engagement import Engagement, engagements
from collector.errors import IntegrityError, QueryError
from collector.export import verifier
from collector.export.bag import Bag
from collector.export.gathering import Gathering
from collector.export.summary import Facts, summary
from collector.log.checkpoint import Checkpoint
from collector.log.note import parse_note
from collector.log.origin import log_name, origin
from collector.store import Store
from collector.store.evidence import Evidence, Row

Progress = Callable[[str], None]
_CONTENTS_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle as written: its *file* and how many bytes of evidence; the log's *size*, and whether that is *signed*.

    *uncovered* leaves came after the checkpoint, and are not in it.
    """

    file: Path
    files: int
    octets: int
    versions: int
    sealed: int
    erased: int
    size: int
    signed: bool
    uncovered: int


@dataclass(frozen=True, slots=True)
class _Head:
    """Up to where a bundle goes: *checkpoint* (a row) or the log's own head; *at* is when its last leaf came."""

    size: int
    origin: str
    checkpoint: Row | None
    at: datetime
    uncovered: int


def export(store: Store, name: str, path: Path, *, grace: timedelta, progress: Progress = lambda _: None) -> Made:
    """Write the bundle of the engagement *name* to *path*, and return what it holds.

    The same store and engagement give the same bytes, until a later checkpoint is taken. Sealed contents are written as
    they are stored. *grace* is as in `coverage`. Raises `QueryError` when there is no such engagement, no checkpoint
    covers it yet, or *path* cannot be written; `IntegrityError` where the store contradicts itself: then verify it.
    """
    number = engagement_of(store, name).id
    with store.evidence(_misread, lambda *_: None) as evidence:
        head = _head(store, evidence)
        acts = _acts(store, number, head.size)
        engagement = _engagement(acts, name)
        document = [each.document for each in acts if "start" in each.document and each.kind is ActKind.ENGAGEMENT][-1]
        with Bag(path) as bag:
            gathering = Gathering(evidence, verifier.Scope(document), head.size, acts)
            _write_log(bag, evidence, gathering, head, progress)
            _write_contents(bag, gathering, progress)
            question = Question(engagement.terms.period, terms=engagement.terms)
            covered = coverage(store, question, now=head.at, grace=grace)
            signed = head.checkpoint is not None
            facts = Facts(engagement, covered, acts, *gathering.counted, head.origin, head.size, head.uncovered, signed)
            _write_views(bag, gathering, facts)
            _write_about(bag, engagement, head)
            bag.close({"External-Identifier": f"{head.origin} engagement {number}"}, head.at)
    return Made(
        path, bag.files, bag.octets, facts.versions, facts.sealed, facts.erased, head.size, facts.signed, head.uncovered
    )


def _misread(table: str, row: str, what: str) -> None:
    raise IntegrityError(f"{table} {row}: {what}", hint="`evidenced verify` tells what else is wrong.")


def _head(store: Store, evidence: Evidence) -> _Head:
    log = evidence.head()
    note = max(evidence.rows("checkpoint"), key=lambda row: row["id"], default=None)
    size, named = log.size, origin(log_name(store.id), store.checkpoints.epoch())
    if note is not None:
        checkpoint = Checkpoint.parse(parse_note(note["note"]).text)
        size, named = checkpoint.size, checkpoint.origin
    last = evidence.one("log_leaf", idx=size - 1)
    if last is None:
        raise IntegrityError(f"leaf {size - 1} of the log is not there", hint="`evidenced verify` tells what else.")
    return _Head(size, named, note, from_ms(last["at"]), log.size - size)


def _acts(store: Store, number: int, size: int) -> list[Act]:
    found = (each for kind in ActKind for each in store.desk.acts(kind, number))
    return sorted((each for each in found if each.leaf < size), key=lambda each: each.id)


def _engagement(acts: Sequence[Act], name: str) -> Engagement:
    found = engagements(each for each in acts if each.kind is ActKind.ENGAGEMENT)
    if not found:
        raise QueryError(
            f"no checkpoint covers the engagement {name!r} yet: it was created after the last one",
            hint="Take one first: `evidenced log checkpoint`.",
        )
    return found[0]


def _write_log(bag: Bag, evidence: Evidence, gathering: Gathering, head: _Head, progress: Progress) -> None:
    progress(f"the log: {head.size:,} leaves")
    bag.add("log/leaves", gathering.leaves(), large=True)
    for row in evidence.rows("checkpoint") if head.checkpoint else ():
        bag.add(f"log/checkpoints/{row['id']}.note", [row["note"]])
    for row in evidence.rows("checkpoint_token", "checkpoint", "authority") if head.checkpoint else ():
        bag.add(f"log/tokens/{row['checkpoint']}-{digest(row['token']).hex()}.tsr", [row["token"]])
    progress("slots missed, and sweeps")
    bag.add("gaps.jsonl", gathering.gaps(), large=True)
    bag.add("sweeps.jsonl", gathering.sweeps(), large=True)


def _write_contents(bag: Bag, gathering: Gathering, progress: Progress) -> None:
    gathering.versions_in_force()
    for number, (name, data) in enumerate(gathering.contents()):
        if number % _CONTENTS_AT_A_TIME == 0:
            progress(f"contents: {number:,}")
        bag.add(name, [data], large=len(data) > 1 << 30)
    bag.add("erased.jsonl", gathering.erased())


def _write_views(bag: Bag, gathering: Gathering, facts: Facts) -> None:
    bag.add("index.csv", _csv([list(verifier.INDEX)], gathering.index()), large=True)
    columns = ["act", "kind", "about", "at", "by", "leaf", "document_sha256", "artifact_sha256"]
    bag.add("acts.csv", _csv([columns], map(_act_row, facts.acts)))
    bag.add("summary.html", summary(facts))


def _act_row(act: Act) -> list[str]:
    about = "" if act.about is None else str(act.about)
    artifact = act.artifact.hex() if act.artifact else ""
    by = verifier.cell(verifier.shown(act.actor))
    return [str(act.id), act.kind.value, about, iso(act.at), by, str(act.leaf), act.digest.hex(), artifact]


def _csv(*parts: Iterable[list[str]]) -> Iterator[bytes]:
    for rows in parts:
        for row in rows:
            line = io.StringIO()
            csv.writer(line, lineterminator="\n").writerow(row)
            yield line.getvalue().encode("utf-8")


def _write_about(bag: Bag, engagement: Engagement, head: _Head) -> None:
    said = {
        "format": verifier.FORMAT,
        "engagement": engagement.id,
        "name": engagement.name,
        "checkpoint": head.checkpoint["id"] if head.checkpoint else None,
        "size": head.size,
        "origin": head.origin,
        "made_by": f"evidenced {__version__}",
    }
    bag.add_document("bundle.json", said)

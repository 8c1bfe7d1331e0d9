"""`export`: everything an engagement rests on, and the program that checks it, as one file.

A bundle goes from the first leaf of the log to the last checkpoint: the root can then be made from nothing but the
leaves, and nobody can leave one out. What people recorded after the period is under that checkpoint too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from collector import __version__
from collector.act import Act, ActKind
from collector.ask.engagements import engagement_of
from collector.canonical import digest
from collector.clock import from_ms
from collector.engagement import Engagement, engagements
from collector.errors import IntegrityError, QueryError
from collector.export import verifier
from collector.export.bag import Bag
from collector.export.facts import Facts, Head, coverages, served
from collector.export.gathering import Gathering
from collector.export.pdfs import require_pdf
from collector.export.views import write_views
from collector.log.checkpoint import Checkpoint
from collector.log.note import parse_note
from collector.log.origin import log_name, origin
from collector.store import Store
from collector.store.evidence import Evidence


class Progress(Protocol):
    """Hears what is being done, and of what can be counted how much is done of how much."""

    def __call__(self, what: str, done: int = 0, total: int = 0, /) -> None:
        """Hear it."""


def _unheard(_what: str, _done: int = 0, _total: int = 0, /) -> None:
    """Hear nothing."""


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


def export(store: Store, name: str, path: Path, *, grace: timedelta, progress: Progress = _unheard) -> Made:
    """Write the bundle of the engagement *name* to *path*, and return what it holds.

    The same store and engagement give the same bytes: nothing in it depends on the time or the machine. Sealed contents
    are written as they are stored. *grace* is as in `coverage`. Raises `QueryError` when there is no such engagement,
    no checkpoint covers it yet, or *path* cannot be written; `ConfigError` where what makes PDFs is not installed;
    `IntegrityError` where the store contradicts itself: then verify it.
    """
    require_pdf()
    with store.one_state(), store.evidence(_misread, lambda *_: None) as evidence:
        number = engagement_of(store, name).id
        head = _head(store, evidence)
        acts = _acts(store, number, head.size)
        engagement = _engagement(acts, name)
        terms = [each for each in acts if each.kind is ActKind.ENGAGEMENT and "start" in each.document][-1]
        with Bag(path) as bag:
            gathering = Gathering(evidence, verifier.Scope(terms.document), head.size, acts)
            _write_log(bag, evidence, gathering, head, progress)
            _write_contents(bag, gathering, progress)
            progress("coverage")
            covered = coverages(store, engagement, now=head.at, grace=grace)
            facts = Facts(engagement, head, covered, served(store, engagement), acts, *gathering.counted)
            progress(f"index: {facts.versions:,} versions of items")
            write_views(bag, gathering, facts, terms)
            _write_about(bag, engagement, head)
            bag.close({"External-Identifier": f"{head.origin} engagement {number}"}, head.at)
    signed = head.checkpoint is not None
    return Made(
        path, bag.files, bag.octets, facts.versions, facts.sealed, facts.erased, head.size, signed, head.uncovered
    )


def _misread(table: str, row: str, what: str) -> None:
    raise IntegrityError(f"{table} {row}: {what}", hint="`evidenced verify` tells what else is wrong.")


def _head(store: Store, evidence: Evidence) -> Head:
    log = evidence.head()
    note = max(evidence.rows("checkpoint"), key=lambda row: row["id"], default=None)
    size, named = log.size, origin(log_name(store.id), store.checkpoints.epoch())
    if note is not None:
        checkpoint = Checkpoint.parse(parse_note(note["note"]).text)
        size, named = checkpoint.size, checkpoint.origin
    last = evidence.one("log_leaf", idx=size - 1)
    if last is None:
        raise IntegrityError(f"leaf {size - 1} of the log is not there", hint="`evidenced verify` tells what else.")
    return Head(size, named, note["id"] if note else None, from_ms(last["at"]), log.size - size)


def _acts(store: Store, number: int, size: int) -> list[Act]:
    # Who was let in, and what they read, is kept beside the evidence and is none of it.
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


def _write_log(bag: Bag, evidence: Evidence, gathering: Gathering, head: Head, progress: Progress) -> None:
    progress(f"the log: {head.size:,} leaves")
    bag.add("log/leaves", gathering.leaves(), large=True)
    for row in evidence.rows("checkpoint") if head.checkpoint is not None else ():
        bag.add(f"log/checkpoints/{row['id']}.note", [row["note"]])
    for row in evidence.rows("checkpoint_token", "checkpoint", "authority") if head.checkpoint is not None else ():
        bag.add(f"log/tokens/{row['checkpoint']}-{digest(row['token']).hex()}.tsr", [row["token"]])
    progress("slots missed, and sweeps")
    bag.add("gaps.jsonl", gathering.gaps(), large=True)
    bag.add("sweeps.jsonl", gathering.sweeps(), large=True)


def _write_contents(bag: Bag, gathering: Gathering, progress: Progress) -> None:
    gathering.versions_in_force()
    for number, (name, data) in enumerate(gathering.contents()):
        if number % _CONTENTS_AT_A_TIME == 0:
            progress("contents", number, gathering.expected)
        bag.add(name, [data], large=len(data) > 1 << 30)
    bag.add("erased.jsonl", gathering.erased())


def _write_about(bag: Bag, engagement: Engagement, head: Head) -> None:
    said = {
        "format": verifier.FORMAT,
        "engagement": engagement.id,
        "name": engagement.name,
        "checkpoint": head.checkpoint,
        "size": head.size,
        "origin": head.origin,
        "made_by": f"evidenced {__version__}",
    }
    bag.add_document("bundle.json", said)

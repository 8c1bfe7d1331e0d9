"""The bundle as OSCAL assessment results (NIST, version 1.1.3): observations and where their evidence is, no findings.

A finding is a conclusion, and so is a risk: those are the auditor's. What is observed is what was due, what was
collected of it, and what was not. Identifiers are UUIDs of version 5, made of the log's origin and of what they name,
so that the same engagement has the same ones in every bundle; that of the document changes with the log's size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from collector import __version__
from collector.ask.coverage import Row
from collector.clock import iso
from collector.coverage import Gap, Tally
from collector.export.facts import Facts, Serves, criterion_titles
from collector.export.verifier import Version, artifact_file, instant, shown
from collector.model import Json
from collector.words import fell_short

VERSION = "1.1.3"
MOST_EVIDENCE = 500
"""How many contents an observation names by themselves; index.csv has all."""
_NAMESPACE = "urn:evidenced:oscal:1"
_MOST_GAPS = 100
_COUNTED = ("due", "collected", "changed", "unchanged", "empty", "failed", "missed", "excluded", "gaps")
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$^-])")


def assessment_results(
    facts: Facts, versions: Sequence[Version], erased: Container[str], terms: str
) -> Iterator[bytes]:
    """Yield the document, piece by piece.

    *versions* are those of the index, in its order, and *erased* the contents (hex) that are not there; *terms* is the
    digest of the document that says what the engagement is about, which stands for the assessment plan.
    """
    made = _Document(facts, versions, erased, terms)
    encoder = json.JSONEncoder(indent=1, sort_keys=True)
    for piece in encoder.iterencode({"assessment-results": made.whole()}):
        yield piece.encode("ascii")
    yield b"\n"


class _Document:
    def __init__(self, facts: Facts, versions: Sequence[Version], erased: Container[str], terms: str) -> None:
        self._facts, self._erased, self._terms = facts, erased, terms
        self._by_kind = _by_kind(versions)
        self._within = uuid5(uuid5(NAMESPACE_URL, facts.head.origin), f"engagement {facts.engagement.id}")

    def _id(self, *what: str) -> str:
        return str(self._named(*what))

    def _named(self, *what: str) -> UUID:
        return uuid5(self._within, " ".join(what))

    def whole(self) -> Json:
        facts, head = self._facts, self._facts.head
        return {
            "uuid": self._id("document", str(head.size)),
            "metadata": {
                "title": f"Evidence collected for {_line(facts.engagement.name)}",
                "last-modified": iso(head.at),
                "version": f"{head.size} leaves",
                "oscal-version": VERSION,
                "props": [_property("log-origin", head.origin), _property("log-size", head.size)],
                "remarks": (
                    "Nothing signs this document: it is for tools that read OSCAL. What it says comes from the evidence"
                    " beside it, which verify.py checks. It concludes nothing."
                ),
            },
            "import-ap": {"href": f"#{self._id('terms')}", "remarks": "The terms of the engagement, as recorded."},
            "results": [self._result()],
            "back-matter": {"resources": list(self._resources())},
        }

    def _result(self) -> Json:
        facts, terms = self._facts, self._facts.engagement.terms
        return {
            "uuid": self._id("result"),
            "title": f"Evidence of the period of {_line(facts.engagement.name)}",
            "description": "What was due to be read in the period, what was collected of it, and what was not.",
            "start": iso(terms.period.start),
            "end": iso(terms.period.end),
            "props": [
                _property("examination", f"Type {terms.examination.value}"),
                _property("seen-until", iso(facts.coverage.until)),
                _property("versions", facts.versions),
                _property("sealed-contents", facts.sealed),
                _property("erased-contents", facts.erased),
                *_tally(facts.coverage.total),
            ],
            "local-definitions": {"components": list(self._components())},
            "reviewed-controls": {"control-selections": list(self._selections())},
            # What was not planned was not observed, and OSCAL has no empty lists.
            **({"observations": found} if (found := list(self._observations())) else {}),
        }

    def _components(self) -> Iterator[Json]:
        yield self._component("tool", "software", "evidenced", f"evidenced {__version__}, which made this document.")
        for row in self._facts.covered["source"].rows:
            yield self._component(f"source {row.name}", "service", row.name, "A source that evidence was read from.")

    def _component(self, name: str, kind: str, title: str, description: str) -> Json:
        status = {"state": "operational"}
        made = {"uuid": self._id(name), "type": kind, "title": _line(title), "description": description}
        return made | {"status": status}

    def _selections(self) -> Iterator[Json]:
        titles = criterion_titles()
        names = self._facts.engagement.terms.criteria or tuple(titles)
        yield _selection("Trust services criteria in scope, by id.", names)
        controls = [row.name for row in self._facts.covered["control"].rows if not row.name.startswith("(")]
        controls += self._facts.covered["control"].unserved
        if controls:
            yield _selection("Controls of the organisation, by its own ids.", sorted(set(controls)))

    def _observations(self) -> Iterator[Json]:
        for by in ("criterion", "control"):
            for row in self._facts.covered[by].rows:
                kinds = [name for name, serves in self._facts.serves.items() if row.name in _of(serves, by)]
                yield self._observation(by, row, [_property(by, row.name), *(_property("kind", e) for e in kinds)])
        gaps = _gaps_by_kind(self._facts.coverage.gaps)
        for row in self._facts.covered["kind"].rows:
            serves = self._facts.serves.get(row.name, Serves((), ()))
            named = [_property("criterion", each) for each in serves.criteria]
            named += [_property("control", each) for each in serves.controls]
            made = self._observation("kind", row, [_property("kind", row.name), *named])
            yield made | self._evidence(row.name) | _told(gaps.get(row.name, ()))

    def _observation(self, by: str, row: Row, named: list[Json]) -> Json:
        title = f"{row.name}: {row.title}" if row.title else row.name
        made = {
            "uuid": self._id("observation", by, row.name),
            "title": _line(title),
            "description": f"Slots that were due for this {by} in the period, and what became of them.",
            "props": [*named, *_tally(row.tally)],
            "methods": ["EXAMINE"],
            "types": ["control-objective" if by != "kind" else "discovery"],
            "origins": [{"actors": [{"type": "tool", "actor-uuid": self._id("tool")}]}],
            "relevant-evidence": [_evidence("index.csv", "One row for each version of an item."), _SWEEPS],
            "collected": iso(self._facts.coverage.until),
        }
        return made | ({"subjects": subjects} if (subjects := self._subjects(row.name)) else {})

    def _subjects(self, kind: str) -> list[Json]:
        sources = sorted({each[0] for each in self._by_kind.get(kind, ())})
        known = {row.name for row in self._facts.covered["source"].rows}
        return [
            {"subject-uuid": self._id(f"source {each}"), "type": "component", "title": _line(each)}
            for each in sources
            if each in known
        ]

    def _evidence(self, kind: str) -> Json:
        versions = self._by_kind.get(kind, ())
        first = {each[6]: each for each in reversed(versions) if each[6] not in self._erased}
        named = list(islice(reversed(first), MOST_EVIDENCE))
        more = f" The first {MOST_EVIDENCE:,} contents are named here." if len(first) > MOST_EVIDENCE else ""
        said = f"{len(versions):,} versions of items of this kind existed in the period: {len(first):,} contents.{more}"
        return {
            "relevant-evidence": [
                _evidence("index.csv", said),
                _SWEEPS,
                *(_evidence(_beside(each), f"An item as it was from {instant(first[each][4])}.") for each in named),
            ]
        }

    def _resources(self) -> Iterator[Json]:
        hashed = [{"algorithm": "SHA-256", "value": self._terms}]
        yield {
            "uuid": self._id("terms"),
            "title": "Terms of the engagement",
            "description": "The document that a leaf commits to: period, criteria, sources, scopes, controls.",
            "rlinks": [{"href": _beside(self._terms), "media-type": "application/json", "hashes": hashed}],
        }
        for name, kind, title in _FILES:
            link = {"href": name, "media-type": kind}
            yield {"uuid": self._id("file", name), "title": title, "rlinks": [link]}


_FILES = (
    ("index.csv", "text/csv", "Index of all versions of items"),
    ("sweeps.jsonl", "application/jsonl", "Records of what was read: sheets, frames and changes"),
    ("gaps.jsonl", "application/jsonl", "Records of slots that were missed"),
    ("log/leaves", "application/octet-stream", "Leaves of the log that commits to all of it"),
)


def _evidence(href: str, said: str) -> Json:
    return {"href": href, "description": said}


_SWEEPS = _evidence("sweeps.jsonl", "The records of the runs that read it.")


def _beside(name: str) -> str:
    return artifact_file(name).removeprefix("data/")


def _selection(said: str, names: Iterable[str]) -> Json:
    return {"description": said, "include-controls": [{"control-id": _token(each)} for each in names]}


def _token(name: str) -> str:
    """Return *name* as a token of OSCAL, which does not begin with a digit."""
    return name if name[:1].isalpha() else f"_{name}"


def _tally(found: Tally) -> Iterator[Json]:
    for name in _COUNTED:
        yield _property("gaps" if name == "gaps" else f"slots-{name}", getattr(found, name))
    yield _property("longest-gap-seconds", int(found.longest_gap.total_seconds()))


def _property(name: str, value: object) -> Json:
    return {"name": name, "ns": _NAMESPACE, "value": _line(str(value))}


def _line(text: str) -> str:
    """Return *text* as the one line that a title or value has to be, never empty."""
    return shown(text, 1_000).strip() or "-"


def _of(serves: Serves, by: str) -> tuple[str, ...]:
    return serves.criteria if by == "criterion" else serves.controls


def _by_kind(versions: Sequence[Version]) -> Mapping[str, Sequence[Version]]:
    found: dict[str, list[Version]] = {}
    for kind, several in groupby(versions, key=lambda each: each[1]):
        found.setdefault(kind, []).extend(several)
    return found


def _gaps_by_kind(gaps: Iterable[Gap]) -> dict[str, list[Gap]]:
    found: dict[str, list[Gap]] = {}
    for each in gaps:
        found.setdefault(each.subject.kind, []).append(each)
    return found


def _told(gaps: Sequence[Gap]) -> dict[str, Any]:
    """Return the gaps as remarks, for people: markup in which the text of evidence is nothing but text."""
    if not gaps:
        return {}
    lines = [
        f"- {iso(each.period.start)} to {iso(each.period.end)}, {_plain(each.subject.source)} "
        f"{_plain(each.subject.scope)}, {fell_short(each)}: {_plain(each.cause)}"
        for each in gaps[:_MOST_GAPS]
    ]
    if len(gaps) > _MOST_GAPS:
        lines.append(f"- and {len(gaps) - _MOST_GAPS:,} more: index.xlsx and summary.html have them")
    return {"remarks": "Gaps:\n\n" + "\n".join(lines)}


def _plain(text: str) -> str:
    made = shown(text, 500).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", made)

"""The frame: what repeats from sweep to sweep of a source, content-addressed, so that it is stored once.

A frame is a list of *lines*; a line says of one subject with which code and configuration it is read and by which
operations. A sweep's sheet refers to lines by number. A frame serves as many sweeps as it can: it is replaced only when
a run needs a line that it does not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import orjson

from collector.canonical import canonical, digest
from collector.errors import IntegrityError
from collector.model import Artifact, Json, Outcome, Principal, Provenance, Run, Subject

_FORM = 1
_MOST_LINES = 20_000
_MOST_LINES_OF_A_SUBJECT = 4


@dataclass(frozen=True, slots=True)
class Line:
    """How one subject is read: the part of a run that stays the same from sweep to sweep."""

    subject: Subject
    provenance: Provenance
    operations: tuple[str, ...]
    redactions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Frame:
    """Lines of one source, and the principal its runs usually have."""

    source: str
    principal: Principal
    lines: tuple[Line, ...]

    @cached_property
    def numbers(self) -> dict[Line, int]:
        """The position of every line."""
        return {line: number for number, line in enumerate(self.lines)}

    @cached_property
    def by_subject(self) -> dict[tuple[Subject, Provenance], Line]:
        """The newest line of every subject as read with a provenance."""
        return {(line.subject, line.provenance): line for line in self.lines}

    @cached_property
    def artifact(self) -> Artifact:
        """The frame as it is stored, by its digest."""
        data = self._document()
        return Artifact(digest(data), data)

    def _document(self) -> bytes:
        provenances = list(dict.fromkeys(line.provenance for line in self.lines))
        numbers = {each: number for number, each in enumerate(provenances)}
        return canonical(
            {
                "version": _FORM,
                "source": self.source,
                "principal": [self.principal.id, self.principal.account],
                "provenances": [asdict(each) for each in provenances],
                "lines": [
                    [
                        line.subject.kind,
                        line.subject.scope,
                        numbers[line.provenance],
                        list(line.operations),
                        [list(each) for each in line.redactions],
                    ]
                    for line in self.lines
                ],
            }
        )


def read_frame(data: bytes) -> Frame:
    """Return the frame whose `Frame.artifact` is *data*. Raises `IntegrityError` when it is no frame."""
    try:
        found = orjson.loads(data)
        provenances = [_provenance(each) for each in found["provenances"]]
        lines = tuple(
            Line(
                Subject(found["source"], kind, scope),
                provenances[number],
                tuple(operations),
                tuple((path, rule) for path, rule in redactions),
            )
            for kind, scope, number, operations, redactions in found["lines"]
        )
        return Frame(found["source"], Principal(*found["principal"]), lines)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise IntegrityError(f"a frame cannot be read: {type(error).__name__}: {error}") from error


def frame_for(source: str, runs: Sequence[Run], current: Frame | None) -> tuple[Frame, list[Line]]:
    """Return a frame that has a line for every run, and those lines; *current* itself whenever it will do.

    A run that did not collect gets the line its subject has from a better day, if any: what it did otherwise is
    said in the sweep's notes, so that a failure does not change the frame.
    """
    known = current.by_subject if current else {}
    lines = []
    for run in runs:
        usual = known.get((run.subject, run.provenance))
        lines.append(usual if usual and run.outcome is not Outcome.COLLECTED else _line(run))
    if current and all(line in current.numbers for line in lines):
        return current, lines
    return Frame(source, _usual_principal(runs, current), tuple(_kept(current, lines))), lines


def _line(run: Run) -> Line:
    operations = tuple(each.operation for each in run.operations)
    redactions = tuple((each.path, each.rule) for each in run.redactions)
    return Line(run.subject, run.provenance, operations, redactions)


def _kept(current: Frame | None, lines: Iterable[Line]) -> list[Line]:
    """Return *lines* after those of *current* that may be needed again: of the same plan, a few per subject."""
    new = list(dict.fromkeys(lines))
    plans = {line.provenance.plan_version for line in new}
    old = [line for line in current.lines if line.provenance.plan_version in plans] if current else []
    if len(old) + len(new) > _MOST_LINES:
        return new
    taken = Counter(line.subject for line in new)
    kept = []
    for line in reversed(old):
        if line not in new and taken[line.subject] < _MOST_LINES_OF_A_SUBJECT:
            taken[line.subject] += 1
            kept.append(line)
    return [*reversed(kept), *new]


def _usual_principal(runs: Sequence[Run], current: Frame | None) -> Principal:
    collected = [run.principal for run in runs if run.outcome is Outcome.COLLECTED]
    if collected:
        return Counter(collected).most_common(1)[0][0]
    return current.principal if current else runs[0].principal


def _provenance(found: dict[str, Json]) -> Provenance:
    for name in ("criteria", "controls", "grants"):
        found[name] = tuple(found[name])
    return Provenance(**found)

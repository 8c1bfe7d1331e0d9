"""Append sweeps: everything that one says in one transaction with one log leaf, or nothing at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select

from collector.canonical import digest
from collector.clock import from_ms, to_ms
from collector.errors import IntegrityError
from collector.log.leaf import LeafKind
from collector.model import Artifact, Json, Observation, Outcome, Run, Subject, Sweep, Trigger
from collector.store import populations
from collector.store.contents import keep, known, lost
from collector.store.dictionaries import volatile_family
from collector.store.entries import sweep_root, volatile_entry
from collector.store.frames import Frame, frame_for
from collector.store.names import Names, add_subjects, ensure_sources
from collector.store.packing import pack_sheet
from collector.store.recent import Recent
from collector.store.records import Receipt
from collector.store.requests import request_digest
from collector.store.sheet_writing import encode
from collector.store.sweeps import SweepReader
from collector.store.tables import sweep as sweep_table
from collector.store.tables import volatile
from collector.store.volatile_columns import in_columns

MOST_CHANGES = 20_000
"""So many items, about, that sweeps written together have changed: all their rows are held at once."""


@dataclass(frozen=True, slots=True)
class Writer:
    """The writer's transaction *conn*, what the writer knows, and when (ms) it records."""

    conn: Connection
    names: Names
    recent: Recent
    reader: SweepReader
    recorded: int

    def append(self, sweeps: Sequence[Sweep]) -> list[Receipt]:
        """Append *sweeps* in order and return their receipts, true once the caller commits.

        A sweep that is stored already, run for run, is not stored again: its first receipt is returned. So a writer
        that lost the answer to its commit may simply try again.
        """
        return [receipt for some in _parts(sweeps) for receipt in self._append(some)]

    def _append(self, sweeps: Sequence[Sweep]) -> list[Receipt]:
        """Append *sweeps*, each of another source: what they bring is written together, however many they are."""
        for each in sweeps:
            _require_coherent(each)
        sources = ensure_sources(self.conn, self.names, (each.source for each in sweeps))
        stored = {each.source: found for each in sweeps if (found := self._stored(sources[each.source], each))}
        new = [each for each in sweeps if each.source not in stored]
        for source in sources.values():
            if self.recent.last_due(self.conn, source) < 0:
                self.reader.paging.begun(source)
        subjects = _subjects(self.conn, self.names, self.recent, [run for each in new for run in _runs(each)])
        contents = _kept_contents(self.conn, [one for each in new for one in each.observations])
        additions = populations.Additions(self.conn)
        made = [self._append_one(each, sources[each.source], subjects, contents, additions) for each in new]
        additions.write()
        self._write(made)
        for one in made:
            self.reader.paging.appended(self.conn, one.source)
        receipts = stored | {one.sweep.source: one.receipt(self.recorded) for one in made}
        return [receipts[each.source] for each in sweeps]

    def _stored(self, source: int, sweep: Sweep) -> Receipt | None:
        late = to_ms(sweep.due) <= self.recent.last_due(self.conn, source)
        return _stored_already(self.conn, self.reader, source, sweep) if late else None

    def _last_frame(self, source: int) -> Frame | None:
        before = self.recent.last_due(self.conn, source) >= 0
        return self.reader.last_frame(self.conn, source) if before else None

    def _append_one(
        self,
        sweep: Sweep,
        source: int,
        subjects: Mapping[Subject, int],
        contents: _Contents,
        additions: populations.Additions,
    ) -> _Made:
        conn, recent = self.conn, self.recent
        number, runs = recent.next_sweep(conn), _runs(sweep)
        entries = _record_evidence(number, subjects, sweep.observations, contents, additions, recent)
        known_frame = recent.frame(source)
        last = known_frame[0] if known_frame else self._last_frame(source)
        frame, lines = frame_for(sweep.source, runs, last) if runs else (None, [])
        encoded = encode(runs, lines, frame, due=sweep.due, trigger=sweep.trigger, roots=_unstated(runs))
        notes = Artifact(digest(encoded.notes), encoded.notes) if encoded.notes else None
        said = _said(sweep, number) | _committed(encoded.sheet, frame, notes, entries) | recent.quote(conn)
        if sweep.request:
            said |= {"request": sweep.request, "asked": request_digest(conn, sweep.request).hex()}
        leaf = recent.tip.append(LeafKind.SWEEP, said, self.recorded)
        recent.appended(leaf)
        recent.swept(number, source, to_ms(sweep.due))
        return _Made(sweep, number, source, leaf, frame, notes, encoded.sheet)

    def _write(self, made: Sequence[_Made]) -> None:
        """Write the rows of sweeps, their frames where they are new, and their notes."""
        recent = self.recent
        new = [(each.source, each.frame) for each in made if each.frame]
        new = [(source, frame) for source, frame in new if recent.frame_id(source, frame) is None]
        notes = [each.notes for each in made if each.notes]
        kept = keep(self.conn, [*(frame.artifact for _, frame in new), *notes])
        for source, frame in new:
            recent.framed(source, frame, kept[frame.artifact.digest])
        rows = [
            _row(each.sweep)
            | {"id": each.number, "source": each.source, "recorded": self.recorded, "leaf": each.leaf}
            | {"frame": recent.frame_id(each.source, each.frame) if each.frame else None}
            | {"notes": kept[each.notes.digest] if each.notes else None}
            | dict(zip(("codec", "sheet"), pack_sheet(each.sheet), strict=True))
            for each in made
        ]
        if rows:
            self.conn.execute(_SWEEP, rows)


@dataclass(frozen=True, slots=True)
class _Made:
    """A sweep whose leaf is appended and whose row is to be written."""

    sweep: Sweep
    number: int
    source: int
    leaf: int
    frame: Frame | None
    notes: Artifact | None
    sheet: bytes

    def receipt(self, recorded: int) -> Receipt:
        """Return the receipt of the sweep, recorded when that was (ms)."""
        runs = tuple(f"{self.number}-{at}" for at in range(len(self.sweep.observations)))
        return Receipt(self.number, self.leaf, from_ms(recorded), runs)


def _parts(sweeps: Iterable[Sweep]) -> Iterator[list[Sweep]]:
    """Yield *sweeps* in parts: one is of another source than all others of its part, which together are not large."""
    part: list[Sweep] = []
    changes = 0
    for each in sweeps:
        size = sum(len(one.changes) for one in each.observations)
        if part and (changes + size > MOST_CHANGES or each.source in {one.source for one in part}):
            yield part
            part, changes = [], 0
        part.append(each)
        changes += size
    if part:
        yield part


def _runs(sweep: Sweep) -> list[Run]:
    return [each.run for each in sweep.observations]


_SWEEP = insert(sweep_table)


def _subjects(conn: Connection, names: Names, recent: Recent, runs: Sequence[Run]) -> dict[Subject, int]:
    """Return the numbers of the subjects of *runs*; of those that are new, nothing is asked any more."""
    wanted = list(dict.fromkeys(run.subject for run in runs))
    ids = names.known(conn, wanted)
    new = add_subjects(conn, names, [each for each in wanted if each not in ids])
    recent.begun(new.values())
    return ids | new


def _require_coherent(sweep: Sweep) -> None:
    for each in sweep.observations:
        if each.run.subject.source != sweep.source:
            raise IntegrityError(f"a sweep of {sweep.source} holds a run of {each.run.subject.source}")
        if each.run.outcome is not Outcome.COLLECTED and (each.changes or each.volatile is not None):
            raise IntegrityError(f"a run of {each.run.subject.kind} that did not collect changes the population")


def _stored_already(conn: Connection, reader: SweepReader, source: int, sweep: Sweep) -> Receipt | None:
    columns = sweep_table.c
    candidates = select(columns.id).where(
        columns.source == source,
        columns.due == to_ms(sweep.due),
        columns.trigger == sweep.trigger.value,
        columns.part == sweep.part,
        columns.request == sweep.request,
    )
    wanted = [each.run for each in sweep.observations]
    for number in conn.execute(candidates).scalars().all():
        stored = reader.runs(conn, number)
        if [replace(run, id="", recorded=None) for run in stored] == wanted:
            row = conn.execute(select(columns.leaf, columns.recorded).where(columns.id == number)).one()
            return Receipt(number, row.leaf, from_ms(row.recorded), tuple(run.id for run in stored))
    return None


@dataclass(frozen=True, slots=True)
class _Contents:
    """The numbers of contents by digest: *every*, those that are there in *plain*, and the volatile *documents*."""

    every: Mapping[bytes, int]
    plain: Mapping[bytes, int]
    documents: Mapping[int, Artifact]


def _kept_contents(conn: Connection, observations: Sequence[Observation]) -> _Contents:
    """Store the contents of *observations* and find those that were stored before; *documents* are by id of object."""
    given = [artifact for each in observations for artifact in each.artifacts]
    documents = {id(each): made for each in observations if (made := _document(each)) is not None}
    artifacts = keep(conn, [*given, *documents.values()])
    named = {each.artifact for one in observations for each in one.changes if each.artifact is not None}
    staged = known(conn, named - artifacts.keys())
    artifacts.update(staged)
    gone = lost(conn, staged.values())
    plain = {name: id_ for name, id_ in artifacts.items() if id_ not in gone} if gone else artifacts
    return _Contents(artifacts, plain, documents)


def _record_evidence(
    sweep: int,
    subjects: Mapping[Subject, int],
    observations: Sequence[Observation],
    contents: _Contents,
    additions: populations.Additions,
    recent: Recent,
) -> list[bytes]:
    """Add states, changes and volatile fields to *additions*; return the entries that commit to them, in order."""
    entries: list[bytes] = []
    for each in observations:
        if each.run.outcome is not Outcome.COLLECTED:
            continue
        populations.require_stored(each.changes, contents.every if each.sealed else contents.plain, each.run.subject)
        subject = subjects[each.run.subject]
        state = recent.state(additions.conn, subject)
        new = populations.record(additions, sweep, subject, each, contents.every, state)
        if new:
            recent.reached(subject, new[0])
            entries.append(new[1])
        document = contents.documents.get(id(each))
        if document is not None:
            at = to_ms(each.run.finished)
            additions.add(volatile, [(subject, at, sweep, contents.every[document.digest])])
            entries.append(volatile_entry(each.run.subject, at, document.digest))
    return entries


def _document(found: Observation) -> Artifact | None:
    """Return the volatile fields of *found* as they are stored; of no family when sealed: see `dictionaries`."""
    if found.volatile is None:
        return None
    if found.sealed is not None:
        return Artifact(digest(found.volatile), found.volatile)
    data = in_columns(found.volatile)
    return Artifact(digest(data), data, volatile_family(found.run.subject))


def _unstated(runs: Iterable[Run]) -> dict[int, bytes | None]:
    """Return the populations that the stored states would tell otherwise, by position."""
    runs = list(runs)
    last = {run.subject: run.population for run in runs if run.outcome is Outcome.COLLECTED}
    return {
        at: run.population
        for at, run in enumerate(runs)
        if run.population != (last[run.subject] if run.outcome is Outcome.COLLECTED else None)
    }


def _said(sweep: Sweep, number: int) -> dict[str, Json]:
    """Return what the leaf says of *sweep* itself; what is at its default is left out."""
    said: dict[str, Json] = {
        "sweep": number,
        "source": sweep.source,
        "due": to_ms(sweep.due),
        "plan": sweep.plan_version,
        "runs": dict(Counter(str(each.run.detail or each.run.outcome) for each in sweep.observations)),
    }
    if sweep.trigger is not Trigger.SCHEDULE:
        said["trigger"] = sweep.trigger.value
    if sweep.part or not sweep.last:
        said |= {"part": sweep.part, "last": sweep.last}
    return said


def _committed(sheet: bytes, frame: Frame | None, notes: Artifact | None, entries: Sequence[bytes]) -> dict[str, Json]:
    """Return the root by which the leaf commits to everything that the sweep adds."""
    named = frame.artifact.digest if frame else b"", notes.digest if notes else b""
    return {"root": sweep_root(sheet, *named, entries).hex()}


def _row(sweep: Sweep) -> dict[str, Json]:
    due = to_ms(sweep.due)
    return {
        "due": due,
        "first_due": min((to_ms(each.run.due) for each in sweep.observations), default=due),
        "finished": max((to_ms(each.run.finished) for each in sweep.observations), default=due),
        "trigger": sweep.trigger.value,
        "part": sweep.part,
        "last": sweep.last,
        "request": sweep.request,
        "plan": sweep.plan_version,
    }

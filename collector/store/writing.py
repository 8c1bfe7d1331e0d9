"""Append a sweep: everything it says in one transaction with one log leaf, or nothing at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, insert, select

from collector.canonical import digest
from collector.clock import from_ms, to_ms
from collector.errors import IntegrityError
from collector.log import ledger
from collector.log.leaf import LeafKind
from collector.model import Artifact, Json, Observation, Outcome, Run, Subject, Sweep, Trigger
from collector.store import populations
from collector.store.checkpoints import quoted
from collector.store.contents import keep, keep_one, known, lost
from collector.store.dictionaries import volatile_family
from collector.store.entries import sweep_root, volatile_entry
from collector.store.frames import Frame, frame_for
from collector.store.names import Names, add_subjects, ensure_source
from collector.store.packing import pack_sheet
from collector.store.recent import Recent
from collector.store.records import Receipt
from collector.store.requests import request_digest
from collector.store.sheet_writing import Encoded, encode
from collector.store.sweeps import SweepReader
from collector.store.tables import sweep as sweep_table
from collector.store.tables import volatile
from collector.store.volatile_columns import in_columns


def append_sweep(
    conn: Connection, names: Names, recent: Recent, reader: SweepReader, sweep: Sweep, recorded_ms: int
) -> Receipt:
    """Append *sweep* in the writer's transaction *conn* and return its receipt, true once the caller commits.

    A sweep that is stored already, run for run, is not stored again: its first receipt is returned. So a writer that
    lost the answer to its commit may simply try again.
    """
    _require_coherent(sweep)
    source = ensure_source(conn, names, sweep.source)
    due = to_ms(sweep.due)
    if due <= recent.last_due(conn, source) and (again := _stored_already(conn, reader, source, sweep)):
        return again
    runs = [each.run for each in sweep.observations]
    subjects = _subjects(conn, names, recent, runs)
    number = recent.next_sweep(conn)
    entries = _record_evidence(conn, number, subjects, sweep.observations, recent)
    known_frame = recent.frame(source)
    last = known_frame[0] if known_frame else reader.last_frame(conn, source)
    frame, lines = frame_for(sweep.source, runs, last) if runs else (None, [])
    encoded = encode(runs, lines, frame, due=sweep.due, trigger=sweep.trigger, roots=_unstated(runs))
    said = _said(sweep, number) | _committed(frame, encoded, entries) | quoted(conn)
    if sweep.request:
        said |= {"request": sweep.request, "asked": request_digest(conn, sweep.request).hex()}
    leaf = ledger.append(conn, LeafKind.SWEEP, said, recorded_ms)
    row = _row(sweep) | _kept(conn, recent, source, frame, encoded)
    conn.execute(_SWEEP, {"id": number, "source": source, "recorded": recorded_ms, "leaf": leaf, **row})
    recent.appended(leaf)
    recent.swept(number, source, due)
    reader.paging.appended(conn, source)
    return Receipt(number, leaf, from_ms(recorded_ms), tuple(f"{number}-{at}" for at in range(len(runs))))


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


def _record_evidence(
    conn: Connection,
    sweep: int,
    subjects: Mapping[Subject, int],
    observations: Sequence[Observation],
    recent: Recent,
) -> list[bytes]:
    """Store contents, states, changes and volatile fields; return the entries that commit to them, in order."""
    given = [artifact for each in observations for artifact in each.artifacts]
    documents = {at: made for at, each in enumerate(observations) if (made := _document(each)) is not None}
    artifacts = keep(conn, [*given, *documents.values()])
    named = {each.artifact for one in observations for each in one.changes if each.artifact is not None}
    staged = known(conn, named - artifacts.keys())
    artifacts.update(staged)
    gone = lost(conn, staged.values())
    plain = {name: id_ for name, id_ in artifacts.items() if id_ not in gone} if gone else artifacts
    entries: list[bytes] = []
    additions = populations.Additions(conn)
    for place, each in enumerate(observations):
        if each.run.outcome is not Outcome.COLLECTED:
            continue
        populations.require_stored(each.changes, artifacts if each.sealed else plain, each.run.subject)
        subject = subjects[each.run.subject]
        new = populations.record(additions, sweep, subject, each, artifacts, recent.state(conn, subject))
        if new:
            recent.reached(subject, new[0])
            entries.append(new[1])
        if place in documents:
            at, name = to_ms(each.run.finished), documents[place].digest
            additions.add(volatile, [(subject, at, sweep, artifacts[name])])
            entries.append(volatile_entry(each.run.subject, at, name))
    additions.write()
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


def _committed(frame: Frame | None, encoded: Encoded, entries: Sequence[bytes]) -> dict[str, Json]:
    """Return the root by which the leaf commits to everything that the sweep adds."""
    notes = digest(encoded.notes) if encoded.notes else b""
    return {"root": sweep_root(encoded.sheet, frame.artifact.digest if frame else b"", notes, entries).hex()}


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


def _kept(conn: Connection, recent: Recent, source: int, frame: Frame | None, encoded: Encoded) -> dict[str, Json]:
    codec, sheet = pack_sheet(encoded.sheet)
    known_frame = recent.frame(source)
    if frame and not (known_frame and known_frame[0] is frame):
        known_frame = frame, keep(conn, [frame.artifact])[frame.artifact.digest]
        recent.framed(source, *known_frame)
    return {
        "frame": known_frame[1] if frame and known_frame else None,
        "notes": keep_one(conn, encoded.notes) if encoded.notes else None,
        "codec": codec,
        "sheet": sheet,
    }

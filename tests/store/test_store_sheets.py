"""The IPE sheet of every run comes back as it was written, and costs what its news is worth."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import IntegrityError
from collector.model import (
    Counts,
    Detail,
    OperationCalls,
    Outcome,
    Principal,
    Provenance,
    Reason,
    Redaction,
    Run,
    Subject,
    Trigger,
    Window,
)
from collector.store.frames import frame_for, read_frame
from collector.store.packing import pack, pack_sheet, unpack
from collector.store.sheet_reading import Place, Sheet
from collector.store.sheet_writing import encode

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SOURCE = "paper:hq"

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
instants = st.integers(0, 4_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
numbers = st.integers(0, 2**40)
digests = st.binary(min_size=32, max_size=32)
subjects = st.builds(Subject, st.just(SOURCE), st.sampled_from(["paper.users", "paper.rooms"]), st.sampled_from("abc"))
provenances = st.builds(
    Provenance,
    connector=st.just("paper"),
    connector_version=st.sampled_from(["1.0", "1.1"]),
    collector_version=st.just("0.1"),
    procedure=texts,
    config=texts,
    plan_version=st.integers(0, 2),
    criteria=st.lists(texts, max_size=2).map(tuple),
    controls=st.lists(texts, max_size=2).map(tuple),
    grants=st.lists(texts, max_size=2).map(tuple),
)
operations = st.builds(
    OperationCalls,
    operation=st.sampled_from(["List", "Get", "Describe"]),
    calls=numbers,
    pages=numbers,
    retries=numbers,
    items=numbers,
    total=st.none() | numbers,
    drained=st.booleans(),
    first_request_id=texts,
    last_request_id=texts,
    first_date=st.none() | instants,
    last_date=st.none() | instants,
)
runs = st.builds(
    Run,
    subject=subjects,
    due=instants,
    trigger=st.sampled_from(Trigger),
    provenance=provenances,
    started=instants,
    finished=instants,
    outcome=st.sampled_from(Outcome),
    detail=st.none() | st.sampled_from(Detail),
    reason=st.none() | st.sampled_from(Reason),
    message=texts,
    hint=texts,
    principal=st.builds(Principal, texts, texts),
    operations=st.lists(operations, max_size=3).map(tuple),
    counts=st.builds(Counts, numbers, numbers, numbers, numbers),
    population=st.none() | digests,
    redactions=st.lists(st.builds(Redaction, texts, texts, numbers), max_size=2).map(tuple),
    skew_ms=st.none() | st.integers(-(2**40), 2**40),
    window=st.none() | st.builds(Window, instants, instants),
    watermark_before=st.none() | instants,
    watermark_after=st.none() | instants,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(runs, min_size=1, max_size=6), st.lists(runs, max_size=4), instants, st.sampled_from(Trigger))
def test_any_runs_come_back_from_their_sheet_as_they_were(given_runs, earlier, due, trigger):
    known = frame_for(SOURCE, earlier, None)[0] if earlier else None
    frame, lines = frame_for(SOURCE, given_runs, known)
    roots = {at: run.population for at, run in enumerate(given_runs)}
    written = encode(given_runs, lines, frame, due=due, trigger=trigger, roots=roots)
    sheet = Sheet(written.sheet, written.notes, read_frame(frame.artifact.data), Place(7, due, trigger, NOON))
    back = [sheet.run(at, population=lambda run: None) for at in range(len(given_runs))]
    assert back == [replace(run, recorded=NOON, id=f"7-{at}") for at, run in enumerate(given_runs)]
    for outcome, run in zip(sheet.outcomes(), back, strict=True):
        assert (outcome.id, outcome.due, outcome.finished, outcome.outcome, outcome.trigger) == (
            run.id,
            run.due,
            run.finished,
            run.outcome,
            run.trigger,
        )


@given(st.binary(max_size=2000))
@settings(max_examples=100, deadline=None)
def test_packed_bytes_come_back(data):
    assert unpack(*pack(data)) == data
    assert unpack(*pack_sheet(data)) == data


@pytest.mark.parametrize(("codec", "packed"), [(1, b"not zstd"), (2, b""), (99, b"x")])
def test_bytes_that_no_codec_made_are_an_integrity_error(codec, packed):
    with pytest.raises(IntegrityError):
        unpack(codec, packed)


@pytest.mark.parametrize(
    ("sheet", "notes"),
    [(b"", None), (b"[]", None), (b'{"version":99}', None), (b'{"version":1,"line":[5]}', None), (b"{", b"{")],
)
def test_a_sheet_that_was_not_written_by_us_is_an_integrity_error(sheet, notes):
    frame, _ = frame_for(SOURCE, [run_of(0, NOON)], None)
    with pytest.raises(IntegrityError):
        Sheet(sheet, notes, frame, Place(1, NOON, Trigger.SCHEDULE, NOON))


@pytest.mark.parametrize("data", [b"", b"{}", b'{"provenances":[],"lines":[[1]],"source":"a","principal":["",""]}'])
def test_a_frame_that_was_not_written_by_us_is_an_integrity_error(data):
    with pytest.raises(IntegrityError):
        read_frame(data)


def test_a_frame_serves_every_sweep_until_something_new_is_said():
    first = [run_of(number, NOON) for number in range(20)]
    frame, _ = frame_for(SOURCE, first, None)
    assert frame_for(SOURCE, first[:7], frame)[0] is frame
    assert frame_for(SOURCE, list(reversed(first)), frame)[0] is frame
    newer = [replace(first[0], provenance=replace(first[0].provenance, procedure="sha256:other"))]
    assert frame_for(SOURCE, newer, frame)[0] is not frame


def test_a_failure_changes_no_frame():
    run = run_of(0, NOON)
    frame, _ = frame_for(SOURCE, [run], None)
    failed = replace(run, outcome=Outcome.FAILED, detail=None, reason=Reason.DENIED, message="no", operations=())
    same, lines = frame_for(SOURCE, [failed], frame)
    assert same is frame
    written = encode([failed], lines, same, due=NOON, trigger=Trigger.SCHEDULE, roots={})
    sheet = Sheet(written.sheet, written.notes, same, Place(1, NOON, Trigger.SCHEDULE, NOON))
    assert sheet.run(0, lambda run: None) == replace(failed, id="1-0", recorded=NOON, population=None)


def test_lines_of_an_older_plan_leave_the_frame():
    old = [run_of(number, NOON) for number in range(3)]
    frame, _ = frame_for(SOURCE, old, None)
    new = [replace(run, provenance=replace(run.provenance, plan_version=2)) for run in old[:1]]
    assert len(frame_for(SOURCE, new, frame)[0].lines) == 1


def test_a_subject_that_says_something_else_each_time_does_not_grow_the_frame():
    frame = None
    for number in range(30):
        frame, _ = frame_for(SOURCE, [replace(run_of(0, NOON), operations=(OperationCalls(f"Get{number}"),))], frame)
    assert len(frame.lines) <= 4


def test_an_hourly_run_costs_less_than_eighty_bytes():
    """Two operations a run, request ids as AWS gives them; sweeps of a hundred runs (issue: bytes_per_run)."""
    at = NOON + timedelta(hours=5)
    frame, _ = frame_for(SOURCE, [run_of(number, NOON) for number in range(100)], None)
    hourly = [run_of(number, at) for number in range(100)]
    same, lines = frame_for(SOURCE, hourly, frame)
    written = encode(hourly, lines, same, due=at, trigger=Trigger.SCHEDULE, roots={})
    assert same is frame
    assert written.notes is None
    assert len(pack_sheet(written.sheet)[1]) / 100 < 80


def run_of(number, at):
    """A run as AWS answers it: unlike in ids and times, alike in everything else."""
    rng = random.Random(f"{number} {at}")
    started = at + timedelta(milliseconds=100 * number + rng.randrange(100))
    calls = tuple(
        OperationCalls(
            name,
            items=12,
            first_request_id=(request := str(uuid.UUID(int=rng.getrandbits(128), version=4))),
            last_request_id=request,
            first_date=started.replace(microsecond=0),
            last_date=started.replace(microsecond=0),
        )
        for name in ("ec2.DescribeInstances", "ec2.DescribeVolumes")
    )
    return Run(
        subject=Subject(SOURCE, f"paper.kind{number % 10}", f"eu-west-{number // 10}"),
        due=at,
        trigger=Trigger.SCHEDULE,
        provenance=Provenance("paper", "1", "1", "sha256:" + "a" * 64, "sha256:" + "b" * 64, 1),
        started=started,
        finished=started + timedelta(milliseconds=rng.randrange(200, 900)),
        outcome=Outcome.COLLECTED,
        detail=Detail.UNCHANGED,
        principal=Principal("arn:aws:sts::123456789012:assumed-role/evidenced/evidenced", "123456789012"),
        operations=calls,
        counts=Counts(items=number % 30),
        skew_ms=rng.randrange(-40, 900),
    )

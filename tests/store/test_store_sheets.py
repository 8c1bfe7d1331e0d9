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
from collector.store.packing import Packer, pack, pack_sheet, packed_ahead, unpack
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
request_ids = texts | st.uuids().map(str) | st.uuids().map(lambda made: str(made).upper())
operations = st.builds(
    OperationCalls,
    operation=st.sampled_from(["List", "Get", "Describe"]),
    calls=numbers,
    pages=numbers,
    retries=numbers,
    items=numbers,
    total=st.none() | numbers,
    drained=st.booleans(),
    first_request_id=request_ids,
    last_request_id=request_ids,
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


@given(st.lists(st.binary(max_size=300), max_size=900), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_contents_packed_ahead_are_what_each_is_packed_to_alone(contents, packers):
    tools = [Packer() for _ in range(packers)]
    ahead = list(packed_ahead((tools[at // 100 % packers], data) for at, data in enumerate(contents)))
    assert ahead == [Packer()(data) for data in contents]
    assert [unpack(*each) for each in ahead] == contents


@pytest.mark.parametrize(
    ("codec", "packed"), [(1, b"not zstd"), (2, b""), (3, b"x"), (4, b""), (4, b"x"), (4, b"\x00" * 9), (99, b"x")]
)
def test_bytes_that_no_codec_made_are_an_integrity_error(codec, packed):
    with pytest.raises(IntegrityError):
        unpack(codec, packed)


def test_a_sheet_that_was_cut_is_an_integrity_error_or_another_sheet():
    codec, packed = pack_sheet(FORM_2)
    for end in range(len(packed)):
        try:
            cut = unpack(codec, packed[:end])
        except IntegrityError:
            continue
        assert FORM_2.startswith(cut)
        assert cut != FORM_2


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


def told_twice():
    """Two runs, whose request ids are UUIDs, one that is none, and none at all."""
    told, quiet = run_of(0, NOON), replace(run_of(1, NOON), operations=())
    first = told.operations[0]
    later = first.first_date + timedelta(seconds=2)
    first = replace(first, calls=3, pages=3, last_request_id=str(uuid.UUID(int=5)), last_date=later)
    second = replace(told.operations[1], pages=0, first_request_id="KT5Z0Q", last_request_id="")
    return [replace(told, operations=(first, replace(second, operation="Get")), counts=Counts(12)), quiet]


FORM_1 = (
    b'{"calls":[3,0],"first_date":[0,0],"first_id":["e00699c5-bc17-496e-8470-25818c09bf3c","KT5Z0Q"],"items":[12,1],'
    b'"last_date":[2000,0],"last_id":["00000000-0000-0000-0000-000000000005",""],"line":[0,1],"listed":[12,12],'
    b'"pages":[3,0],"skew":[529,374],"started":[7,129],"took":[696,356],"version":1}'
)
FORM_2 = (
    b'{"calls":[3,0],"first_date":[0,0],"first_id":[0,"KT5Z0Q"],"items":[12,1],"last_date":[2000,0],"last_id":[0,""],'
    b'"line":[0,1],"skew":[-174,374],"started":[7,129],"took":[696,356],"version":2}\n'
    + bytes.fromhex("e00699c5bc17496e847025818c09bf3c" + "00000000000000000000000000000005")
)
PACKED = {
    2: "28b52ffd602500d50300e2041015a0a56d2b74e9588e51915a9724b2bd3269acfea60785c4a37cde0629d1a31b9aceb06c1bc002"
    "0c0c82c4dec0dc5b46412b2b2975f2a474ac29dc3fed43470813005b7bccea6eba758f815d7b2288dd1a82c8213808230cb8ab1d"
    "7003251d2e6349c4ec4fa4cd7d59a1560457470462a78884a90ac106",
    3: "28b52ffd20de1c0200a342070a48b473738b3eb54f898860a6e8221114619c8048f88108b630b37d040dfcbc8adc4e8bb6f36514"
    "8b442dbccbce94e507f44b25a7ed9c098e5582fd03de8e1fc5000090e00699c5bc17496e847025818c09bf3c0005010091dd12",
    4: "00001d0200a342070a48b473738b3eb54f898860a6e8221114619c8048f88108b630b37d040dfcbc8adc4e8bb6f3323a8b4475bc"
    "dbceb4e507c44b25e9f6cf348e552efcebdb8e1fe00699c5bc17496e847025818c09bf3c00000000000000000000000000000005",
}


@pytest.mark.parametrize("data", [FORM_1, FORM_2], ids=["form 1", "form 2"])
def test_a_sheet_of_either_form_is_read_for_good(data):
    given_runs = told_twice()
    frame, _ = frame_for(SOURCE, given_runs, None)
    sheet = Sheet(data, None, frame, Place(7, NOON, Trigger.SCHEDULE, NOON))
    back = [replace(sheet.run(at, lambda run: None), recorded=None, id="") for at in range(2)]
    assert back == given_runs


def test_a_sheet_is_written_in_the_second_form():
    given_runs = told_twice()
    frame, lines = frame_for(SOURCE, given_runs, None)
    assert encode(given_runs, lines, frame, due=NOON, trigger=Trigger.SCHEDULE, roots={}).sheet == FORM_2


@pytest.mark.parametrize(("codec", "data"), [(2, FORM_1), (3, FORM_2), (4, FORM_2)])
def test_what_a_codec_for_sheets_once_made_is_unpacked_for_good(codec, data):
    assert unpack(codec, bytes.fromhex(PACKED[codec])) == data


@pytest.mark.parametrize("data", [FORM_2[:-1], FORM_2[:-16], FORM_2 + bytes(16)])
def test_a_sheet_with_too_many_or_too_few_request_ids_is_an_integrity_error(data):
    frame, _ = frame_for(SOURCE, told_twice(), None)
    with pytest.raises(IntegrityError, match="request ids"):
        Sheet(data, None, frame, Place(7, NOON, Trigger.SCHEDULE, NOON)).run(0, lambda run: None)


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

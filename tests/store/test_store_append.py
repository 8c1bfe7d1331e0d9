"""What is appended is there whole, once, and comes back as it was given."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collector.canonical import canonical, digest, population_root
from collector.clock import from_ms
from collector.errors import IntegrityError, QueryError
from collector.model import (
    Artifact,
    Counts,
    Detail,
    ItemChange,
    Missed,
    Outcome,
    Period,
    Principal,
    Reason,
    SnapshotRequest,
    Subject,
    Trigger,
)

EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
BYTES = {"sqlite": "BLOB)", "postgresql": "BYTEA)"}
PEOPLE = {"ana@example.com": {"name": "Ana"}, "bo@example.com": {"name": "Bo"}}


def test_a_sweep_comes_back_as_it_was_given(store, hand, clock, noon):
    observation = hand.saw(PEOPLE)
    receipt = hand.write(observation)
    assert receipt.runs == ("1-0",)
    run = store.run("1-0")
    assert replace(run, id="", recorded=None) == observation.run
    assert (run.id, run.recorded) == ("1-0", clock.at)


def test_the_head_is_the_population_that_was_seen_last(store, hand, hour, noon):
    hand.see(PEOPLE)
    hand.see({"bo@example.com": {"name": "Bo Li"}}, noon + hour)
    head = store.head(hand.subject)
    content = hand.content({"name": "Bo Li"}).digest
    assert head.contents == {digest(b"bo@example.com"): content}
    assert head.keys == {digest(b"bo@example.com"): "bo@example.com"}
    assert head.population == population_root(head.contents.items())


def test_the_head_of_what_was_never_observed_is_empty(store, hand):
    assert store.head(hand.subject).population is None


def test_an_empty_first_observation_is_a_population_of_nothing(store, hand):
    hand.see({})
    assert store.head(hand.subject).population == population_root([])
    assert store.run("1-0").population == population_root([])


def test_a_failed_run_leaves_every_item_as_it_was(store, hand, hour, noon):
    hand.see(PEOPLE)
    before = store.head(hand.subject)
    hand.write(hand.failed(noon + hour))
    assert store.head(hand.subject) == before
    assert len(store.as_of("paper.users", noon + 2 * hour)) == 2
    assert store.run("2-0").population is None


def test_a_failed_run_that_claims_changes_is_refused(hand, noon):
    failed = replace(hand.failed(), changes=(ItemChange("x", digest(b"x"), None),))
    with pytest.raises(IntegrityError, match="did not collect"):
        hand.write(failed)


def test_an_observation_that_names_an_unknown_artifact_is_refused_and_nothing_of_it_stays(store, hand):
    observation = replace(hand.saw(PEOPLE), artifacts=())
    with pytest.raises(IntegrityError, match=r"neither given nor stored") as error:
        hand.write(observation)
    assert observation.changes[0].artifact.hex() in error.value.message
    assert list(store.sweeps(EVER)) == []
    assert store.subjects() == []
    hand.see(PEOPLE)
    assert store.subjects() == [hand.subject]


def test_contents_staged_ahead_are_invisible_until_a_sweep_names_them(store, hand):
    observation = hand.saw(PEOPLE)
    store.stage(observation.artifacts)
    assert store.subjects() == []
    hand.write(replace(observation, artifacts=()))
    assert len(store.head(hand.subject).contents) == 2


def test_bytes_under_a_digest_that_is_not_theirs_are_refused(store, hand):
    wrong = Artifact(digest(b"other"), b"these")
    with pytest.raises(IntegrityError, match="another digest"):
        store.stage([wrong])
    with pytest.raises(QueryError):
        store.artifact(wrong.digest)


def test_the_same_sweep_again_is_recorded_once(store, hand):
    """A writer that lost the answer to its commit tries again, with the same sweep."""
    sweep = hand.sweep(hand.saw(PEOPLE))
    assert store.append(sweep) == store.append(sweep)
    assert len(list(store.sweeps(EVER))) == 1


def test_two_attempts_at_one_slot_are_two_sweeps(store, hand, noon):
    hand.write(hand.failed(noon))
    hand.write(hand.saw({}, noon))
    assert [sweep.runs[0].outcome for sweep in store.sweeps(EVER)] == [Outcome.FAILED, Outcome.COLLECTED]


def test_a_run_compared_with_another_population_than_the_last_is_refused(store, hand, hour, noon):
    stale = store.head(hand.subject)
    hand.see(PEOPLE)
    with pytest.raises(IntegrityError, match="3 items were read, but the last population and its changes make 4"):
        hand.see({"cy": {}, "di": {}, "bo@example.com": {"name": "Bo"}}, noon + hour, head=stale)


def test_another_population_without_a_change_is_refused(hand, hour, noon):
    hand.see(PEOPLE)
    same = hand.saw(PEOPLE, noon + hour)
    with pytest.raises(IntegrityError, match="no item changed"):
        hand.write(replace(same, run=replace(same.run, population=digest(b"x"))))


def test_a_collected_run_without_a_population_is_refused(hand):
    observation = hand.saw(PEOPLE)
    with pytest.raises(IntegrityError, match="must name its population"):
        hand.write(replace(observation, run=replace(observation.run, population=None)))


def test_a_run_of_another_source_is_refused(hand):
    with pytest.raises(IntegrityError, match=r"a sweep of paper:hq holds a run of other:x"):
        hand.store.append(hand.sweep(hand.of(Subject("other:x", "paper.users", "site")).saw({})))


def test_an_unchanged_population_adds_nothing_but_its_sweep(store, hand, hour, noon):
    hand.see(PEOPLE)
    receipt = hand.see(PEOPLE, noon + hour)
    assert store.run(receipt.runs[0]).detail is Detail.UNCHANGED
    assert store.run(receipt.runs[0]).population == store.run("1-0").population
    leaf = list(store.leaves())[receipt.leaf]
    assert leaf.payload["runs"] == {"unchanged": 1}


def test_each_append_is_one_leaf_after_the_genesis(store, hand, noon, hour):
    hand.see(PEOPLE)
    store.append_plan({"sources": []}, digest(canonical({"sources": []})), noon)
    store.append_controls({"controls": []}, digest(canonical({"controls": []})), noon)
    store.append_missed(Missed("paper:hq", Period(noon, noon + hour), "asleep", 1))
    store.append_tag("run:1-0", "C-1", "reviewed with Ana", "Bo Li")
    kinds = [str(leaf.kind) for leaf in store.leaves()]
    assert kinds == ["genesis", "sweep", "plan", "plan", "gap", "tag"]
    assert next(store.leaves()).payload["store"] == store.id


def test_no_leaf_holds_keys_notes_or_names_of_people(store, hand):
    hand.see(PEOPLE)
    store.append_tag("run:1-0", "C-1", "reviewed with Ana", "Bo Li")
    written = b"".join(leaf.data for leaf in store.leaves())
    for word in (b"ana", b"example", b"Bo Li", b"reviewed"):
        assert word not in written


def test_a_leaf_of_five_hundred_runs_stays_under_a_kilobyte(store, hand):
    hands = [hand.of(Subject("paper:hq", "paper.users", f"site-{number}")) for number in range(500)]
    receipt = hand.write(*[each.saw({"a": {"at": n}}) for n, each in enumerate(hands)])
    assert len(list(store.leaves())[receipt.leaf].data) < 1024
    assert receipt.runs[499] == "1-499"
    assert store.run("1-499").subject == hands[499].subject


def test_a_sweep_without_runs_is_recorded(store, hand, clock):
    request = store.request_snapshot(SnapshotRequest("paper:hq", (), "why", "Ana", clock.at))
    hand.write(trigger=Trigger.ADHOC, request=request)
    (sweep,) = store.sweeps(EVER)
    assert (sweep.runs, sweep.request) == ((), request)


def test_a_clock_that_ran_backwards_does_not_invert_an_interval(store, hand, hour, noon):
    hand.see({"a": {"v": 1}}, noon)
    hand.see({"a": {"v": 2}}, noon - hour)
    first, second = store.history("paper.users", "a")
    assert (first.start, first.end, second.start) == (noon, noon, noon)
    assert store.run("2-0").finished == noon - hour


def test_an_item_that_comes_back_is_a_new_version_of_the_same_item(store, hand, hour, noon):
    hand.see({"a": {}}, noon)
    hand.see({}, noon + hour)
    hand.see({"a": {}}, noon + 2 * hour)
    versions = store.history("paper.users", "a")
    assert [(each.start, each.end) for each in versions] == [(noon, noon + hour), (noon + 2 * hour, None)]


def test_volatile_fields_are_kept_beside_and_asked_for_by_time(store, hand, hour, noon):
    hand.see({"a": {}}, noon, volatile=canonical({"a": {"used": 1}}))
    hand.see({"a": {}}, noon + hour)
    hand.see({"a": {}}, noon + 24 * hour, volatile=canonical({"a": {"used": 2}}))
    assert store.volatile(hand.subject, noon - hour) is None
    assert store.volatile(hand.subject, noon + 2 * hour) == {"a": {"used": 1}}
    assert store.volatile(hand.subject, noon + 25 * hour) == {"a": {"used": 2}}
    assert store.head(hand.subject).volatile_day == "2026-03-15"


def test_keys_and_messages_of_any_text_survive(store, hand, noon, hour):
    keys = ["", "\x00nul", "ünï", "𝔘", "a" * 3000, "'; DROP TABLE item; --"]
    hand.see({key: {"key": len(key)} for key in keys})
    hand.write(hand.failed(noon + hour, message="ünï \x00 '\"\n", hint="\u2028"))
    assert sorted(store.head(hand.subject).keys.values()) == sorted(keys)
    assert [each.key for each in store.as_of("paper.users", noon, key="\x00nul")] == ["\x00nul"]
    assert store.run("2-0").message == "ünï \x00 '\"\n"


def test_unknown_runs_and_artifacts_are_questions_to_correct(store, hand):
    hand.see(PEOPLE)
    for wrong in ("", "1", "1-", "x-y", "1-7", "9-0", "1-0-0", "-1-0", "99999999999999999999-0"):
        with pytest.raises(QueryError):
            store.run(wrong)
    with pytest.raises(QueryError):
        store.artifact(digest(b"unknown"))


def test_an_artifact_whose_stored_bytes_were_changed_is_not_given_out(store, hand):
    hand.see(PEOPLE)
    content = hand.content({"name": "Ana"})
    assert json.loads(store.artifact(content.digest)) == {"name": "Ana"}
    engine = store._database.engine
    with engine.begin() as conn:
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql("DROP TRIGGER evidenced_artifact_update")
        else:
            conn.exec_driver_sql("ALTER TABLE artifact DISABLE TRIGGER ALL")
        conn.exec_driver_sql("UPDATE artifact SET codec = 0, bytes = CAST('forged' AS " + BYTES[engine.dialect.name])
    with pytest.raises(IntegrityError, match="another digest"):
        store.artifact(content.digest)


def test_a_changed_part_of_a_sweep_is_kept_with_what_it_says(store, hand, noon):
    other = hand.of(Subject("paper:hq", "paper.rooms", "site"))
    observations = (
        hand.saw({}, noon, principal=Principal("arn:one", "1")),
        other.failed(noon, Reason.THROTTLED, principal=Principal("arn:two", "1"), message="slow down", hint="wait"),
    )
    hand.write(*observations, part=3, last=False)
    (sweep,) = store.sweeps(EVER)
    assert (sweep.part, sweep.last, sweep.plan_version) == (3, False, 1)
    assert [run.reason for run in sweep.runs] == [None, Reason.THROTTLED]
    assert [replace(run, id="", recorded=None) for run in store.runs()] == [each.run for each in observations]


def test_times_are_whole_milliseconds(store, hand, noon):
    odd = noon + timedelta(milliseconds=1)
    hand.see({}, odd)
    assert store.run("1-0").finished == odd == from_ms(1773489600001)


def test_counts_of_a_run_are_kept(store, hand):
    observation = hand.saw(PEOPLE)
    assert observation.run.counts == Counts(2, 2)
    hand.write(observation)
    assert store.run("1-0").counts == Counts(2, 2)

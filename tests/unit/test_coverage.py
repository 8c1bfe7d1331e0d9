"""Outcomes: every due slot has exactly one, and it is never guessed to be good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.coverage import NO_RECORD, RunOutcome, SlotOutcome, outcomes
from collector.model import Detail, Missed, Outcome, Period, Reason, Slot, Subject, Trigger

START = datetime(2026, 1, 1, tzinfo=UTC)
USERS = Subject("aws:prod", "aws.iam.users", "global")
KEYS = Subject("aws:prod", "aws.kms.keys", "eu-central-1")
REPOS = Subject("github:acme", "github.repositories", "acme")


def at(hour):
    return START + timedelta(hours=hour)


def slot(hour, subject=USERS):
    return Slot(subject, at(hour))


def collected(hour, run="1-0", *, subject=USERS, trigger=Trigger.SCHEDULE):
    return RunOutcome(run, subject, at(hour), at(hour), Outcome.COLLECTED, Detail.UNCHANGED, None, "", trigger)


def failed(hour, run="1-0", *, subject=USERS, reason=Reason.DENIED, trigger=Trigger.SCHEDULE):
    return RunOutcome(run, subject, at(hour), at(hour), Outcome.FAILED, None, reason, f"{reason} it was", trigger)


def missed(start, end, cause="the daemon was down", *, source="aws:prod", subjects=None):
    return Missed(source, Period(at(start), at(end)), cause, 1, subjects)


def read(_):
    """Nothing is excluded."""
    return ""


def one(recorded=(), lost=(), excluded=read, **more):
    """What became of the slot of 5 o'clock."""
    (found,) = outcomes([slot(5)], recorded, lost, excluded, **more)
    return found


def test_a_collected_slot_carries_its_detail_and_run():
    assert one([collected(5, "7-3")]) == SlotOutcome(slot(5), Outcome.COLLECTED, Detail.UNCHANGED, None, "", "7-3")


def test_a_failed_slot_carries_its_reason_and_message():
    found = one([failed(5, "7-3")])
    assert found == SlotOutcome(slot(5), Outcome.FAILED, None, Reason.DENIED, "denied it was", "7-3")


def test_a_slot_without_any_record_is_missed_and_says_so():
    assert one() == SlotOutcome(slot(5), Outcome.MISSED, None, None, NO_RECORD, "")


def test_a_slot_in_an_interval_of_missed_slots_is_missed_with_its_cause():
    assert one(lost=[missed(4, 6)]) == SlotOutcome(slot(5), Outcome.MISSED, None, None, "the daemon was down", "")


def test_an_excluded_slot_says_why():
    found = one(excluded=lambda _: "region is off")
    assert found == SlotOutcome(slot(5), Outcome.EXCLUDED, None, None, "region is off", "")


def test_exclusion_is_asked_of_the_slot_because_the_plan_may_change():
    found = outcomes([slot(5), slot(6)], [], [], lambda each: "left out" if each.due == at(6) else "")
    assert [each.outcome for each in found] == [Outcome.MISSED, Outcome.EXCLUDED]


def test_the_first_record_in_time_is_the_outcome_and_later_ones_do_not_rewrite_it():
    """Run ids are numbered in the order of recording: 2-0 was before 10-0."""
    for order in ([failed(5, "2-0"), collected(5, "10-0")], [collected(5, "10-0"), failed(5, "2-0")]):
        assert one(order).run == "2-0"
    for order in ([failed(5, "2-11"), collected(5, "2-9")], [collected(5, "2-9"), failed(5, "2-11")]):
        assert one(order).run == "2-9"


@pytest.mark.parametrize("trigger", [Trigger.CATCH_UP, Trigger.ADHOC, Trigger.BACKFILL])
def test_a_late_or_asked_for_run_does_not_make_a_slot_punctual(trigger):
    assert one([collected(5, trigger=trigger)], [missed(5, 6)]).outcome is Outcome.MISSED
    assert one([collected(5, trigger=trigger)]).cause == NO_RECORD


def test_a_scheduled_run_outranks_a_record_that_its_slot_was_missed():
    """A sweep cut short leaves runs; the interval that is then recorded as missed spans them."""
    assert one([collected(5)], [missed(0, 9)]).outcome is Outcome.COLLECTED
    assert one([failed(5)], [missed(0, 9)]).outcome is Outcome.FAILED


def test_a_run_made_before_the_kind_was_excluded_still_counts():
    assert one([collected(5)], excluded=lambda _: "left out since").outcome is Outcome.COLLECTED


def test_missed_intervals_are_half_open():
    assert one(lost=[missed(5, 6)]).cause == "the daemon was down"
    assert one(lost=[missed(4, 5)]).cause == NO_RECORD


def test_missed_slots_of_another_source_or_subject_are_not_ours():
    assert one(lost=[missed(0, 9, source="github:acme")]).cause == NO_RECORD
    assert one(lost=[missed(0, 9, subjects=(KEYS,))]).cause == NO_RECORD
    assert one(lost=[missed(0, 9, subjects=(KEYS, USERS))]).cause == "the daemon was down"
    assert one(lost=[missed(0, 9, subjects=())]).cause == NO_RECORD


def test_of_several_intervals_the_one_that_began_first_names_the_cause():
    lost = [missed(4, 6, "inner"), missed(0, 9, "outer"), missed(5, 20, "later", subjects=(USERS,))]
    for order in (lost, lost[::-1]):
        assert one(lost=order).cause == "outer"


def test_an_interval_nested_in_another_does_not_end_it():
    lost = [missed(0, 20, "outer"), missed(2, 3, "inner")]
    assert one(lost=lost).cause == "outer"


def test_a_slot_given_twice_is_one_slot():
    found = outcomes([slot(5), slot(6), slot(5)], [collected(5)], [], read)
    assert [each.slot for each in found] == [slot(5), slot(6)]


def test_records_of_slots_that_were_not_due_are_no_outcomes():
    assert outcomes([], [collected(5)], [missed(0, 9)], read) == []


def test_a_slot_whose_time_has_not_passed_is_left_out_until_it_is_recorded():
    """The tail of a period is no gap, nor is a slot that is being read right now."""
    due = [slot(hour) for hour in range(4, 9)]
    found = outcomes(due, [collected(6)], [], read, now=at(7), grace=timedelta(hours=1, minutes=30))
    assert [(each.slot.due, each.outcome) for each in found] == [
        (at(4), Outcome.MISSED),
        (at(5), Outcome.MISSED),
        (at(6), Outcome.COLLECTED),
    ]


def test_a_future_slot_that_is_excluded_is_known_already():
    found = outcomes([slot(9)], [], [], lambda _: "left out", now=at(5))
    assert [each.outcome for each in found] == [Outcome.EXCLUDED]


HOURS = st.integers(0, 12)
SUBJECTS = st.sampled_from([USERS, KEYS, REPOS])
SLOTS = st.builds(slot, HOURS, SUBJECTS)
RUNS = st.builds(lambda sweep, position: f"{sweep}-{position}", st.integers(1, 12), st.integers(0, 12))
RECORDS = st.one_of(
    st.builds(collected, HOURS, RUNS, subject=SUBJECTS, trigger=st.sampled_from(Trigger)),
    st.builds(failed, HOURS, RUNS, subject=SUBJECTS, reason=st.sampled_from(Reason), trigger=st.sampled_from(Trigger)),
)
LOST = st.builds(
    missed,
    HOURS,
    HOURS,
    st.sampled_from(["down", "overtaken", "locked"]),
    source=st.sampled_from(["aws:prod", "github:acme"]),
    subjects=st.none() | st.lists(SUBJECTS, max_size=2).map(tuple),
)


def expected(each, recorded, lost, excluded):
    """The rules, one record at a time."""
    runs = [r for r in recorded if Slot(r.subject, r.due) == each and r.trigger is Trigger.SCHEDULE]
    if runs:
        first = min(runs, key=lambda r: [int(part) for part in r.id.split("-")])
        return first.outcome, first.id
    if each.subject in excluded:
        return Outcome.EXCLUDED, ""
    return Outcome.MISSED, ""


def causes(each, lost):
    """The causes recorded for a slot, those of the interval that began first."""
    holding = [
        m
        for m in lost
        if m.source == each.subject.source
        and (m.subjects is None or each.subject in m.subjects)
        and m.period.start <= each.due < m.period.end
    ]
    first = min((m.period.start for m in holding), default=None)
    return {m.cause for m in holding if m.period.start == first} or {NO_RECORD}


@given(
    st.lists(SLOTS, max_size=20),
    st.lists(RECORDS, max_size=20, unique_by=lambda each: each.id),
    st.lists(LOST, max_size=6),
    st.sets(SUBJECTS, max_size=1),
    st.randoms(),
)
def test_every_due_slot_has_exactly_one_outcome_whatever_is_recorded_in_whatever_order(
    due, recorded, lost, excluded, random
):
    found = outcomes(due, recorded, lost, lambda each: "left out" if each.subject in excluded else "")
    assert [each.slot for each in found] == list(dict.fromkeys(due))
    for each in found:
        assert (each.outcome, each.run) == expected(each.slot, recorded, lost, excluded)
        if each.outcome is Outcome.MISSED:
            assert each.cause in causes(each.slot, lost)
    shuffled = [random.sample(each, len(each)) for each in (recorded, lost)]
    assert found == outcomes(due, *shuffled, lambda each: "left out" if each.subject in excluded else "")


@given(st.lists(SLOTS, max_size=20), st.lists(RECORDS, max_size=20), st.lists(LOST, max_size=6))
def test_what_is_called_collected_was_recorded_as_collected_by_a_scheduled_run(due, recorded, lost):
    good = {
        Slot(each.subject, each.due)
        for each in recorded
        if each.outcome is Outcome.COLLECTED and each.trigger is Trigger.SCHEDULE
    }
    found = outcomes(due, recorded, lost, read)
    assert {each.slot for each in found if each.outcome is Outcome.COLLECTED} <= good

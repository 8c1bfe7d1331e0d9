"""Gaps: where a period was not observed, no more and no less, and the sums over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.coverage import WORST_FIRST, Gap, SlotOutcome, Tally, gaps, tally
from collector.grouping import by_control, by_criterion, by_day, by_kind, by_scope, by_source, tally_by
from collector.model import Detail, Outcome, Period, Reason, Slot, Subject
from collector.tag import Control, ControlSet

START = datetime(2026, 1, 1, tzinfo=UTC)
USERS = Subject("aws:prod", "aws.iam.users", "global")
KEYS = Subject("aws:prod", "aws.kms.keys", "eu-central-1")
REPOS = Subject("github:acme", "github.repositories", "acme")


def singly(outcomes):
    """Count each of *outcomes* as one slot."""
    return [(each.slot.subject, each.slot.due, each.outcome, each.detail, 1) for each in outcomes]


def at(hour):
    return START + timedelta(hours=hour)


def period(start, end):
    return Period(at(start), at(end))


DAY = period(0, 24)


def good(hour, *, subject=USERS, detail=Detail.UNCHANGED):
    return SlotOutcome(Slot(subject, at(hour)), Outcome.COLLECTED, detail, None, "", f"{hour}-0")


def failed(hour, reason=Reason.DENIED, *, subject=USERS):
    return SlotOutcome(Slot(subject, at(hour)), Outcome.FAILED, None, reason, f"{reason} at {hour}", f"{hour}-0")


def missed(hour, cause="the daemon was down", *, subject=USERS):
    return SlotOutcome(Slot(subject, at(hour)), Outcome.MISSED, None, None, cause, "")


def excluded(hour, *, subject=USERS):
    return SlotOutcome(Slot(subject, at(hour)), Outcome.EXCLUDED, None, None, "left out", "")


def seen(hour, run="9-9", *, subject=USERS):
    return subject, at(hour), run


def edges(found):
    """The hours at which gaps begin and end."""
    return [
        ((gap.period.start - START) / timedelta(hours=1), (gap.period.end - START) / timedelta(hours=1))
        for gap in found
    ]


def test_nothing_due_is_no_gap():
    assert gaps([], [], DAY) == []


def test_time_before_the_first_slot_and_after_the_last_good_one_is_no_gap():
    assert gaps([good(5), good(6)], [seen(5.01), seen(6.01)], DAY) == []


def test_a_gap_lasts_from_the_slot_that_was_not_collected_to_the_next_that_was():
    (gap,) = gaps([good(1), failed(2), failed(3), good(4)], [], DAY)
    assert gap == Gap(USERS, period(2, 4), Outcome.FAILED, Reason.DENIED, "denied at 2", 2, ("2-0", "3-0"), "4-0")


def test_a_gap_shorter_than_a_cadence_is_a_gap():
    found = gaps([good(1), missed(2), good(3)], [seen(2.25, "8-1")], DAY)
    assert edges(found) == [(2, 2.25)]
    assert found[0].ended_by == "8-1"


def test_a_catch_up_ends_a_gap_and_the_next_slot_not_collected_begins_another():
    found = gaps([missed(1), missed(2), missed(3), missed(9), good(12)], [seen(3.5)], DAY)
    assert edges(found) == [(1, 3.5), (9, 12)]
    assert [gap.slots for gap in found] == [3, 1]


def test_a_run_that_ended_just_when_a_slot_was_due_does_not_stand_for_it():
    assert edges(gaps([missed(2), good(3)], [seen(2)], DAY)) == [(2, 3)]


def test_a_good_run_before_the_gap_does_not_end_it():
    assert edges(gaps([missed(2), good(3)], [seen(1), seen(1.99)], DAY)) == [(2, 3)]


def test_a_gap_still_open_lasts_to_the_end_of_the_period_and_nothing_ended_it():
    (gap,) = gaps([good(1), failed(20)], [], DAY)
    assert gap.period == period(20, 24)
    assert gap.ended_by == ""


def test_an_open_gap_does_not_reach_into_the_future():
    assert edges(gaps([failed(2)], [], DAY, now=at(5))) == [(2, 5)]
    assert edges(gaps([failed(2)], [], DAY, now=at(50))) == [(2, 24)]


def test_a_gap_that_began_before_the_period_is_clipped_to_it():
    (gap,) = gaps([failed(-3), failed(-2), good(4)], [], DAY)
    assert gap.period == period(0, 4)
    assert gap.slots == 0
    assert gap.runs == ("-3-0", "-2-0")


def test_a_gap_that_ended_before_the_period_is_not_in_it():
    assert gaps([failed(-3), good(0)], [], DAY) == []
    assert gaps([failed(-3), good(2)], [seen(-1)], DAY) == []


def test_slots_after_the_period_do_not_concern_it():
    assert gaps([failed(24), missed(30)], [], DAY) == []


def test_an_excluded_slot_ends_a_gap_and_is_not_in_one():
    found = gaps([missed(1), excluded(2), excluded(3), missed(4)], [], DAY)
    assert edges(found) == [(1, 2), (4, 24)]
    assert found[0].ended_by == ""


def test_gaps_of_different_subjects_are_apart():
    found = gaps([missed(1), good(3, subject=KEYS), missed(2, subject=KEYS), good(9)], [seen(1.5, subject=KEYS)], DAY)
    assert [(gap.subject, *each) for gap, each in zip(found, edges(found), strict=True)] == [
        (USERS, 1, 9),
        (KEYS, 2, 3),
    ]


def test_a_gap_carries_the_worst_reason_seen_in_it_and_the_cause_of_that_slot():
    (gap,) = gaps([failed(1, Reason.THROTTLED), failed(2, Reason.DENIED), failed(3, Reason.UNAVAILABLE)], [], DAY)
    assert (gap.outcome, gap.reason, gap.cause) == (Outcome.FAILED, Reason.DENIED, "denied at 2")


def test_that_nobody_looked_is_worse_than_any_failure():
    (gap,) = gaps([failed(1, Reason.INTERNAL), missed(2, "no record"), missed(3)], [], DAY)
    assert (gap.outcome, gap.reason, gap.cause) == (Outcome.MISSED, Reason.INTERNAL, "no record")


def test_every_reason_has_its_rank():
    assert sorted(WORST_FIRST) == sorted(Reason)


SLOTS = st.builds(
    lambda make, hour, subject: make(hour, subject=subject),
    st.sampled_from([good, good, failed, missed, excluded]),
    st.integers(-6, 30),
    st.sampled_from([USERS, KEYS]),
)
OUTCOMES = st.lists(SLOTS, max_size=24, unique_by=lambda each: each.slot)
OBSERVED = st.lists(
    st.builds(
        lambda half, subject: seen(half / 2, subject=subject), st.integers(-14, 62), st.sampled_from([USERS, KEYS])
    ),
    max_size=6,
)


def in_a_gap(instant, subject, found, observed):
    """The definition: some slot was due by then and not collected, and nothing has ended its gap since."""
    mine = [each for each in found if each.slot.subject == subject and each.slot.due <= instant]
    wanting = [each.slot.due for each in mine if each.outcome in (Outcome.FAILED, Outcome.MISSED)]
    ends = [each.slot.due for each in mine if each.outcome in (Outcome.COLLECTED, Outcome.EXCLUDED)]
    ends += [when for who, when, _ in observed if who == subject and when <= instant]
    return any(not any(due < end for end in ends) for due in wanting)


@settings(max_examples=300)
@given(OUTCOMES, OBSERVED, st.integers(-2, 3), st.integers(20, 32), st.randoms())
def test_gaps_hold_exactly_the_instants_at_which_evidence_was_due_and_lacking(outcomes, observed, start, end, random):
    asked = period(start, end)
    found = gaps(outcomes, observed, asked)
    for half in range(2 * start, 2 * end):
        for subject in (USERS, KEYS):
            instant = at(half / 2)
            holding = [g for g in found if g.subject == subject and g.period.start <= instant < g.period.end]
            assert len(holding) == in_a_gap(instant, subject, outcomes, observed)
    assert found == gaps(random.sample(outcomes, len(outcomes)), random.sample(observed, len(observed)), asked)


@given(OUTCOMES, OBSERVED)
def test_gaps_hold_exactly_the_slots_of_the_period_that_were_not_collected(outcomes, observed):
    found = gaps(outcomes, observed, DAY)
    for each in outcomes:
        due, subject = each.slot.due, each.slot.subject
        holding = [g for g in found if g.subject == subject and g.period.start <= due < g.period.end]
        wanting = each.outcome in (Outcome.FAILED, Outcome.MISSED) and DAY.start <= due < DAY.end
        assert len(holding) == wanting
    sums = tally(singly([each for each in outcomes if DAY.start <= each.slot.due < DAY.end]), found)
    assert sum(gap.slots for gap in found) == sums.failed + sums.missed


@given(OUTCOMES, OBSERVED)
def test_gaps_come_in_order_inside_the_period_and_do_not_overlap(outcomes, observed):
    found = gaps(outcomes, observed, DAY)
    assert found == sorted(found, key=lambda gap: (gap.subject, gap.period))
    for gap in found:
        assert DAY.start <= gap.period.start < gap.period.end <= DAY.end
    for one, other in pairwise(found):
        assert one.subject != other.subject or one.period.end <= other.period.start


def test_a_tally_counts_slots_and_gaps():
    outcomes = [
        good(1),
        good(2, detail=Detail.CHANGED),
        good(3, detail=Detail.EMPTY),
        failed(4),
        missed(5),
        excluded(7),
    ]
    assert tally(singly(outcomes), gaps(outcomes, [], DAY)) == Tally(
        due=6,
        collected=3,
        changed=1,
        unchanged=1,
        empty=1,
        failed=1,
        missed=1,
        excluded=1,
        longest_gap=timedelta(hours=3),
        gaps=1,
    )


def test_the_tally_of_nothing_is_all_zeros():
    assert tally([]) == Tally()


@given(OUTCOMES)
def test_a_tally_adds_up(outcomes):
    sums = tally(singly(outcomes), gaps(outcomes, [], DAY))
    assert sums.due == len(outcomes) == sums.collected + sums.failed + sums.missed + sums.excluded
    assert sums.collected == sums.changed + sums.unchanged + sums.empty
    assert (sums.gaps == 0) == (sums.longest_gap == timedelta(0))


@pytest.mark.parametrize("groups", [by_source, by_kind, by_scope])
@given(outcomes=OUTCOMES)
def test_groups_that_do_not_overlap_add_up_to_the_whole(groups, outcomes):
    found = gaps(outcomes, [], DAY)
    parts = tally_by(groups, singly(outcomes), found).values()
    whole = tally(singly(outcomes), found)
    for name in ("due", "collected", "failed", "missed", "excluded", "gaps"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)
    assert max((part.longest_gap for part in parts), default=timedelta(0)) == whole.longest_gap


def test_a_kind_counts_for_every_criterion_it_shows_and_unknown_kinds_for_none():
    outcomes = [good(1), failed(1, subject=KEYS), missed(1, subject=REPOS)]
    found = tally_by(
        by_criterion({USERS.kind: ("CC6.1", "CC6.2"), KEYS.kind: ["CC6.1"]}), singly(outcomes), gaps(outcomes, [], DAY)
    )
    assert {name: (each.due, each.failed, each.gaps) for name, each in found.items()} == {
        "CC6.1": (2, 1, 1),
        "CC6.2": (1, 0, 0),
    }


def test_a_control_counts_slots_only_while_it_is_in_force():
    control = Control(id="AC-01", title="Who may enter is known", criteria=("CC6.1",), kinds=("aws.iam.*",))
    dated = control.model_copy(update={"valid_from": at(2), "valid_to": at(4)})
    outcomes = [failed(hour) for hour in range(6)]
    found = tally_by(by_control([(at(0), ControlSet((dated,)))]), singly(outcomes))
    assert {name: each.due for name, each in found.items()} == {"AC-01": 2}


def test_a_control_set_rules_until_the_next_one_is_recorded():
    one, other = (
        ControlSet((Control(id=name, title="Who may enter", criteria=("CC6.1",), kinds=("aws.*",)),)) for name in "AB"
    )
    outcomes = [missed(0), good(1), good(2), missed(3)]
    found = tally_by(by_control([(at(3), other), (at(1), one)]), singly(outcomes), gaps(outcomes, [], DAY))
    assert {name: (each.due, each.gaps) for name, each in found.items()} == {"A": (2, 0), "B": (1, 1)}


def test_days_are_those_of_utc():
    found = tally_by(by_day, singly([good(0), good(23), good(24)]))
    assert {name: each.due for name, each in found.items()} == {"2026-01-01": 2, "2026-01-02": 1}

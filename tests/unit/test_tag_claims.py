"""Tags by hand: claims stand until a later claim withdraws them, and the past does not change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.tag import Tag, standing

START = datetime(2026, 1, 1, tzinfo=UTC)
RUN, OTHER = "run:12-3", "sha256:" + "0" * 64


def tag(number, *, target=RUN, withdraws=None, day=None):
    at = START + timedelta(days=number if day is None else day)
    return Tag(number, target, "AC-01", "seen in the review", "alice", at, withdraws)


def on(day):
    return START + timedelta(days=day)


def ids(tags):
    return [each.id for each in tags]


def test_a_claim_stands_from_the_moment_it_was_made():
    assert ids(standing([tag(5)], on(4))) == []
    assert ids(standing([tag(5)], on(5))) == [5]


def test_a_withdrawn_claim_stood_until_it_was_withdrawn():
    tags = [tag(1), tag(7, withdraws=1)]
    assert ids(standing(tags, on(6))) == [1]
    assert ids(standing(tags, on(7))) == []


def test_a_withdrawal_is_no_claim_and_withdraws_only_its_own():
    tags = [tag(1), tag(2), tag(3, withdraws=1)]
    assert ids(standing(tags, on(9))) == [2]


def test_who_was_wrong_to_withdraw_claims_again():
    tags = [tag(1), tag(2, withdraws=1), tag(3, withdraws=2), tag(4)]
    assert ids(standing(tags, on(9))) == [4]


def test_only_claims_on_the_target_asked_for_are_given():
    tags = [tag(1), tag(2, target=OTHER)]
    assert ids(standing(tags, on(9), OTHER)) == [2]
    assert ids(standing(tags, on(9))) == [1, 2]


@st.composite
def histories(draw):
    """Tags as the store numbers them: a withdrawal names an earlier one."""
    tags = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        earlier = draw(st.none() | st.integers(1, number - 1)) if number > 1 else None
        tags.append(tag(number, withdraws=earlier))
    return tags


@given(histories(), st.integers(0, 13), st.randoms())
def test_what_stood_at_an_instant_does_not_depend_on_later_claims_or_on_order(tags, day, random):
    known_then = [each for each in tags if each.at <= on(day)]
    shuffled = random.sample(tags, len(tags))
    assert standing(shuffled, on(day)) == standing(known_then, on(day))


@given(histories(), st.integers(1, 13))
def test_a_claim_once_withdrawn_never_stands_again(tags, day):
    before, after = ids(standing(tags, on(day - 1))), ids(standing(tags, on(day)))
    made_today = {each.id for each in tags if each.at == on(day)}
    assert set(after) <= set(before) | made_today

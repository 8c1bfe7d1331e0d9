"""What existed at any time in a period, against counting it out by hand, observation by observation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import Invalid
from collector.model import Period
from collector.presence import Form, Sightings, event_time, presence

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

# What each observation saw of one item: a form (a letter), or None for not there.
OBSERVATIONS = st.lists(st.sampled_from([None, None, b"a", b"b", b"c"]), min_size=1, max_size=14)
EDGES = st.tuples(st.integers(-2, 15), st.integers(1, 9), st.booleans())


def at(number):
    return START + number * HOUR


def forms_of(seen):
    """Return the forms that the store makes of observations an hour apart."""
    found = []
    for number, form in enumerate(seen):
        before = seen[number - 1] if number else None
        if form != before:
            if before is not None:
                found[-1] = Form(found[-1].start, at(number), found[-1].artifact)
            if form is not None:
                found.append(Form(at(number), None, form))
    return found


def times_of(seen, period):
    """Return when it was observed well: from the last time before the period to its end."""
    inside = [number for number in range(len(seen)) if period.start <= at(number) < period.end]
    before = [number for number in range(len(seen)) if at(number) < period.start][-1:]
    return Sightings(at(0), [at(number) for number in before + inside])


@given(seen=OBSERVATIONS, edges=EDGES)
def test_a_population_over_a_period_is_what_counting_by_hand_gives(seen, edges):
    first, length, between = edges
    start = at(first) + (HOUR / 2 if between else timedelta(0))
    period = Period(start, start + length * HOUR)
    found = presence(forms_of(seen), period, times_of(seen, period))

    inside = [number for number in range(len(seen)) if period.start <= at(number) < period.end]
    at_start = next((seen[number] for number in reversed(range(len(seen))) if at(number) < period.start), None)
    steps = [(number, seen[number - 1] if number else None, seen[number]) for number in inside]
    # What is gone by an observation at the very start of the period was not there in it.
    at_the_edge = bool(inside) and at(inside[0]) == period.start
    held = [] if at_start is None or (at_the_edge and steps[0][2] != at_start) else [at_start]
    for number, before, now in steps:
        if now is not None and (now != before or (at(number) == period.start and not held)):
            held.append(now)
    if not held:
        assert found is None
        return
    assert found.artifacts == tuple(held)
    assert found.first_seen == at(next(number for number, form in enumerate(seen) if form is not None))
    assert found.joined == tuple(at(n) for n, before, now in steps if before is None and now is not None and n > 0)
    assert found.left == tuple(at(n) for n, before, now in steps if before is not None and now is None)
    assert found.changes == sum(None is not before != now is not None for _, before, now in steps)
    saw = [number for number in range(len(seen)) if seen[number] is not None and at(number) < period.end]
    assert found.last_seen == at(saw[-1])


def test_what_was_there_at_the_first_observation_did_not_join_then():
    period = Period(START - HOUR, START + 9 * HOUR)
    found = presence(forms_of([b"a", b"a"]), period, times_of([b"a", b"a"], period))
    assert (found.joined, found.first_seen) == ((), START)


def test_who_leaves_and_comes_back_joins_again():
    seen = [b"a", None, b"a"]
    period = Period(START, START + 9 * HOUR)
    found = presence(forms_of(seen), period, times_of(seen, period))
    assert (found.left, found.joined, found.changes) == ((at(1),), (at(2),), 0)


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("2026-01-01T00:00:00Z", 1767225600000),
        ("2026-01-01T01:00:00+01:00", 1767225600000),
        ("2026-01-01", 1767225600000),
        (1767225600, 1767225600000),
        (1767225600000, 1767225600000),
        (1767225600.5, 1767225600500),
    ],
)
def test_the_time_of_an_event_is_read_in_every_form_that_sources_write(value, ms):
    assert event_time(value) == datetime.fromtimestamp(ms / 1000, UTC)


@pytest.mark.parametrize("value", [None, ""])
def test_an_event_may_have_no_time(value):
    assert event_time(value) is None


@pytest.mark.parametrize("value", ["yesterday", True, [1], {}, 1e300])
def test_what_is_no_time_is_refused_and_not_guessed(value):
    with pytest.raises(Invalid, match="no time"):
        event_time(value)

"""Runs page by page, and what answers a request by hand, on each engine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.errors import Unknown
from collector.model import Outcome, Period, SnapshotRequest, Subject, Trigger

MINUTE = timedelta(minutes=1)
# Of each sweep: when it was due, and of which kinds there were runs, each with how long it took and whether it failed.
SWEEPS = st.lists(
    st.tuples(
        st.integers(0, 90),
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans()), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=8,
)


def walked(store, limit, **asked):
    """The ids on all pages of *limit*, each going on after the last of the one before."""
    found, before = [], None
    while page := store.runs(limit=limit, before=before, **asked):
        assert len(page) <= limit
        found += [each.id for each in page]
        before = found[-1]
    return found


def test_pages_of_runs_together_are_the_whole_list_in_its_order(store, hand, noon):
    @given(SWEEPS, st.integers(1, 5), st.integers(0, 90), st.sampled_from([None, *"abc"]))
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def check(sweeps, limit, start, kind):
        source = f"paper:{len(store.runs(limit=100_000))}-{limit}-{start}"
        for due, runs in sweeps:
            at = noon + due * MINUTE
            seen = {}
            for name, took, failed in runs:
                own = hand.of(Subject(source, name, "site"))
                more = {"started": at, "finished": at + took * MINUTE}
                seen[name] = own.failed(at, **more) if failed else own.saw({}, at, **more)
            hand.write(*seen.values(), source=source, due=at)
        for period in (None, Period(noon + start * MINUTE, noon + 80 * MINUTE)):
            asked = {"source": source, "kind": kind, "period": period}
            assert walked(store, limit, **asked) == [each.id for each in store.runs(limit=1_000, **asked)]

    check()


def test_a_request_by_hand_is_followed_until_its_last_sweep(store, hand, noon):
    number = store.request_snapshot(SnapshotRequest("paper:hq", ("paper.users",), "a leaver", "Ana", noon))
    assert store.snapshot_request(number).reason == "a leaver"
    assert store.answers_to(number) == []
    for part in range(2):
        seen = hand.saw({"ana": {"v": part}}, noon + part * MINUTE, trigger=Trigger.ADHOC)
        hand.write(seen, trigger=Trigger.ADHOC, due=noon, part=part, last=part == 1, request=number)
    answers = store.answers_to(number)
    assert [each.last for each in answers] == [False, True]
    assert [run.outcome for each in answers for run in each.runs] == [Outcome.COLLECTED] * 2


@pytest.mark.parametrize("number", [0, 99, 2**53])
def test_a_request_that_nobody_made_is_not_there(store, number):
    with pytest.raises(Unknown):
        store.snapshot_request(number)

"""Outages: gaps of one source that began together for one cause are one, and none is lost or told twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.coverage import Gap
from collector.grouping import outages
from collector.model import Outcome, Period, Reason, Subject

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def gap(begin=0, length=1, *, source="aws:prod", scope="global", cause="refused", **more):
    start = START + begin * HOUR
    values = {"outcome": Outcome.FAILED, "reason": Reason.DENIED, "slots": length, "runs": ("1-0",)}
    return Gap(
        Subject(source, "aws.iam.users", scope), Period(start, start + length * HOUR), cause=cause, **{**values, **more}
    )


GAPS = st.lists(
    st.builds(
        gap,
        begin=st.integers(0, 3),
        length=st.integers(1, 3),
        source=st.sampled_from(["aws:prod", "okta:acme"]),
        scope=st.sampled_from(["global", "eu"]),
        cause=st.sampled_from(["refused", "down"]),
    ),
    max_size=12,
)


@given(GAPS)
def test_every_gap_is_in_one_outage(gaps):
    found = [each for outage in outages(gaps) for each in outage.gaps]
    assert sorted(found, key=repr) == sorted(gaps, key=repr)


@given(GAPS)
def test_two_outages_differ_in_beginning_source_or_cause(gaps):
    alike = [(each.period.start, each.first.subject.source, each.first.cause) for each in outages(gaps)]
    assert len(set(alike)) == len(alike)


@given(GAPS)
def test_outages_are_told_in_the_order_in_which_they_began(gaps):
    began = [each.period.start for each in outages(gaps)]
    assert began == sorted(began)


def test_an_outage_lasts_until_the_last_of_its_gaps_ends_and_counts_the_slots_of_all():
    (found,) = outages([gap(length=1), gap(length=3, scope="eu")])
    assert (found.length, found.slots, found.runs) == (3 * HOUR, 4, ("1-0", "1-0"))
    assert found.kinds == {"aws.iam.users": ("global", "eu")}


def test_an_outage_of_which_some_gaps_are_open_was_ended_by_fewer_runs_than_it_has_gaps():
    (found,) = outages([gap(ended_by="2-0"), gap(scope="eu")])
    assert found.ended_by == ("2-0",)

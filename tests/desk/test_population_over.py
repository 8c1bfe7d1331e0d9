"""Populations over a period from the store, against what a hand wrote down while it observed; events by their time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.ask.populations import freeze, over_period
from collector.canonical import canonical, digest
from collector.engagement import Dated, Engagement, Examination, Terms
from collector.errors import Invalid, QueryError
from collector.frozen import rows, stamp
from collector.model import Period, Subject
from collector.store import open_store
from tests.fakes.clock import PlayedClock
from tests.fakes.paper import DOORS
from tests.store.conftest import NOON, Hand

HOUR = timedelta(hours=1)
LONG = NOON + 100 * HOUR
WORLDS = st.lists(
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 2).map(lambda v: {"v": v}), max_size=5),
    min_size=1,
    max_size=7,
)


def over(store, kind, period, now=LONG, **terms):
    engagement = Engagement(1, "x", (Dated(NOON, "Eva", Terms(Examination.TYPE_II, period, **terms)),))
    return over_period(store, kind, engagement, now=now, grace=HOUR)


@given(worlds=WORLDS, first=st.integers(-1, 7), length=st.integers(1, 4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_population_is_what_was_observed_at_any_time_in_the_period(worlds, first, length, new_file):
    store = open_store(new_file(), clock=PlayedClock())
    hand = Hand(store)
    for number, world in enumerate(worlds):
        hand.see(world, NOON + number * HOUR)
    # Between the hours, so that no observation is at an edge.
    start = first - 0.5
    period = Period(NOON + start * HOUR, NOON + (start + length) * HOUR)
    inside = [number for number in range(len(worlds)) if start < number < start + length]
    before = [number for number in range(len(worlds)) if number < start][-1:]
    found = {row.key: row for row in rows(over(store, "paper.users", period).rows)}
    store.close()

    seen = {key: [number for number in before + inside if key in worlds[number]] for key in "abcde"}
    assert set(found) == {key for key, numbers in seen.items() if numbers}
    for key, row in found.items():
        ever = next(number for number, world in enumerate(worlds) if key in world)
        assert (row.first_seen, row.last_seen) == (stamp(NOON + ever * HOUR), stamp(NOON + seen[key][-1] * HOUR))
        steps = [
            (worlds[number - 1].get(key) if number else None, worlds[number].get(key), number) for number in inside
        ]
        assert row.joined == tuple(stamp(NOON + n * HOUR) for was, now, n in steps if was is None and now and n)
        assert row.left == tuple(stamp(NOON + n * HOUR) for was, now, n in steps if was and now is None)
        assert row.changes == sum(bool(was and now and was != now) for was, now, _ in steps)


@pytest.fixture
def doors(store):
    """A hand that reads an event kind whose procedure is on record."""
    procedure = DOORS.document()
    data = canonical(procedure)
    hand = Hand(store, Subject("paper:hq", "paper.doors", "site"))
    store.stage([hand.content(procedure)])

    def read(events, since, until):
        seen = hand.happened(events, since, until)
        provenance = replace(seen.run.provenance, procedure="sha256:" + digest(data).hex())
        hand.write(replace(seen, run=replace(seen.run, provenance=provenance)))

    return read


def test_events_belong_to_the_period_in_which_they_happened_however_late_they_were_read(store, doors):
    doors({"early": {"at": "2026-03-14T11:59:59Z"}, "in": {"at": "2026-03-14T12:30:00Z"}}, NOON - HOUR, NOON + HOUR)
    doors({"late": {"at": "2026-03-14T12:45:00Z"}, "after": {"at": "2026-03-14T13:00:00Z"}}, NOON, NOON + 9 * HOUR)
    found = over(store, "paper.doors", Period(NOON, NOON + HOUR))
    assert {row.key: row.at for row in rows(found.rows)} == {
        "in": "2026-03-14T12:30:00.000Z",
        "late": "2026-03-14T12:45:00.000Z",
    }
    assert (found.statement["event_time"], found.statement["undated"]) == ("at", 0)
    assert found.statement["subjects"][0]["read_until"] == stamp(NOON + 9 * HOUR)


def test_an_event_whose_time_is_no_time_is_an_error_and_not_left_out(store, doors):
    doors({"odd": {"at": "yesterday"}}, NOON - HOUR, NOON + HOUR)
    with pytest.raises(Invalid, match="yesterday"):
        over(store, "paper.doors", Period(NOON, NOON + HOUR))


def test_one_key_in_two_scopes_is_two_items(store):
    for scope in ("north", "south"):
        Hand(store, Subject("paper:hq", "paper.users", scope)).see({"ana": {"v": 1}}, NOON)
    found = list(rows(over(store, "paper.users", Period(NOON, NOON + HOUR)).rows))
    assert [(row.scope, row.key) for row in found] == [("north", "ana"), ("south", "ana")]
    assert len({row.id for row in found}) == 2


def test_a_scope_that_was_not_observed_is_unknown_and_not_empty(store):
    Hand(store, Subject("paper:hq", "paper.users", "north")).see({"ana": {}}, NOON)
    south = Hand(store, Subject("paper:hq", "paper.users", "south"))
    south.write(south.failed(NOON))
    said = over(store, "paper.users", Period(NOON, NOON + HOUR)).statement["subjects"]
    assert [(each["scope"], each["observed"]) for each in said] == [("north", True), ("south", False)]


def test_a_period_that_has_not_begun_has_no_population(store):
    Hand(store).see({"ana": {}}, NOON)
    with pytest.raises(QueryError, match="not begun"):
        over(store, "paper.users", Period(LONG, LONG + HOUR), now=NOON)


def test_the_rows_do_not_depend_on_the_engine_or_on_how_often_it_was_read(store, tmp_path):
    other = open_store(f"sqlite:///{tmp_path}/other.db", clock=PlayedClock())
    for each in (store, other):
        Hand(each).see({"a": {"v": 1}, "b": {}, "ü\0": {}}, NOON)
    Hand(store).see({"a": {"v": 1}, "b": {}, "ü\0": {}}, NOON + HOUR / 2)
    one, two = (over(each, "paper.users", Period(NOON, NOON + HOUR)) for each in (store, other))
    said = [[{**json.loads(line), "last_seen": ""} for line in each.rows.splitlines()] for each in (one, two)]
    assert said[0] == said[1]
    other.close()


def test_a_frozen_population_needs_an_engagement_on_record(store):
    Hand(store).see({"ana": {}}, NOON)
    found = over(store, "paper.users", Period(NOON, NOON + HOUR))
    with pytest.raises(QueryError, match="no engagement 1"):
        freeze(store, found, Engagement(1, "x", ()), actor="Eva")

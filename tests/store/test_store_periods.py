"""Sweeps, runs and missed slots of a period; what is accounted for; late runs, which no due time leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from collector.model import Missed, Outcome, Period, Reason, SnapshotRequest, Subject, Trigger

HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)


def ids(sweeps):
    return [sweep.id for sweep in sweeps]


def test_a_period_is_half_open(store, hand, noon):
    for hours in range(4):
        hand.see({}, noon + hours * HOUR)
    assert ids(store.sweeps(Period(noon + HOUR, noon + 3 * HOUR))) == [2, 3]


def test_a_catch_up_is_found_by_its_slot_and_by_when_it_was_read(store, hand, noon):
    """The slot may lie in one month and the reading in the next: the coverage of each needs it."""
    hand.write(hand.failed(noon, due=noon - 90 * HOUR, trigger=Trigger.CATCH_UP))
    hand.see({}, noon)
    assert 1 in ids(store.sweeps(Period(noon - 91 * HOUR, noon - 89 * HOUR)))
    assert 1 in ids(store.sweeps(Period(noon - MS, noon + HOUR)))
    assert ids(store.sweeps(Period(noon - 200 * HOUR, noon - 100 * HOUR))) == []


def test_a_sweep_tells_of_each_run_when_it_was_due_and_why_it_was_made(store, hand, noon):
    rooms = hand.of(Subject("paper:hq", "paper.rooms", "north"))
    late = rooms.failed(noon + HOUR, Reason.THROTTLED, due=noon, trigger=Trigger.CATCH_UP)
    hand.write(hand.saw({}, noon + HOUR), late)
    (sweep,) = store.sweeps(Period(noon, noon + 2 * HOUR))
    assert [(run.due, run.trigger, run.outcome, run.reason) for run in sweep.runs] == [
        (noon + HOUR, Trigger.SCHEDULE, Outcome.COLLECTED, None),
        (noon, Trigger.CATCH_UP, Outcome.FAILED, Reason.THROTTLED),
    ]
    assert (sweep.due, sweep.trigger) == (noon + HOUR, Trigger.SCHEDULE)


def test_more_sweeps_than_a_page_come_in_order(store, hand, noon):
    for minutes in range(205):
        hand.see({}, noon + minutes * timedelta(minutes=1))
    assert ids(store.sweeps(Period(noon, noon + 24 * HOUR))) == list(range(1, 206))
    assert [run.id for run in store.runs(limit=205)] == [f"{number}-0" for number in range(205, 0, -1)]
    assert [run.id for run in store.runs(kind="paper.doors")] == []


def test_sweeps_are_those_of_the_source_asked_for(store, hand, noon):
    other = hand.of(Subject("paper:annex", "paper.users", "site"))
    hand.see({}, noon)
    other.see({}, noon)
    period = Period(noon, noon + HOUR)
    assert [sweep.source for sweep in store.sweeps(period)] == ["paper:hq", "paper:annex"]
    assert ids(store.sweeps(period, "paper:annex")) == [2]
    assert ids(store.sweeps(period, "paper:nowhere")) == []
    assert [store.last_sweep(name) for name in ("paper:hq", "paper:annex", "paper:nowhere")] == [1, 2, None]


def test_runs_are_filtered_and_newest_first(store, hand, noon):
    rooms = hand.of(Subject("paper:hq", "paper.rooms", "north"))
    for hours in range(3):
        hand.write(hand.saw({}, noon + hours * HOUR), rooms.failed(noon + hours * HOUR))
    assert [run.id for run in store.runs(kind="paper.rooms")] == ["3-1", "2-1", "1-1"]
    assert [run.id for run in store.runs(outcome=Outcome.COLLECTED, limit=2)] == ["3-0", "2-0"]
    assert [run.id for run in store.runs(Period(noon, noon + HOUR), scope="north")] == ["1-1"]
    assert store.runs(source="paper:nowhere") == []


def test_nothing_is_accounted_for_before_the_first_sweep(store, hand):
    assert store.accounted_until("paper:hq") is None


def test_slots_are_accounted_for_by_the_last_part_of_a_sweep(store, hand, noon):
    hand.write(hand.saw({}, noon), part=0, last=False)
    assert store.accounted_until("paper:hq") is None
    hand.write(hand.failed(noon), part=1)
    assert store.accounted_until("paper:hq") == noon
    assert store.accounted_until("paper:annex") is None


@pytest.mark.parametrize("trigger", [Trigger.ADHOC, Trigger.BACKFILL])
def test_a_reading_outside_of_the_schedule_accounts_for_no_slot(store, hand, noon, trigger):
    hand.see({}, noon)
    hand.write(hand.saw({}, noon + HOUR), trigger=trigger)
    assert store.accounted_until("paper:hq") == noon


def test_an_interval_missed_by_the_whole_source_is_accounted_for(store, hand, noon):
    hand.see({}, noon)
    store.append_missed(Missed("paper:hq", Period(noon + MS, noon + 5 * HOUR), "asleep", 1))
    assert store.accounted_until("paper:hq") == noon + 5 * HOUR - MS
    hand.write(hand.saw({}, noon + 6 * HOUR), trigger=Trigger.CATCH_UP)
    assert store.accounted_until("paper:hq") == noon + 6 * HOUR


def test_an_interval_missed_by_some_subjects_accounts_for_no_others(store, hand, noon):
    hand.see({}, noon)
    store.append_missed(Missed("paper:hq", Period(noon + MS, noon + 5 * HOUR), "asleep", 1, (hand.subject,)))
    assert store.accounted_until("paper:hq") == noon


def test_missed_slots_come_back_as_they_were_recorded(store, hand, noon):
    whole = Missed("paper:hq", Period(noon, noon + HOUR), "the daemon was not running", 3)
    some = Missed("paper:hq", Period(noon + HOUR, noon + 2 * HOUR), "overtaken", 3, (hand.subject,))
    other = Missed("paper:annex", Period(noon, noon + HOUR), "asleep", 3)
    for each in (whole, some, other):
        store.append_missed(each)
    assert store.missed(Period(noon, noon + 2 * HOUR), "paper:hq") == [whole, some]
    assert store.missed(Period(noon, noon + 2 * HOUR)) == [whole, other, some]
    assert store.missed(Period(noon + HOUR, noon + HOUR + MS)) == [some]
    assert store.missed(Period(noon + 2 * HOUR, noon + 9 * HOUR)) == []
    assert store.missed(Period(noon, noon + HOUR), "paper:nowhere") == []
    assert store.subjects() == [hand.subject]


def test_good_runs_around_an_instant_skip_failures(store, hand, noon):
    hand.see({}, noon)
    hand.write(hand.failed(noon + HOUR))
    hand.see({}, noon + 2 * HOUR)
    before, after = store.observations(hand.subject, noon + HOUR)
    assert (before.id, after.id) == ("1-0", "3-0")
    assert store.observations(hand.subject, noon - MS)[0] is None
    assert store.observations(hand.subject, noon + 2 * HOUR)[1] is None
    assert store.observations(Subject("paper:hq", "paper.doors", "site"), noon) == (None, None)


def test_a_run_read_long_after_its_slot_is_found_by_when_it_finished(store, hand, noon):
    hand.see({}, noon)
    hand.write(hand.saw({}, noon + 50 * HOUR, due=noon - 20 * HOUR), trigger=Trigger.CATCH_UP)
    hand.see({}, noon + 51 * HOUR)
    before, after = store.observations(hand.subject, noon + 50 * HOUR)
    assert (before.id, after.id) == ("2-0", "3-0")
    assert store.observations(hand.subject, noon + 49 * HOUR)[1].id == "2-0"


def test_a_request_of_a_person_is_found_from_the_run_that_answered_it(store, hand, noon, clock):
    request = SnapshotRequest("paper:hq", ("paper.users",), "the auditor asked", "Ana", clock.at)
    number = store.request_snapshot(request)
    hand.see({}, noon)
    hand.write(hand.saw({}, noon + HOUR), trigger=Trigger.ADHOC, request=number)
    assert store.request_of("1-0") is None
    assert store.request_of("2-0").actor == "Ana"


def test_periods_and_neighbours_are_found_by_index_on_sqlite(store, hand, noon):
    """A year of sweeps is not read to answer for an hour of it."""
    engine = store._database.engine
    if engine.dialect.name != "sqlite":
        return
    hand.see({}, noon)
    plans = []

    def explain(conn, _cursor, statement, parameters, *_more):
        if "FROM sweep" in statement and "EXPLAIN" not in statement:
            plans.extend(row[3] for row in conn.connection.execute("EXPLAIN QUERY PLAN " + statement, parameters))

    event.listen(engine, "before_cursor_execute", explain)
    list(store.sweeps(Period(noon, noon + HOUR)))
    store.observations(hand.subject, noon)
    assert [plan for plan in plans if plan.endswith("(source=?)")] == [], "all sweeps of the source"
    assert [plan for plan in plans if "ix_sweep_late" in plan]
    store.accounted_until("paper:hq")
    assert [plan for plan in plans if plan.startswith("SCAN")] == []

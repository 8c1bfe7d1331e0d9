"""Which slots a tick reads and which it records as passed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.due import due, missed
from collector.model import Slot, Subject, Trigger

T0 = datetime(2026, 3, 14, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRACE = timedelta(minutes=5)
USERS = Subject("aws:prod", "aws.iam.users", "account")
KEYS = Subject("aws:prod", "aws.kms.keys", "eu-west-1")


def _missed(found, now):
    return missed(found, source="aws:prod", since=T0 - HOUR, until=now, plan_version=1, cause=lambda at: "down")


def test_a_slot_within_grace_is_read_as_scheduled():
    found = due([Slot(USERS, T0)], now=T0 + timedelta(minutes=4), grace=GRACE)
    assert [(order.due, order.trigger) for order in found.orders] == [(T0, Trigger.SCHEDULE)]
    assert found.passed == ()


def test_a_slot_beyond_grace_has_passed_and_is_caught_up():
    found = due([Slot(USERS, T0)], now=T0 + HOUR, grace=GRACE)
    assert [(order.due, order.trigger) for order in found.orders] == [(T0, Trigger.CATCH_UP)]
    assert found.passed == (Slot(USERS, T0),)


def test_only_the_latest_slot_of_a_subject_is_read():
    slots = [Slot(USERS, T0 + HOUR * n) for n in range(3)]
    found = due(slots, now=T0 + HOUR * 2, grace=GRACE)
    assert [order.due for order in found.orders] == [T0 + HOUR * 2]
    assert found.passed == tuple(slots[:2])


def test_a_daily_slot_is_not_lost_behind_an_hourly_one_of_the_same_source():
    found = due([Slot(KEYS, T0), Slot(USERS, T0), Slot(USERS, T0 + HOUR)], now=T0 + HOUR, grace=HOUR * 2)
    assert {(order.subject, order.due) for order in found.orders} == {(KEYS, T0), (USERS, T0 + HOUR)}


def test_recorded_and_excluded_slots_are_neither_read_nor_passed():
    found = due(
        [Slot(USERS, T0), Slot(KEYS, T0)],
        now=T0,
        grace=GRACE,
        recorded={Slot(USERS, T0)},
        skipped=lambda subject: subject == KEYS,
    )
    assert found.orders == ()
    assert found.passed == ()


def test_downtime_is_one_interval_and_an_overtaken_slot_is_named():
    now = T0 + HOUR * 3
    slots = [Slot(USERS, T0 + HOUR * n) for n in range(4)] + [Slot(KEYS, T0)]
    records = _missed(due(slots, now=now, grace=GRACE), now)
    assert [(each.period.start, each.period.end, each.subjects) for each in records] == [
        (T0 - HOUR + timedelta(milliseconds=1), T0 + HOUR * 3, None)
    ]
    overtaken = [Slot(USERS, T0), Slot(USERS, T0 + timedelta(minutes=1)), Slot(KEYS, T0)]
    at = T0 + timedelta(minutes=1)
    (record,) = _missed(due(overtaken, now=at, grace=GRACE), at)
    assert (record.period.start, record.subjects) == (T0, (USERS,))


@given(
    st.lists(st.tuples(st.sampled_from([USERS, KEYS]), st.integers(0, 300)), max_size=40),
    st.integers(300, 400),
    st.integers(0, 120),
)
def test_every_pending_slot_is_read_as_scheduled_or_recorded_as_missed(pairs, now_minute, grace_minutes):
    slots = {Slot(subject, T0 + timedelta(minutes=minute)) for subject, minute in pairs}
    now = T0 + timedelta(minutes=now_minute)
    found = due(slots, now=now, grace=timedelta(minutes=grace_minutes))
    read = {Slot(order.subject, order.due) for order in found.orders if order.trigger is Trigger.SCHEDULE}
    covered = {
        slot
        for slot in slots
        for record in _missed(found, now + timedelta(milliseconds=1))
        if record.period.start <= slot.due < record.period.end
        and (record.subjects is None or slot.subject in record.subjects)
    }
    assert read | covered == slots
    assert not read & covered
    assert len({order.subject for order in found.orders}) == len(found.orders)

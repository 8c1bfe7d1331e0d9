"""What the daemon counts while it reads, by the real dispatcher on a clock that the test moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from collector.dispatch import Dispatcher
from collector.errors import Denied
from collector.metrics import Heard

SOURCE = "paper:hq"


@pytest.fixture
def counted(desk):
    """The desk, watched: `value` gives what was counted."""
    registry = CollectorRegistry()
    desk.heard = Heard(registry, desk.clock, "sqlite", ["reading"])
    desk.heard.begin({SOURCE: 0.0})
    desk.value = lambda name, **labels: registry.get_sample_value(f"evidenced_{name}", labels)

    def start():
        desk.dispatcher.stop()
        desk.dispatcher = Dispatcher(desk.configure(), {"paper": desk.paper}, desk.store, desk.clock, desk.heard)
        desk.dispatcher.start()

    desk.again = start
    start()
    return desk


def slots(desk, outcome, reason=""):
    return desk.value("slots_total", source=SOURCE, outcome=outcome, reason=reason)


def test_slots_that_passed_while_the_daemon_was_down_are_counted_as_missed(counted):
    counted.pass_time(timedelta(hours=3), step=timedelta(minutes=5))
    assert slots(counted, "missed") == 0
    collected = slots(counted, "collected")
    counted.clock.move(timedelta(days=3))
    counted.again()
    counted.tick()
    assert slots(counted, "missed") >= 72
    assert slots(counted, "collected") == collected, "a late reading is no slot"


def test_every_scheduled_slot_is_counted_once_by_what_became_of_it(counted):
    counted.paper.world["paper.users"] = Denied("no")
    counted.pass_time(timedelta(hours=3), step=timedelta(minutes=5))
    runs = [run for run in counted.store.runs(limit=10_000) if run.trigger == "schedule"]
    for outcome, reason in (("collected", ""), ("failed", "denied")):
        counts = sum((run.outcome, run.reason or "") == (outcome, reason) for run in runs)
        assert slots(counted, outcome, reason) == counts > 0


def test_a_sweep_in_which_everything_failed_is_no_good_one(counted):
    counted.pass_time(timedelta(hours=3), step=timedelta(minutes=5))
    good = counted.value("last_good_sweep_timestamp_seconds", source=SOURCE)
    assert good == max(run.finished for run in counted.store.runs(limit=10)).timestamp()
    counted.paper.world = dict.fromkeys(counted.paper.world, Denied("no"))
    counted.pass_time(timedelta(hours=3), step=timedelta(minutes=5))
    assert counted.value("last_good_sweep_timestamp_seconds", source=SOURCE) == good


def test_a_source_that_left_the_configuration_is_no_longer_dated(counted):
    counted.pass_time(timedelta(hours=3), step=timedelta(minutes=5))
    counted.heard.begin({"paper:branch": 0.0})
    assert counted.value("last_good_sweep_timestamp_seconds", source=SOURCE) is None
    assert counted.value("last_good_sweep_timestamp_seconds", source="paper:branch") == 0


def test_a_loop_that_hangs_ages(counted):
    counted.clock.move(timedelta(minutes=10))
    assert counted.value("loop_age_seconds", loop="reading") >= 600
    counted.heard.went_round("reading")
    assert counted.value("loop_age_seconds", loop="reading") == 0

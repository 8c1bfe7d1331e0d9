"""What the daemon counts while it reads, by the real dispatcher on a clock that the test moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from collector.config import load_settings
from collector.daemon import LOOPS
from collector.dispatch import Dispatcher
from collector.errors import Denied
from collector.metrics import Heard, Metrics
from collector.store import open_store
from collector.verifying import Verifying
from tests.fakes.clock import PlayedClock

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


@pytest.fixture
def scraped(desk):
    """What a scrape says by name, of the desk's store."""
    config = desk.configure()
    metrics = Metrics(config, desk.store, desk.clock, Verifying(config, desk.store, desk.clock), LOOPS)

    return lambda: values(metrics)


def values(metrics):
    return {each.name: each.value for family in metrics.families() for each in family.samples}


def test_the_store_is_asked_again_after_15_seconds_and_not_before_however_often_somebody_scrapes(desk, scraped):
    size = scraped()["evidenced_log_size_leaves"]
    desk.store.append_tag("run:1-0", "C-1", "note", "Ana")
    desk.clock.move(timedelta(seconds=14))
    assert [scraped()["evidenced_log_size_leaves"] for _ in range(3)] == [size] * 3
    desk.clock.move(timedelta(seconds=1))
    assert scraped()["evidenced_log_size_leaves"] == size + 1


def test_a_store_that_is_away_is_told_and_nothing_is_said_of_what_it_holds(tmp_path, sqlite_url):
    (tmp_path / "evidenced.toml").write_text(f'[store]\nurl = "{sqlite_url}"\n')
    config, clock = load_settings(tmp_path / "evidenced.toml"), PlayedClock()
    store = open_store(sqlite_url, clock=clock)
    metrics = Metrics(config, store, clock, Verifying(config, store, clock), LOOPS)
    store.close()
    (tmp_path / "evidence.db").rename(tmp_path / "away.db")
    assert values(metrics)["evidenced_store_up"] == 0
    assert "evidenced_log_size_leaves" not in values(metrics)
    (tmp_path / "away.db").rename(tmp_path / "evidence.db")
    clock.move(timedelta(seconds=15))
    assert values(metrics)["evidenced_store_up"] == 1
    store.close()

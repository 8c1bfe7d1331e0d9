"""Event kinds: what happened stays known; a window that shows nothing removes nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from collector.canonical import digest, population_root
from collector.model import Detail, Period, Subject

HOUR = timedelta(hours=1)


@pytest.fixture
def log(hand):
    """A hand that reads an event kind."""
    return hand.of(Subject("paper:hq", "paper.entries", "site"))


def test_absence_from_a_window_removes_nothing(store, log, noon):
    log.write(log.happened({"e1": {}, "e2": {}}, noon - HOUR, noon))
    log.write(log.happened({}, noon - HOUR, noon + HOUR))
    assert [each.key for each in store.as_of("paper.entries", noon + 2 * HOUR)] == ["e1", "e2"]
    assert [run.detail for run in store.runs()] == [Detail.EMPTY, Detail.CHANGED]


def test_the_state_of_a_run_covers_the_items_of_its_window(store, log, noon):
    log.write(log.happened({"e1": {}}, noon - HOUR, noon))
    second = log.happened({"e2": {}}, noon - HOUR, noon + HOUR)
    log.write(second)
    root = population_root([(digest(b"e2"), log.content({}).digest)])
    assert store.run("2-0").population == second.run.population == root
    assert store.run("1-0").population == population_root([(digest(b"e1"), log.content({}).digest)])


def test_the_same_event_again_with_other_content_is_a_new_version(store, log, noon):
    log.write(log.happened({"e1": {"state": "open"}}, noon - HOUR, noon))
    log.write(log.happened({"e1": {"state": "closed"}}, noon - HOUR, noon + HOUR))
    versions = store.history("paper.entries", "e1")
    assert [json.loads(store.artifact(each.artifact))["state"] for each in versions] == ["open", "closed"]
    assert [(each.start, each.end) for each in versions] == [(noon, noon + HOUR), (noon + HOUR, None)]


def test_an_event_that_the_overlap_brings_again_is_no_change(store, log, noon):
    log.write(log.happened({"e1": {}}, noon - HOUR, noon))
    log.write(log.happened({"e1": {}, "e2": {}}, noon - HOUR, noon + HOUR))
    (change,) = store.changes(Period(noon + HOUR, noon + 2 * HOUR))
    assert (change.key, change.before) == ("e2", None)


def test_an_event_reported_as_new_although_it_is_known_opens_no_second_version(store, log, noon):
    """A longer overlap than before brings events that the head no longer holds."""
    log.write(log.happened({"e1": {}}, noon - HOUR, noon))
    log.write(log.happened({}, noon + 3 * HOUR, noon + 4 * HOUR))
    log.write(log.happened({}, noon + 4 * HOUR, noon + 5 * HOUR))
    assert store.head(log.subject).contents == {}
    log.write(log.happened({"e1": {}}, noon - HOUR, noon + 6 * HOUR))
    assert len(store.history("paper.entries", "e1")) == 1
    assert store.changes(Period(noon + HOUR, noon + 9 * HOUR)) == []


def test_the_head_holds_the_watermark_and_what_the_overlap_can_bring_again(store, log, noon):
    for hours in range(6):
        until = noon + hours * HOUR
        log.write(log.happened({f"e{hours}": {}}, until - 2 * HOUR, until))
    head = store.head(log.subject)
    assert head.watermark == noon + 5 * HOUR
    assert sorted(head.keys.values()) == ["e3", "e4", "e5"]


def test_a_failed_read_leaves_the_watermark(store, log, noon):
    log.write(log.happened({"e1": {}}, noon - HOUR, noon))
    log.write(log.failed(noon + HOUR))
    assert store.head(log.subject).watermark == noon
    assert store.run("2-0").watermark_before is None


def test_the_window_and_the_watermarks_are_in_the_sheet(store, log, noon):
    observation = log.happened({"e1": {}}, noon - HOUR, noon)
    log.write(observation)
    run = store.run("1-0")
    assert (run.window, run.watermark_before, run.watermark_after) == (observation.run.window, None, noon)

"""Retention as a user meets it: nothing without a configuration, a look before it is done, and what is shown after."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.clock import SystemClock
from tests.fakes.retained import BOXES
from tests.store.conftest import Hand

DAY = timedelta(days=1)


@pytest.fixture
def attic(site):
    """A site with a box whose first form ended 499 days ago."""
    store = site.store(SystemClock())
    hand, now = Hand(store, BOXES), SystemClock().now()
    for number in range(2):
        hand.see({"a": {"box": number}}, now - (500 - number) * DAY)
    store.close()
    site.configure(more='[retention]\n"paper.*" = "400d"\n')
    return site


def test_without_a_retention_everything_is_kept(attic):
    attic.configure()
    answer = attic.evidenced("retain", "--yes", "--as", "Ops")
    assert (answer.code, "everything is kept for ever" in answer.err) == (0, True)
    assert not any(each["withheld"] for each in attic.evidenced("history", "paper.boxes", "a", "--json").json["forms"])


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_dry_run_shows_what_would_go_and_changes_nothing(attic, options):
    shown = attic.evidenced("retain", *options)
    assert (shown.code, "Nothing was erased: 1 content would go" in shown.err) == (0, True)
    assert shown.out.splitlines()[1].split()[:3] == ["paper.boxes", "400d", "1"]
    assert "tombstone" not in attic.evidenced("verify").out


def test_what_went_is_shown_as_erased_and_the_store_is_intact(attic):
    done = attic.evidenced("retain", "--yes", "--as", "Ops", "--json")
    [retired] = done.json["tombstones"]
    assert (done.code, retired["tombstone"]["count"], retired["tombstone"]["actor"]) == (0, 1, "Ops")
    forms = attic.evidenced("history", "paper.boxes", "a", "--json").json["forms"]
    assert "by tombstone 1: retention 400d" in forms[0]["withheld"]
    assert not forms[1]["withheld"]
    verified = attic.evidenced("verify")
    assert (verified.code, "erased, each by a tombstone: 1 contents" in verified.out) == (0, True)
    again = attic.evidenced("retain", "--yes", "--json")
    assert (again.code, again.json["tombstones"]) == (0, [])


def test_what_an_open_engagement_needs_is_named_with_it_and_stays(attic):
    start, end = ((SystemClock().now() - days * DAY).date().isoformat() for days in (600, 300))
    created = attic.evidenced("engagement", "create", "soc2-last", "--from", start, "--to", end)
    assert created.code == 0, created.err
    [outlook] = attic.evidenced("retain", "--yes", "--json").json["kinds"]
    assert (outlook["contents"], outlook["kept"]) == (0, {"soc2-last": 1})
    assert attic.evidenced("engagement", "close", "soc2-last").code == 0
    assert attic.evidenced("retain", "--yes", "--json").json["kinds"][0]["contents"] == 1


def test_to_show_and_to_do_at_once_is_a_usage_error(attic):
    assert attic.evidenced("retain", "--yes", "--dry-run").code == 2


def test_a_length_that_is_too_short_is_a_configuration_error(attic):
    attic.configure(more='[retention]\n"paper.*" = "7d"\n')
    answer = attic.evidenced("retain")
    assert (answer.code, "is not between 30d and 36500d" in answer.err) == (3, True)

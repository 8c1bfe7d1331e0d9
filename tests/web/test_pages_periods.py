"""Engagements of every sort: over, running, not begun, at an instant, of nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from collector.access import Role
from collector.ask import engagements
from collector.clock import SystemClock
from collector.engagement import Examination, Terms
from collector.model import Period
from collector.tag import load_controls
from tests.web.reading import Page
from tests.web.world import HQ

NOW = SystemClock().now()
MARCH = datetime(2025, 3, 5, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = {
    "running": Terms(Examination.TYPE_II, Period(NOW - 100 * DAY, NOW + 100 * DAY), sources=(HQ,)),
    "ahead": Terms(Examination.TYPE_II, Period(NOW + 100 * DAY, NOW + 200 * DAY), sources=(HQ,)),
    "instant": Terms(Examination.TYPE_I, Period(MARCH, MARCH), sources=(HQ,)),
    "instant ahead": Terms(Examination.TYPE_I, Period(NOW + DAY, NOW + DAY), sources=(HQ,)),
    "before": Terms(Examination.TYPE_II, Period(MARCH - 2000 * DAY, MARCH - 1990 * DAY), sources=(HQ,)),
    "year": Terms(Examination.TYPE_II, Period(datetime(2024, 4, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC))),
    "100% of it? #1 & more": Terms(Examination.TYPE_II, Period(MARCH, MARCH + 30 * DAY), criteria=("CC6.1",)),
}
PATHS = ("", "/kinds", "/gaps", "/criteria/CC6.1", "/controls/AC-01", "/kinds/acme.users", "/search?q=a")


@pytest.fixture(scope="module")
def browser(served):
    """The browser of a reader, who sees all of these engagements."""
    for name, terms in TERMS.items():
        engagements.create(served.store, load_controls(served.world.folder / "controls.toml"), name, terms, actor="Ana")
    engagements.close(served.store, "before", actor="Ana")
    return served.browser(Role.READER)


@pytest.fixture
def words(browser):
    """What opens a page of an engagement, and returns what is written on it."""

    def opened(name, path=""):
        listed = Page(browser.get("/").text).links()
        answer = browser.get(listed[name] + path)
        assert answer.status_code == 200, answer.text
        return Page(answer.text).words()

    return opened


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", TERMS)
def test_every_page_is_there_whatever_the_period(words, name, path):
    assert words(name, path)


def test_a_period_that_is_not_over_says_how_it_stands_and_how_much_of_it_is_over(words):
    said = words("running")
    assert "The period is not over: this is how it stands at" in said
    assert "50% of the period" in said


@pytest.mark.parametrize("path", ["", "/kinds", "/gaps", "/criteria/CC6.1"])
def test_a_period_that_has_not_begun_has_no_coverage_rather_than_a_whole_one(words, path):
    said = words("ahead", path)
    assert "The period has not begun." in said
    assert "There is no gap" not in said


def test_an_instant_has_populations_each_with_the_run_that_saw_it(browser, words):
    said = words("instant")
    assert "A Type I examination looks at an instant" in said
    rows = Page(browser.get("/e/instant").text).table("Populations as of 2025-03-05")
    users = next(row for row in rows if row["Kind"] == "acme.users")
    assert users["How long before"] == "2 d 21 h"
    annex = next(row for row in rows if "annex" in row["Where"])
    assert (annex["Items"], annex["Seen by run"]) == (
        "?",
        "Not observed yet at that time: nothing is known, which is not the same as empty",
    )


def test_nothing_is_due_within_an_instant_and_that_is_not_called_missing(words):
    assert "Nothing falls due within an instant." in words("instant", "/criteria/CC6.1")


def test_a_period_before_anything_was_planned_has_nothing_due_and_nothing_collected(words):
    said = words("before")
    assert "That is not the same as all collected." in said
    assert "Every slot that was due was collected" not in said


def test_a_closed_engagement_says_since_when(words):
    assert "Closed" in words("before")


def test_a_year_is_one_strip_of_months(browser):
    found = Page(browser.get("/e/year").text)
    axis = next(svg for svg in found.all("svg") if svg.attrs.get("class") == "axis")
    assert [each.words() for each in axis.all("text")][:4] == ["Apr", "May", "Jun", "Jul"]
    assert len(axis.all("text")) == 12


def test_an_engagement_that_names_criteria_has_those_alone(browser, words):
    path = Page(browser.get("/").text).links()["100% of it? #1 & more"]
    rows = Page(browser.get(path).text).table("Slots due")
    assert [row["Criterion"].split()[0] for row in rows] == ["CC6.1"]
    assert "not among those that the engagement names" in words("100% of it? #1 & more", "/criteria/CC6.4")

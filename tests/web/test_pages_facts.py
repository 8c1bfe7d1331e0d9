"""What each page says is what the store says, in the words of the field."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from collector.access import Role
from collector.ask.coverage import Question, coverage
from collector.ask.engagements import engagement_of
from collector.clock import SystemClock
from tests.web.reading import Page
from tests.web.serving import FOREIGNER
from tests.web.vendors import MARK, REFUSAL
from tests.web.world import ENGAGEMENT, GRACE, OTHER

BEN = "ben.alder@acme.example"
HERE = f"/e/{ENGAGEMENT}"


@pytest.fixture(scope="module")
def browser(served):
    """The browser of the engagement's auditor."""
    return served.browser()


@pytest.fixture
def page(browser):
    """What opens a page of the engagement, which must be there."""

    def opened(path, **query):
        answer = browser.get(HERE + path, params=query)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    return opened


def sums(served, **asked):
    """Return the tally that `coverage` gives for the engagement."""
    terms = engagement_of(served.store, ENGAGEMENT).terms
    question = Question(terms.period, terms=terms, **asked)
    return coverage(served.store, question, now=SystemClock().now(), grace=GRACE).total


def tiles(page):
    """Return the figures of the first row of tiles, by name."""
    found = next(each for each in page.all("dl") if each.attrs.get("class") == "tiles")
    return {div.all("dt")[0].words(): int(re.match(r"[\d,]+", div.all("dd")[0].words())[0].replace(",", ""))
            for div in found.all("div")}  # fmt: skip


# Coming in


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back_again(served):
    answer = served.api("").get(f"{HERE}/gaps?kind=acme.users", allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fe%2Fsoc2-2025%2Fgaps%3Fkind%3Dacme.users"


def test_a_token_signs_in_by_the_form_and_goes_on_to_where_one_wanted_to(served):
    browser = served.api("")
    form = Page(browser.get("/sign-in?next=/e/soc2-2025").text).one("form")
    fields = {each.attrs["name"]: each.attrs.get("value", "") for each in form.all("input")}
    fields["token"] = served.tokens[Role.AUDITOR]
    answer = browser.post(form.attrs["action"], data=fields, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, HERE)
    assert Page(browser.get(HERE).text).one("h1").words() == ENGAGEMENT


def test_a_token_that_is_not_good_brings_the_form_again_with_a_word_on_it(served):
    assert "You were not let in." in Page(served.api("").get("/sign-in?refused=1").text).words()


def test_without_a_provider_the_page_offers_none(served):
    assert "/sign-in/oidc" not in served.api("").get("/sign-in").text


def test_an_auditor_sees_their_engagement_and_no_other(browser):
    words = Page(browser.get("/").text).words()
    assert ENGAGEMENT in words
    assert OTHER not in words


def test_a_reader_sees_every_engagement(served):
    words = Page(served.browser(Role.READER).get("/").text).words()
    assert ENGAGEMENT in words
    assert OTHER in words


def test_an_engagement_of_others_is_answered_as_one_that_is_not_there(served, browser):
    (other, none) = (browser.get(path).text for path in (f"/e/{OTHER}", "/e/none-of-this-name"))
    (other, none) = (Page(each).words() for each in (other, none))
    assert other.replace(OTHER, "NAME") == none.replace("none-of-this-name", "NAME")


# The overview


def test_the_overview_has_the_sums_of_coverage(served, page):
    total = sums(served)
    assert tiles(page("")) == {
        "Due": total.due,
        "Collected": total.collected,
        "Failed": total.failed,
        "Missed": total.missed,
        "Excluded": total.excluded,
        "Gaps": total.gaps,
    }


@pytest.mark.parametrize("by", ["criterion", "control", "kind", "source", "scope"])
def test_each_row_of_the_overview_has_the_sums_of_its_group(served, page, by):
    terms = engagement_of(served.store, ENGAGEMENT).terms
    found = coverage(served.store, Question(terms.period, by=by, terms=terms), now=SystemClock().now(), grace=GRACE)
    shown = [(int(row["Due"]), int(row["Failed"]), int(row["Missed"])) for row in page("", by=by).table("Slots due")]
    assert shown == [(row.tally.due, row.tally.failed, row.tally.missed) for row in found.rows]


def test_the_overview_says_that_the_period_is_over_and_which_criteria_nothing_planned_serves(page):
    words = page("").words()
    assert "The period is over." in words
    assert "No planned kind serves these criteria: CC1.1, CC1.2" in words


def test_the_overview_lists_what_no_api_gives_with_when_it_is_due(page):
    (row,) = page("").table("Uploads that controls ask for")
    assert (row["Control"], row["Due by"], row["State"]) == ("PH-01", "2025-04-01", "1 upload")
    assert {each["State"] for each in page("").table("Uploads for criteria alone")} == {"missing"}


def test_the_overview_says_how_far_the_log_is_signed_and_that_nobody_else_holds_a_checkpoint(served, page):
    words = page("").words()
    assert f"of {served.store.checkpoints.head().size:,} entries" in words
    assert "Nobody else holds a checkpoint." in words


def test_a_heat_map_names_the_days_on_which_reading_was_refused(page):
    titles = [each.words() for each in page("", by="kind").all("title")]
    assert "2025-03-03 to 2025-03-05: 3 due, 0 collected, 3 failed" in titles


def test_a_grouping_that_there_is_not_is_a_question_without_an_answer(browser):
    answer = browser.get(f"{HERE}?by=moon")
    assert answer.status_code == 422
    assert "Coverage is not summed up by 'moon'." in Page(answer.text).words()


# Gaps


def test_a_gap_leads_to_the_runs_that_failed_in_it(served, page):
    rows = page("/gaps", kind="acme.users").table("Gaps")
    refused = next(each for each in rows if REFUSAL in each["Cause"])
    assert refused["What"] == "failed: denied 3 slots"
    (href,) = [to for name, to in page("/gaps", kind="acme.users").links().items() if name == "3 failed runs"]
    start, end = datetime(2025, 3, 3, 3, tzinfo=UTC), datetime(2025, 3, 6, 3, tzinfo=UTC)
    assert re.findall(r"(\w+)=([^&]*)", href) == [
        ("source", "acme%3Ahq"),
        ("kind", "acme.users"),
        ("outcome", "failed"),
        ("from", start.isoformat().replace("+00:00", "Z").replace(":", "%3A")),
        ("to", end.isoformat().replace("+00:00", "Z").replace(":", "%3A")),
    ]


def test_gaps_are_sorted_as_asked(page):
    began = [row["From"] for row in page("/gaps", sort="newest").table("Gaps")]
    assert began == sorted(began, reverse=True)
    assert [row["From"] for row in page("/gaps", sort="oldest").table("Gaps")] == began[::-1]


def test_of_one_day_only_the_gaps_of_that_day_are_shown(page):
    words = page("/gaps", kind="acme.users", **{"from": "2025-02-20", "to": "2025-02-21"}).words()
    assert "There is no gap. All 1 slot that were due" in words


def test_where_nothing_was_due_no_gap_is_not_called_collected(page):
    assert "for nothing was due" in page("/gaps", criterion="CC1.2").words()


# Criteria and controls


def test_a_criterion_says_what_answers_and_serves_it(served, page):
    found = page("/criteria/CC6.1")
    assert [row["Control"] for row in found.table("Controls that name CC6.1")] == ["AC-01"]
    assert [row["Kind"] for row in found.table("Slots due in the period, by kind")] == ["acme.users"]
    assert tiles(found)["Due"] == sums(served, criterion="CC6.1").due


def test_the_calendar_of_a_criterion_is_there_as_a_table_too(page):
    rows = page("/criteria/CC6.1").table("Slots of CC6.1 by month")
    assert [(row["Month"], row["Due"], row["Days with something missing"]) for row in rows] == [
        ("January 2025", "31", "none"),
        ("February 2025", "28", "2025-02-10 to 2025-02-12"),
        ("March 2025", "31", "2025-03-03 to 2025-03-05"),
    ]


def test_a_criterion_that_no_api_shows_says_so(page):
    assert "No API shows it: people upload what does." in page("/criteria/CC1.2").words()


def test_a_control_says_which_kinds_show_it_and_what_people_owe(page):
    found = page("/controls/PH-01")
    assert "acme.rooms" in found.words()
    assert [row["Over"] for row in found.table("Uploads expected")] == ["2025-01-01 to → 2025-04-01"]


@pytest.mark.parametrize(
    "path", ["/criteria/CC99.1", "/controls/NO-01", "/kinds/acme.none", "/kinds/acme.users/item?key=x"]
)
def test_what_is_not_there_has_a_page_that_says_so(browser, path):
    answer = browser.get(HERE + path)
    assert answer.status_code == 404
    assert Page(answer.text).one("h1").words() == "Not there"


# Kinds


def test_a_population_is_as_it_was_and_says_which_run_saw_it(served, page):
    """Users were refused on these days: the last good run before them is what is known."""
    found = page("/kinds/acme.users", at="2025-03-05")
    (where,) = found.table("Where it was looked at")
    run, _ = served.store.observations(*_users(served), datetime(2025, 3, 5, tzinfo=UTC))
    assert where["Seen by run"].startswith(run.id)
    assert "2 d 21 h before" in where["Seen by run"]
    assert where["Items"] == str(run.counts.items)


def _users(served):
    return [each for each in served.store.subjects() if each.kind == "acme.users"]


def test_what_nobody_had_read_is_not_observed_and_not_empty(page):
    rows = page("/kinds/acme.rooms", at="2025-03-01").table("Where it was looked at")
    (annex,) = [row for row in rows if "annex" in row["Source and scope"]]
    assert annex["Items"] == "?"
    assert "which is not the same as empty" in annex["Seen by run"]


def test_a_population_is_shown_page_by_page_and_nothing_twice(browser, page):
    found = page("/kinds/acme.users", at="2025-02-01")
    count = int(found.table("Where it was looked at")[0]["Items"])
    keys = [row["Key"] for row in found.table("Items: 1 to 50")]
    following = Page(browser.get(found.links()["Next page"]).text)
    keys += [row["Key"] for row in following.table("Items: 51 to")]
    assert len(set(keys)) == len(keys) == count
    assert "Next page" not in following.links()


def test_columns_are_those_that_are_asked_for(page):
    found = page("/kinds/acme.users", at="2025-03-20", fields="groups[0]; length(groups)")
    row = next(each for each in found.table("Items") if each["Key"] == BEN)
    assert (row["groups[0]"], row["length(groups)"]) == ("team-1", "2")


@pytest.mark.parametrize(
    ("query", "said"),
    [({"fields": "a["}, "is not a JMESPath expression"),
     ({"fields": "length(second_factor)"}, "cannot be asked of every item"), ({"at": "2999-01-01"}, "has not come yet"),
     ({"at": "noon"}, "Not a date or time"), ({"from": "2025-03-01", "to": "2025-02-01"}, "is not after the start")],
)  # fmt: skip
def test_a_question_that_is_wrong_says_what_is_wrong_with_it(browser, query, said):
    answer = browser.get(f"{HERE}/kinds/acme.users", params=query)
    assert answer.status_code == 422
    assert said in Page(answer.text).words()


def test_what_changed_between_two_instants_is_shown_field_by_field(page):
    found = page("/kinds/acme.users", **{"from": "2025-03-14", "to": "2025-03-15"})
    row = next(each for each in found.table("0 added") if each["Item"] == BEN)
    assert row == {
        "Item": BEN, "What": "± changed", "Field": "role", "Before": "support", "After": "admin",
    }  # fmt: skip


def test_what_was_not_observed_is_not_compared(page):
    rows = page("/kinds/acme.rooms", **{"from": "2025-01-02", "to": "2025-03-01"}).table("Which runs are compared")
    (annex,) = [row for row in rows if "annex" in row["Source and scope"]]
    assert all("not observed yet, so not compared" in said for name, said in annex.items() if name.startswith("At "))


def test_a_kind_has_its_coverage_and_its_runs(served, page):
    found = page("/kinds/acme.rooms")
    assert tiles(found)["Failed"] == sums(served, kind="acme.rooms").failed
    failed = [row for row in found.table("The newest runs") if row["What came of it"] == "failed: not_enabled"]
    assert {row["Items"] for row in failed} == {"unknown"}


def test_events_are_called_events(page):
    assert "Events: what happened, dated by at." in page("/kinds/acme.doors").words()


def test_the_kinds_are_sorted_by_what_is_missing(page):
    missing = [int(row["Failed"]) + int(row["Missed"]) for row in page("/kinds", sort="missing").table("Slots due")]
    assert missing == sorted(missing, reverse=True)


# Items


def test_the_history_of_an_item_has_each_form_and_what_changed(page):
    found = page("/kinds/acme.users/item", key=BEN)
    (change,) = found.table("Fields that changed")
    assert change == {"Field": "role", "Before": "support", "After": "admin"}
    words = found.words()
    assert "2025-03-14 03:00:00Z first seen so by run" in words
    assert "last seen so 2025-03-13 03:00:00Z; changed by 2025-03-14 03:00:00Z" in words


def test_an_item_shows_its_content_and_what_varies_by_itself(page):
    words = page("/kinds/acme.users/item", key=BEN).words()
    assert "groups team-1, everybody" in words
    assert "Fields that vary by themselves, kept once a day seen 2025-04-01" in words


def test_a_secret_of_an_item_is_not_on_its_page(page):
    words = page("/kinds/acme.users/item", key=BEN).words()
    assert "token [redacted:declared]" in words


def test_an_item_that_left_is_gone_and_not_said_to_be_there(page):
    words = page("/kinds/acme.users/item", key="farid.alder@acme.example").words()
    assert "As it was last" in words
    assert re.search(r"gone by 2025-03-\d\d 03:00:00Z", words)


# Search


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("rooms", ("acme.rooms", "/kinds/acme.rooms")),
        ("second factor", ("AC-01", "/controls/AC-01")),
        ("cc6.4", ("CC6.4", "/criteria/CC6.4")),
        ("visitors", ("R-03", "/requests/R-03")),
        ("ben.alder", (BEN, "/kinds/acme.users/item?key=ben.alder%40acme.example&source=acme%3Ahq&scope=site")),
    ],
)  # fmt: skip
def test_search_finds_by_what_people_type(page, asked, found):
    name, href = found
    assert page("/search", q=asked).links()[name] == HERE + href


def test_search_finds_a_run_by_its_number(served, page):
    (run,) = served.store.runs(kind="acme.users", limit=1)
    assert page("/search", q=run.id).links()[run.id] == f"{HERE}/runs/{run.id}"


def test_search_says_when_there_is_nothing(page):
    assert "Nothing in this engagement is called so." in page("/search", q="no such thing").words()


@pytest.mark.parametrize("asked", [MARK, "V-01", "run"])
def test_search_finds_nothing_of_another_engagement(served, page, asked):
    if asked == "run":
        asked = served.store.runs(kind=f"{MARK}.ledgers", limit=1)[0].id
    foreign = served.browser(FOREIGNER).get(f"/e/{OTHER}/search", params={"q": asked})
    assert "Nothing in this engagement" not in Page(foreign.text).words()
    assert "Nothing in this engagement" in page("/search", q=asked).words()

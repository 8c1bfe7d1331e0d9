"""Evidence that means harm: markup, formulas, letters that hide or turn around, and fields without end."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter

import pytest

from collector.model import Subject
from tests.store.conftest import Hand
from tests.web.reading import Page
from tests.web.vendors import HOSTILE
from tests.web.world import ENGAGEMENT

HERE = f"/e/{ENGAGEMENT}"
BIG = Subject("acme:hq", "acme.papers", "site")
NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)
MARKUP = "</td></table><h1>Paid</h1><script>alert(1)</script>"


@pytest.fixture(scope="module")
def browser(served):
    """The auditor's browser; in the store there are documents of ten megabytes, of many fields, and of deep ones."""
    deep: object = MARKUP
    for _ in range(200):
        deep = {MARKUP: deep}
    hand = Hand(served.store, BIG)
    papers = {
        "big": {"text": "\u202e" + "x" * 10_000_000, "title": MARKUP},
        "many": {f"field-{number}": number for number in range(20_000)},
        "deep": {"inside": deep},
        "k" * 5_000: {"title": MARKUP, "": "", "\u200b": "\x00"},
    }
    hand.see(papers, NOON)
    hand.see(papers | {"big": {"text": "y" * 10_000_000, "title": "other"}}, NOON.replace(hour=13))
    return served.browser()


@pytest.fixture
def page(browser):
    """What opens a page, which must be there, soon and not be large."""

    def opened(path, **query):
        began = perf_counter()
        answer = browser.get(HERE + path, params=query)
        assert answer.status_code == 200, answer.text
        assert perf_counter() - began < 5
        assert len(answer.content) < 300_000
        found = Page(answer.text)
        assert found.faults == []
        return found

    return opened


@pytest.mark.parametrize("key", HOSTILE)
def test_an_item_with_a_hostile_key_has_a_page_like_any_other(browser, key):
    answer = browser.get(f"{HERE}/kinds/acme.users/item", params={"key": key})
    assert answer.status_code == 200
    found = Page(answer.text)
    assert found.faults == []
    assert len(found.all("script")) == 1
    assert found.all("img") == []


def test_a_population_with_documents_of_ten_megabytes_is_a_page(page):
    found = page("/kinds/acme.papers", fields="title; text")
    (row,) = [each for each in found.table("Items") if each["Key"] == "big"]
    assert row["title"] == "other"
    assert "of 10,000,000 characters)" in row["text"]


def test_an_item_of_ten_megabytes_is_a_page_and_so_is_what_changed_in_it(page):
    found = page("/kinds/acme.papers/item", key="big")
    (text, title) = found.table("Fields that changed")
    assert text["Before"].startswith("\\u202exxx")
    assert "of 10,000,001 characters)" in text["Before"]
    assert title == {"Field": "title", "Before": MARKUP, "After": "other"}


def test_what_changed_in_ten_megabytes_is_part_of_a_difference(page):
    found = page("/kinds/acme.papers", **{"from": "2025-03-31T12:30", "to": "2025-03-31T14:00"})
    assert found.table("0 added, 0 removed, 1 changed")[0]["Item"] == "big"


def test_a_document_of_many_fields_goes_on_in_the_artifact(page):
    assert "The document goes on; the artifact has all of it." in page("/kinds/acme.papers/item", key="many").words()


def test_a_document_that_is_deep_is_shown_as_text_from_some_depth_on(page):
    found = page("/kinds/acme.papers/item", key="deep")
    assert len(found.all("h1")) == 1
    assert MARKUP in found.words()


def test_a_key_of_five_thousand_letters_is_cut_and_still_found(page):
    found = page("/kinds/acme.papers/item", key="k" * 5_000)
    assert "(the first 300 of 5,000 characters)" in found.one("h1").words()


@pytest.mark.parametrize(
    "path", [f"/search?q={'%E2%80%AE' * 100}", "/search?q=%3Cscript%3E", "/search?q=%00", "/search?q=%FF%FE"]
)
def test_whatever_is_searched_for_is_only_words(browser, path):
    answer = browser.get(HERE + path)
    assert answer.status_code == 200
    found = Page(answer.text)
    assert (found.faults, len(found.all("script"))) == ([], 1)
    assert "\u202e" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        f"/e/{'%3Cscript%3E' * 20}",
        f"{HERE}/kinds/%3Cb%3E",
        f"{HERE}/kinds/acme.users/item?key=%3Cb%3E%E2%80%AE",
        f"{HERE}/criteria/..%2F..%2Fetc",
        f"{HERE}/runs/%3Cb%3E",
        f"{HERE}/kinds/acme.users?at=%3Cb%3E%E2%80%AE",
        f"{HERE}/kinds/acme.users?skip=-1",
        f"{HERE}/kinds/acme.users?skip=99999999999999999999",
        f"{HERE}/gaps?sort=%3Cb%3E",
        f"{HERE}?by=%3Cb%3E",
    ],
)
def test_an_address_that_means_harm_is_a_page_that_says_what_is_wrong(browser, path):
    answer = browser.get(path)
    assert answer.status_code in (404, 422)
    found = Page(answer.text)
    assert found.faults == []
    assert "\u202e" not in answer.text
    assert found.all("b") == []

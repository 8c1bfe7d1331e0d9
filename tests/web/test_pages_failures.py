"""What goes wrong is a page too: in words, with what to do next, and with nothing of our insides."""

from __future__ import annotations

import pytest

from collector.access import Role
from collector.clock import SystemClock
from collector.config import load_settings
from collector.errors import BusyError, IntegrityError, StoreError, Withheld
from collector.gate import Forbidden
from collector.server import application
from tests.web.reading import Page
from tests.web.serving import Browser, running

ERRORS = {
    "busy": (BusyError("the source is being read already", hint="Wait for it."), 409, "being read already"),
    "withheld": (Withheld("erased by tombstone 3"), 410, "tombstone 3"),
    "store": (StoreError("postgresql://secret@host: connection refused"), 503, "does not answer now"),
    "altered": (IntegrityError("artifact sha256:00 is not what its digest says"), 500, "not what its digest says"),
    "forbidden": (Forbidden("the role auditor may not do this"), 403, "may not do this"),
    "defect": (ZeroDivisionError("/srv/secret/path.py"), 500, "could not be made"),
}


@pytest.fixture(scope="module")
def browser(served):
    """A browser of an application with routes that go wrong."""

    def going_wrong(error):
        def route():
            raise error

        route.__module__ = "collector.web.made_for_a_test"
        return route

    app = application(served.store, load_settings(served.world.config), SystemClock())
    for name, (error, _, _) in ERRORS.items():
        app.add_api_route(f"/wrong/{name}", going_wrong(error))
    with running(app) as url:
        found = Browser(url)
        # After a defect the server ends the connection, which a next request may come too early to know.
        found.headers["Connection"] = "close"
        found.fill("/sign-in", "/sign-in", token=served.tokens[Role.AUDITOR])
        yield found


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_a_page_with_its_status_and_its_words(browser, name):
    _, status, words = ERRORS[name]
    answer = browser.get(f"/wrong/{name}")
    found = Page(answer.text)
    assert answer.status_code == status
    assert found.faults == []
    assert words in found.words()
    assert len(found.all("h1")) == 1


@pytest.mark.parametrize("name", ERRORS)
def test_no_page_shows_our_insides(browser, name):
    text = browser.get(f"/wrong/{name}").text
    assert not any(each in text for each in ("Traceback", "secret", "postgresql", "ZeroDivision", ".py"))


def test_a_store_that_does_not_answer_says_when_to_try_again(browser):
    assert int(browser.get("/wrong/store").headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["/nothing", "/e", "/e/soc2-2025/nothing", "/static/nothing.css/x"])
def test_an_address_that_nothing_has_is_a_page_or_nothing_at_all(browser, path):
    assert browser.get(path).status_code == 404


def test_a_page_that_is_not_there_still_knows_who_asks(browser):
    assert "Eva Lind" in Page(browser.get("/nothing").text).root.text


def test_whoever_is_not_signed_in_learns_nothing_of_what_is_there(served):
    answers = {served.api("").get(path, allow_redirects=False).status_code for path in ("/e/soc2-2025", "/e/none")}
    assert answers == {303}


def test_errors_of_the_api_are_no_pages(served):
    answer = served.api("").get("/api/v1/engagements")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_method_that_a_page_does_not_take_is_answered_by_a_page(browser):
    answer = browser.delete("/e/soc2-2025/gaps")
    assert answer.status_code == 405
    assert Page(answer.text).faults == []

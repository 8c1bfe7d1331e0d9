"""Whether it lives, whether it can answer, and its numbers: for probes and Prometheus, without a name in them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector.access import Role
from collector.gate import Place
from tests.web.gated import MINE, gated


@pytest.fixture
def site(tmp_path, store_url, clock):
    with gated(tmp_path, store_url, clock) as served:
        yield served


@pytest.fixture
def proxied(tmp_path, sqlite_url, clock):
    with gated(
        tmp_path, sqlite_url, clock, place=Place("https://e.example.org", tls=True, behind_proxy=True)
    ) as served:
        yield served


def samples(text):
    """Return the value of every sample by its name and labels."""
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def test_it_lives_and_is_ready(site):
    assert [site.browser().get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_it_lives_and_is_not_ready_while_the_head_of_the_log_cannot_be_read(tmp_path, sqlite_url, clock):
    with gated(tmp_path, sqlite_url, clock) as site:
        with closing(sqlite3.connect(site.file)) as conn:
            conn.execute("ALTER TABLE log_head RENAME TO elsewhere")
        answers = [site.browser().get(path) for path in ("/healthz", "/readyz")]
    assert [each.status_code for each in answers] == [200, 503]
    assert "log_head" not in answers[1].text


def test_requests_are_counted_by_route_and_status(site):
    browser = site.browser(site.token())
    browser.get(f"/api/gated/e/{MINE}")
    browser.get("/api/gated/e/none-2026")
    found = samples(browser.get("/metrics").text)
    for status in ("200", "404"):
        labels = (("method", "GET"), ("route", "/api/gated/e/{name}"), ("status", status))
        assert found["evidenced_web_requests_total", labels] == 1
    assert (
        found["evidenced_web_request_duration_seconds_count", (("method", "GET"), ("route", "/api/gated/e/{name}"))]
        == 2
    )
    assert (found["evidenced_web_sessions", ()], found["evidenced_web_reads_waiting", ()]) == (1, 0)


def test_no_name_and_no_path_that_somebody_makes_up_becomes_a_label(site):
    browser = site.browser(site.token())
    for path in (f"/api/gated/e/{MINE}", "/made-up/path", "/api/v1/me"):
        browser.get(path)
    browser.request("BREW", "/made-up")
    text = browser.get("/metrics").text
    assert MINE not in text and "made-up" not in text and "BREW" not in text
    assert 'route="none"' in text and 'route="/api/v1/me"' in text


def test_the_numbers_name_whoever_asks_on_this_machine_nothing_else(site):
    assert site.browser().get("/metrics").headers["content-type"].startswith("text/plain")


def test_behind_a_proxy_the_numbers_take_a_token_that_reads_everything(proxied):
    answers = {
        who: proxied.program(token).get("/metrics").status_code
        for who, token in {
            "nobody": "",
            "an auditor": proxied.token(Role.AUDITOR, MINE),
            "a reader of one engagement": proxied.token(Role.READER, MINE),
            "a reader": proxied.token(Role.READER),
        }.items()
    }
    assert answers == {"nobody": 401, "an auditor": 403, "a reader of one engagement": 403, "a reader": 200}

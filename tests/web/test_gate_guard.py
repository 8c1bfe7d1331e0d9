"""What stands before every route: hosts, rates, sizes, headers, and how a refusal or a defect is answered."""

from __future__ import annotations

import http.client
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from collector.access import Role
from collector.gate import Place
from collector.gate.guard import BEGUN_SIGN_INS, FAILED_SIGN_INS
from collector.gate.rates import Rates, neighbourhood
from tests.web.gated import MINE, gated, sign_in

CONFIG = "[web]\nrequests_a_minute = 30\n[uploads]\nmax_mb = 2\n"
ANYWHERE = [
    "/api/gated/page",
    "/sign-in",
    "/api/v1/me",
    "/nothing",
    "/healthz",
    "/static/none.css",
    "/api/gated/broken",
    f"/api/gated/e/{MINE}",
]


@pytest.fixture
def site(tmp_path, sqlite_url, clock):
    with gated(tmp_path, sqlite_url, clock, CONFIG) as served:
        yield served


def raw(url, path, *headers, body=b""):
    """Ask for *path* with exactly *headers*; return the status."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.putrequest("POST" if body else "GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


# Headers


@pytest.mark.parametrize("path", ANYWHERE)
def test_every_answer_keeps_browsers_strict(site, path):
    headers = site.browser().get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; img-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "x-frame-options": "DENY",
    }.items() <= {name.lower(): each for name, each in headers.items()}.items()


def test_what_is_signed_in_is_kept_by_no_browser_or_proxy(site):
    browser = site.browser(site.token())
    assert browser.get("/api/gated/page").headers["cache-control"] == "no-store"
    assert site.program(site.token()).get("/api/v1/me").headers["cache-control"] == "no-store"


def test_only_over_tls_are_browsers_told_to_stay_there(site):
    assert "strict-transport-security" not in site.browser().get("/api/gated/page").headers


# Hosts


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8300", "localhost:8300", "[::1]:8300"])
def test_this_machine_may_be_named_as_it_names_itself(site, host):
    assert raw(site.url, "/api/gated/page", ("Host", host)) == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8300",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "[",
    ],
)
def test_a_name_that_somebody_pointed_at_this_machine_is_not_answered(site, host):
    assert raw(site.url, "/api/gated/page", ("Host", host)) == 421


def test_probes_may_use_any_name(site):
    assert raw(site.url, "/healthz", ("Host", "10.0.0.7:8300")) == 200


def test_with_a_public_url_that_host_and_this_machine_are_answered(tmp_path, sqlite_url, clock):
    place = Place("https://evidence.example.org", tls=True, behind_proxy=True)
    with gated(tmp_path, sqlite_url, clock, place=place) as site:
        answers = [
            raw(site.url, "/api/gated/page", ("Host", each))
            for each in ("Evidence.Example.org", "localhost", "example.org", "evidence.example.org:8443")
        ]
    assert answers == [401, 401, 421, 421]


# Rates


def test_an_address_that_fails_to_sign_in_again_and_again_has_to_wait(site):
    for _ in range(FAILED_SIGN_INS):
        assert sign_in(site.browser(), "evd_" + "x" * 43).status_code == 303
    answer = sign_in(site.browser(), site.token())
    assert answer.status_code == 429 and 1 <= int(answer.headers["retry-after"]) <= 6
    site.clock.move(timedelta(seconds=int(answer.headers["retry-after"])))
    assert sign_in(site.browser(), site.token()).headers["location"] == "/api/gated/page"


def test_good_sign_ins_cost_an_address_nothing(site):
    for _ in range(FAILED_SIGN_INS + 2):
        assert sign_in(site.browser(), site.token()).headers["location"] == "/api/gated/page"


def test_failed_callbacks_count_as_failed_sign_ins(site):
    for _ in range(FAILED_SIGN_INS):
        assert site.browser().get("/sign-in/callback?state=x&code=y").status_code == 303
    assert site.browser().get("/sign-in/callback?state=x&code=y").status_code == 429


def test_ways_to_the_provider_are_begun_so_often_and_no_more(site):
    answers = [site.browser().get("/sign-in/oidc").status_code for _ in range(BEGUN_SIGN_INS + 1)]
    assert answers == [303] * BEGUN_SIGN_INS + [429]


def test_one_token_is_answered_so_often_a_minute_and_others_go_on(site):
    busy, calm = site.program(site.token()), site.program(site.token())
    answers = [busy.get("/api/v1/me").status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]
    assert calm.get("/api/v1/me").status_code == 200
    site.clock.move(timedelta(seconds=2))
    assert busy.get("/api/v1/me").status_code == 200


def test_what_the_api_says_of_it_is_a_problem_with_a_time(site):
    busy = site.program(site.token())
    answer = [busy.get("/api/v1/me") for _ in range(31)][-1]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 429 and int(answer.headers["retry-after"]) >= 1


def test_bad_tokens_are_counted_by_address(site):
    program = site.program("evd_" + "x" * 43)
    assert [program.get("/api/v1/me").status_code for _ in range(31)] == [401] * 30 + [429]


def test_a_bucket_is_filled_by_time_and_never_above_its_size(clock):
    rates = Rates(clock, 60)
    clock.move(timedelta(hours=1))
    assert [rates.take("a") for _ in range(60)] == [0.0] * 60
    assert rates.take("a") == pytest.approx(1.0)
    clock.move(timedelta(seconds=3))
    assert [rates.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_of_very_many_the_least_recent_are_forgotten_and_memory_is_bounded(clock):
    rates = Rates(clock, 1)
    for each in range(25_000):
        rates.take(each)
    assert rates.wait(24_999) > 0 and rates.wait(0) == 0
    assert len(rates._buckets) == 20_000


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_customers_network_is_one_address(address, counted):
    assert neighbourhood(address) == counted


# Sizes


def test_a_body_of_a_megabyte_is_taken_and_a_larger_one_is_not(site):
    assert raw(site.url, "/sign-in", ("Host", "localhost"), ("Content-Length", "1000001"), body=b"x") == 413
    answer = site.browser().post("/sign-in", data=b"x" * 1_000_000, headers={"content-type": "text/plain"})
    assert answer.status_code == 403


def test_where_files_are_sent_the_configuration_says_how_large(site):
    assert site.browser().post("/api/gated/uploads", data=b"x" * 3_000_000).json() == {"bytes": 3_000_000}
    assert site.browser().post("/api/gated/uploads", data=b"x" * 3_000_001).status_code == 413


def test_a_body_that_does_not_say_its_size_is_measured(site):
    pieces = iter([b"x" * 100_000] * 40)
    answer = site.browser().post("/api/gated/uploads", data=pieces)
    assert answer.status_code == 413


def test_a_size_that_is_no_number_is_refused(site):
    netloc = urlsplit(site.url)
    with socket.create_connection((netloc.hostname, netloc.port), timeout=30) as line:
        line.sendall(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400")


# Refusals and defects


def test_a_defect_tells_nothing_of_itself(site):
    for browser in (site.browser(), site.browser(site.token())):
        answer = browser.get("/api/gated/broken")
        assert answer.status_code == 500
        assert "defect" not in answer.text and "Traceback" not in answer.text


def test_a_store_that_is_altered_is_said_so_with_what_to_do(site):
    answer = site.browser().get("/api/gated/altered")
    assert answer.status_code == 500 and "evidenced verify" in answer.text


def test_what_somebody_may_not_see_and_what_is_not_there_are_answered_alike(site):
    program = site.program(site.token(Role.AUDITOR, MINE))
    answers = [program.get(f"/api/gated/by-token/{name}").json() for name in ("other-2026", "none-2026")]
    assert answers[0]["detail"].replace("other", "none") == answers[1]["detail"]
    assert [each["status"] for each in answers] == [404, 404]

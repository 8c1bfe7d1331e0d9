"""Sessions: begun by a token, ended by time, by sign-out and with the token; and forms that only our pages can send."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from collector.access import Role
from collector.ask import engagements
from collector.ask.access import revoke
from collector.gate import Place
from collector.gate.sessions import MOST_OF_ONE, ByToken
from tests.web.gated import MINE, gated, sign_in, sign_out

HOUR = timedelta(hours=1)


@pytest.fixture
def site(tmp_path, store_url, clock):
    with gated(tmp_path, store_url, clock) as served:
        yield served


@pytest.fixture
def lite(tmp_path, sqlite_url, clock):
    """On SQLite alone: for what no SQL is part of."""
    with gated(tmp_path, sqlite_url, clock) as served:
        yield served


def test_a_token_signs_in_and_the_page_knows_who_it_is(site):
    browser = site.browser(site.token(Role.OPERATOR, name="Ana"))
    assert browser.get("/api/gated/page").json() == {"name": "Ana", "role": "operator"}


def test_a_session_ends_with_the_token_that_began_it(site):
    granted, token = site.grant()
    browser = site.browser(token)
    revoke(site.store, granted.id, actor="Ben")
    assert browser.get("/api/gated/page").status_code == 401


def test_a_session_ends_when_its_token_expires(site):
    browser = site.browser(site.token(lasts=timedelta(minutes=30)))
    site.clock.move(timedelta(minutes=31))
    assert browser.get("/api/gated/page").status_code == 401


def test_a_session_ends_when_nothing_was_asked_for_an_hour(lite):
    browser = lite.browser(lite.token(lasts=timedelta(days=90)))
    for _ in range(3):
        lite.clock.move(timedelta(minutes=59))
        assert browser.get("/api/gated/page").status_code == 200
    lite.clock.move(HOUR)
    assert browser.get("/api/gated/page").status_code == 401


def test_a_session_ends_after_twelve_hours_whatever_was_asked(lite):
    browser = lite.browser(lite.token(lasts=timedelta(days=90)))
    for _ in range(23):
        lite.clock.move(timedelta(minutes=30))
        assert browser.get("/api/gated/page").status_code == 200
    lite.clock.move(timedelta(minutes=30))
    assert browser.get("/api/gated/page").status_code == 401


def test_a_sign_out_ends_the_session_for_whoever_kept_its_cookie(lite):
    browser = lite.browser(lite.token())
    kept = dict(browser.cookies)
    assert sign_out(browser).headers["location"] == "/sign-in"
    assert lite.browser().get("/api/gated/page", cookies=kept).status_code == 401


def test_a_sign_in_begins_another_session_and_ends_the_one_before(lite):
    browser = lite.browser(lite.token(name="Ana"))
    before = dict(browser.cookies)
    sign_in(browser, lite.token(name="Ben"))
    assert browser.get("/api/gated/page").json()["name"] == "Ben"
    assert lite.browser().get("/api/gated/page", cookies=before).status_code == 401


def test_a_cookie_that_was_given_to_a_browser_before_is_not_taken_over(lite):
    browser = lite.browser()
    browser.cookies.set("evidenced", "chosen-by-somebody-else")
    sign_in(browser, lite.token())
    assert lite.browser().get("/api/gated/page", cookies={"evidenced": "chosen-by-somebody-else"}).status_code == 401


def test_the_server_keeps_digests_of_ids_and_no_id(lite):
    browser = lite.browser(lite.token())
    id = browser.cookies["evidenced"]
    assert set(lite.gate.sessions._known) == {sha256(id.encode()).digest()}


def test_one_token_has_so_many_sessions_and_no_more(lite):
    first, *others = [lite.gate.sessions.begin(ByToken(7)) for _ in range(MOST_OF_ONE + 1)]
    assert lite.gate.sessions.beginner(first) is None
    assert all(lite.gate.sessions.beginner(each) for each in others)


def test_the_cookie_is_for_this_host_and_for_no_script(lite):
    answer = sign_in(lite.browser(), lite.token())
    cookie = next(each for each in answer.headers["set-cookie"].split(", ") if each.startswith("evidenced="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(tmp_path, sqlite_url, clock):
    place = Place("https://evidence.example.org", tls=True, behind_proxy=True)
    with gated(tmp_path, sqlite_url, clock, place=place) as site:
        shown = site.browser().get("/api/gated/form")
        browser = {"__Host-evidenced-form": shown.cookies["__Host-evidenced-form"]}
        form = {"token": site.token(), "csrf": shown.text}
        answer = site.browser().post("/sign-in", data=form, cookies=browser)
    assert "__Host-evidenced=" in answer.headers["set-cookie"] and "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_the_api_is_opened_by_no_cookie(lite):
    assert lite.browser(lite.token()).get("/api/v1/me").status_code == 401


def test_an_auditors_session_opens_its_engagement_alone(site):
    browser = site.browser(site.token(Role.AUDITOR, MINE))
    answers = [browser.get(f"/api/gated/e/{name}") for name in (MINE, "other-2026", "none-2026")]
    assert [each.status_code for each in answers] == [200, 404, 404]
    assert answers[1].text.replace("other-2026", "none-2026") == answers[2].text


# Forms


def test_a_form_without_its_value_changes_nothing(lite):
    browser = lite.browser(lite.token(Role.OPERATOR))
    for given in ({}, {"csrf": ""}, {"csrf": "0" * 64}):
        assert browser.post(f"/api/gated/e/{MINE}", data=given).status_code == 403


def test_a_form_with_the_value_of_its_session_is_taken(lite):
    browser = lite.browser(lite.token(Role.OPERATOR))
    assert browser.post(f"/api/gated/e/{MINE}", data={"csrf": browser.get("/api/gated/form").text}).status_code == 200


def test_the_value_of_another_session_is_not_taken(lite):
    token = lite.token(Role.OPERATOR)
    others = lite.browser(token).get("/api/gated/form").text
    assert lite.browser(token).post(f"/api/gated/e/{MINE}", data={"csrf": others}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_that_another_site_sent_is_refused_whatever_it_brings(lite, headers):
    browser = lite.browser(lite.token(Role.OPERATOR))
    form = {"csrf": browser.get("/api/gated/form").text}
    assert browser.post(f"/api/gated/e/{MINE}", data=form, headers=headers).status_code == 403


def test_a_form_that_our_page_sent_says_so_and_is_taken(lite):
    browser = lite.browser(lite.token(Role.OPERATOR))
    headers = {"Origin": lite.url, "Sec-Fetch-Site": "same-origin"}
    assert (
        browser.post(
            f"/api/gated/e/{MINE}", data={"csrf": browser.get("/api/gated/form").text}, headers=headers
        ).status_code
        == 200
    )


def test_nobody_is_signed_in_by_a_form_that_another_browser_was_shown(lite):
    others = lite.browser().get("/api/gated/form").text
    browser = lite.browser()
    browser.get("/api/gated/form")
    answer = browser.post("/sign-in", data={"token": lite.token(), "csrf": others})
    assert answer.status_code == 403 and "evidenced" not in browser.cookies


def test_a_sign_out_needs_the_value_too(lite):
    browser = lite.browser(lite.token())
    assert browser.post("/sign-out").status_code == 403
    assert browser.get("/api/gated/page").status_code == 200


# Where it goes on


@pytest.mark.parametrize("then", ["/", "/e/soc2-2026?at=2026-03-14&q=a%2Fb", "/search?q=//x"])
def test_a_sign_in_goes_on_to_the_page_that_was_asked_for(lite, then):
    assert sign_in(lite.browser(), lite.token(), then).headers["location"] == then


@pytest.mark.parametrize(
    "then",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "\\\\elsewhere.example/",
        "/\t/elsewhere.example/",
        "/a\\..\\b",
        "javascript:alert(1)",
        "elsewhere.example",
        "/a\r\nSet-Cookie: evidenced=x",
        "/" + "a" * 3000,
        "",
    ],
)
def test_a_sign_in_goes_on_to_no_other_site(lite, then):
    assert sign_in(lite.browser(), lite.token(), then).headers["location"] == "/"


# Who cannot come in


def test_unknown_expired_and_revoked_tokens_are_refused_alike(site):
    expired = site.token(lasts=timedelta(minutes=1))
    granted, revoked = site.grant()
    revoke(site.store, granted.id, actor="Ben")
    site.clock.move(timedelta(minutes=2))
    answers = [sign_in(site.browser(), token) for token in ("evd_" + "x" * 43, expired, revoked, "hello", "")]
    told = {(each.status_code, each.headers["location"], each.text) for each in answers}
    assert told == {(303, "/sign-in?refused=1&next=%2Fapi%2Fgated%2Fpage", "")}
    assert not any("evidenced" in each.cookies for each in answers)


def test_the_api_refuses_unknown_expired_and_revoked_tokens_alike(site):
    expired = site.token(lasts=timedelta(minutes=1))
    granted, revoked = site.grant()
    revoke(site.store, granted.id, actor="Ben")
    site.clock.move(timedelta(minutes=2))
    answers = [site.program(token).get("/api/v1/me") for token in ("evd_" + "x" * 43, expired, revoked)]
    assert {(each.status_code, each.text) for each in answers} == {(401, answers[0].text)}


def test_a_closed_engagement_stays_open_to_its_auditor(site):
    browser = site.browser(site.token(Role.AUDITOR, MINE))
    engagements.close(site.store, MINE, actor="Ben")
    assert browser.get(f"/api/gated/e/{MINE}").status_code == 200

"""Signing in through an OpenID provider: an honest one, served for real, and one that lies in every way we check."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import RSAKey

from collector.ask import engagements
from collector.clock import SystemClock
from collector.tag import load_controls
from tests.web.gated import AUDITOR, MINE, OTHERS, gated, terms
from tests.web.provider import CLIENT, at_provider, brought_back, come_in, configuration, honest, lying

REFUSED = "/sign-in?refused=1&next=%2Fapi%2Fgated%2Fpage"
PEOPLE = [
    ("ben", {"email": "Ben@Example.org", "email_verified": True}),
    ("carla", {"email": "carla@example.org", "groups": ["staff", "security"]}),
    ("ana", {"email": "ana@auditors.example", "email_verified": True}),
    ("mallory", {"email": "ben@example.org", "email_verified": False}),
    ("nobody", {"email": "nobody@example.org", "email_verified": True}),
    ("nameless", {}),
]
ACCESS = 'operator = ["ben@example.org"]\nreader = ["group:staff"]\nadmin = ["group:security"]'


@pytest.fixture(scope="module")
def issuer():
    with honest(*PEOPLE) as found:
        yield found


@pytest.fixture
def site(tmp_path, store_url, issuer):
    (tmp_path / "client_secret").write_text("of the client, which the provider does not look at")
    more = configuration(issuer, f'client_secret = "file:{tmp_path}/client_secret"', ACCESS)
    with gated(tmp_path, store_url, SystemClock(), more) as served:
        yield served


@pytest.fixture
def liar(clock):
    with lying(clock) as found:
        yield found


@pytest.fixture
def misled(tmp_path, sqlite_url, clock, liar):
    """A site whose provider is the liar."""
    more = configuration(liar.issuer, access=ACCESS)
    with gated(tmp_path, sqlite_url, clock, more) as served:
        yield served


@pytest.mark.parametrize(
    ("sub", "who"),
    [
        ("ben", {"name": "ben@example.org", "role": "operator"}),
        ("carla", {"name": "carla@example.org", "role": "admin"}),
        ("ana", {"name": "ana@auditors.example", "role": "auditor"}),
    ],
)
def test_people_come_in_as_what_the_configuration_and_the_terms_say(site, sub, who):
    browser = site.browser()
    assert come_in(browser, sub).headers["location"] == "/api/gated/page"
    assert browser.get("/api/gated/page").json() == who


@pytest.mark.parametrize("sub", ["mallory", "nobody", "nameless"])
def test_who_is_not_verified_not_named_or_without_an_address_is_refused_alike(site, sub):
    browser = site.browser()
    answer = come_in(browser, sub)
    assert (answer.status_code, answer.headers["location"]) == (303, REFUSED)
    assert browser.get("/api/gated/page").status_code == 401


def test_an_auditor_sees_the_engagement_whose_terms_name_them(site):
    browser = site.browser()
    come_in(browser, "ana")
    assert [browser.get(f"/api/gated/e/{name}").status_code for name in (MINE, OTHERS)] == [200, 404]


def test_an_amendment_of_the_terms_holds_for_sessions_that_there_are(site):
    browser = site.browser()
    come_in(browser, "ana")
    controls = load_controls(None)
    engagements.amend(site.store, controls, OTHERS, terms(AUDITOR), why="a second audit", actor="Ben")
    assert browser.get(f"/api/gated/e/{OTHERS}").status_code == 200
    for name in (MINE, OTHERS):
        engagements.amend(site.store, controls, name, terms("eve@auditors.example"), why="Ana left", actor="Ben")
    assert browser.get("/api/gated/page").status_code == 401


def test_it_asks_for_a_code_with_a_state_a_nonce_and_a_challenge(site, issuer):
    there = urlsplit(site.browser().get("/sign-in/oidc").headers["location"])
    asked = {key: each[0] for key, each in parse_qs(there.query).items()}
    assert f"{there.scheme}://{there.netloc}" == issuer
    assert {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}.items() <= asked.items()
    assert asked["redirect_uri"] == f"{site.url}/sign-in/callback"
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))


def test_an_answer_that_came_back_once_does_not_come_back_again(site):
    browser = site.browser()
    back = at_provider(browser, "ben")
    kept = dict(browser.cookies)
    assert browser.get(back).headers["location"] == "/api/gated/page"
    assert site.browser().get(back, cookies=kept).headers["location"].startswith("/sign-in?refused=1")


def test_an_answer_that_another_browser_fetched_signs_nobody_in(site):
    mine, others = site.browser(), site.browser()
    others.get("/api/gated/form")
    back = at_provider(mine, "ben")
    assert others.get(back).headers["location"].startswith("/sign-in?refused=1")
    assert others.get("/api/gated/page").status_code == 401


def test_it_goes_on_to_no_other_site(site):
    browser = site.browser()
    assert come_in(browser, "ben", "//elsewhere.example/").headers["location"] == "/"


# A provider that lies


def test_the_liar_is_believed_while_it_tells_the_truth(misled, liar):
    browser = misled.browser()
    assert brought_back(browser, liar).headers["location"] == "/api/gated/page"
    assert browser.get("/api/gated/page").json() == {"name": "ben@example.org", "role": "operator"}


HOUR = 3600
LIES = {
    "another nonce": {"nonce": "of somebody else"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-client"},
    "no audience": {"aud": None},
    "an audience of several without azp": {"aud": [CLIENT, "another-client"]},
    "another azp": {"azp": "another-client"},
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "no expiry": {"exp": None},
    "no time of issue": {"iat": None},
    "no subject": {"sub": None},
    "an address that is not verified": {"email_verified": False},
    "an address that is not verified, in letters": {"email_verified": "false"},
    "an address with a line end": {"email": "ben@example.org\n"},
    "no address": {"email": None},
    "an address that is a list": {"email": ["ben@example.org"]},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_the_claims_is_refused_as_anything_is(misled, liar, lie):
    liar.claims = LIES[lie]
    browser = misled.browser()
    answer = brought_back(browser, liar)
    assert (answer.status_code, answer.headers["location"], answer.text) == (303, REFUSED, "")
    assert browser.get("/api/gated/page").status_code == 401


@pytest.mark.parametrize(
    "signed", ["by_another_key", "by_no_key", "by_its_public_key", "by_the_clients_secret", "altered"]
)
def test_a_token_that_the_provider_did_not_sign_is_refused_as_anything_is(misled, liar, signed):
    liar.signed = getattr(liar, signed)
    answer = brought_back(misled.browser(), liar)
    assert (answer.status_code, answer.headers["location"], answer.text) == (303, REFUSED, "")


@pytest.mark.parametrize(
    ("off", "location"),
    [
        (-HOUR, REFUSED),
        (-361, REFUSED),
        (-350, "/api/gated/page"),
        (50, "/api/gated/page"),
        (70, REFUSED),
        (HOUR, REFUSED),
    ],
)
def test_a_clock_may_be_a_minute_off_and_no_more(misled, liar, clock, off, location):
    now = int(clock.now().timestamp()) + off
    liar.claims = {"iat": now, "exp": now + 300}
    assert brought_back(misled.browser(), liar).headers["location"] == location


@pytest.mark.parametrize("token", ["", "a.b.c", "not a token", None, 7])
def test_what_is_no_token_is_refused(misled, liar, token):
    liar.signed = lambda _: token
    assert brought_back(misled.browser(), liar).headers["location"] == REFUSED


def test_an_answer_that_names_another_issuer_is_refused(misled, liar):
    assert brought_back(misled.browser(), liar, iss="https://elsewhere.example").headers["location"] == REFUSED
    assert brought_back(misled.browser(), liar, iss=liar.issuer).headers["location"] == "/api/gated/page"


@pytest.mark.parametrize("answer", [{"state": "made-up"}, {"code": ""}, {"error": "access_denied"}])
def test_an_answer_without_a_good_state_or_code_is_refused(misled, liar, answer):
    assert brought_back(misled.browser(), liar, **answer).headers["location"].startswith("/sign-in?refused=1")


def test_an_answer_that_is_ten_minutes_late_is_refused(misled, liar, clock):
    browser = misled.browser()
    there = browser.get("/sign-in/oidc").headers["location"]
    state = parse_qs(urlsplit(there).query)["state"][0]
    clock.move(timedelta(minutes=10))
    assert (
        browser.get("/sign-in/callback", params={"state": state, "code": "c"})
        .headers["location"]
        .startswith("/sign-in?refused=1")
    )


def test_the_code_is_changed_with_the_verifier_of_its_challenge(misled, liar):
    browser = misled.browser()
    there = browser.get("/sign-in/oidc").headers["location"]
    challenge = parse_qs(urlsplit(there).query)["code_challenge"][0]
    state = parse_qs(urlsplit(there).query)["state"][0]
    browser.get("/sign-in/callback", params={"state": state, "code": "c-1"})
    (form,) = [form for path, form in liar.asked if path == "/token"]
    assert create_s256_code_challenge(form["code_verifier"][0]) == challenge
    assert form["grant_type"] == ["authorization_code"]


def test_a_key_that_the_provider_took_into_use_is_asked_for_once_a_minute(misled, liar, clock):
    brought_back(misled.browser(), liar)
    liar.key = RSAKey.generate_key(2048, auto_kid=True)
    liar.published.append(liar.key)
    assert brought_back(misled.browser(), liar).headers["location"] == REFUSED
    clock.move(timedelta(minutes=1))
    assert brought_back(misled.browser(), liar).headers["location"] == "/api/gated/page"
    assert [path for path, _ in liar.asked].count("/jwks") == 2


def test_what_the_token_does_not_say_is_asked_for_and_must_be_of_the_same_person(misled, liar):
    liar.claims = {"email": None}
    liar.userinfo = {"sub": "u-1", "email": "ben@example.org", "email_verified": True, "groups": ["security"]}
    browser = misled.browser()
    assert brought_back(browser, liar).headers["location"] == "/api/gated/page"
    assert browser.get("/api/gated/page").json()["role"] == "admin"
    liar.userinfo["sub"] = "u-2"
    assert brought_back(misled.browser(), liar).headers["location"] == REFUSED


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://elsewhere.example"},
        {"authorization_endpoint": "http://elsewhere.example/authorize"},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_that_publishes_something_odd_is_not_gone_to(misled, liar, document):
    liar.document = document
    assert misled.browser().get("/sign-in/oidc").headers["location"] == "/sign-in?away=1"


def test_a_provider_that_is_down_is_said_to_be_away(misled, liar):
    liar.status = 503
    assert misled.browser().get("/sign-in/oidc").headers["location"] == "/sign-in?away=1"


def test_without_a_provider_there_is_none_to_go_to(tmp_path, sqlite_url, clock):
    with gated(tmp_path, sqlite_url, clock) as site:
        assert site.browser().get("/sign-in/oidc").headers["location"].startswith("/sign-in?refused=1")


def test_a_secret_of_the_client_is_sent_in_the_header_and_nowhere_else(tmp_path, sqlite_url, clock, liar, monkeypatch):
    monkeypatch.setenv("OIDC_SECRET", "s-" + sha256(b"client").hexdigest())
    more = configuration(liar.issuer, 'client_secret = "env:OIDC_SECRET"', ACCESS)
    with gated(tmp_path, sqlite_url, clock, more) as site:
        assert brought_back(site.browser(), liar).headers["location"] == "/api/gated/page"
    (form,) = [form for path, form in liar.asked if path == "/token"]
    assert "client_secret" not in form

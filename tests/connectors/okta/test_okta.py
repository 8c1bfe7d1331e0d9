"""Okta over real sockets, against a fake that its own SDK judges: populations, bad days, credentials, personal data."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
import pytest
from cryptography.hazmat.primitives import serialization

from collector.model import Detail, Outcome, Reason
from connectors.okta import connector
from connectors.okta.settings import OktaSettings
from tests.connectors.okta.conftest import DOMAIN, EVERY_KIND, LISTED, LOG, USERS
from tests.fakes.described import trouble
from tests.fakes.described.oauth import client_assertion, token_endpoint

HELD = {"okta.users": {f"00u{number}" for number in range(8)}, "okta.system_log": {f"event-{n}" for n in range(7)}}
every_kind = pytest.mark.parametrize("kind", EVERY_KIND)


def items(found):
    """Return the items of an observation, by key, as they would be stored."""
    data = {each.digest: each.data for each in found.artifacts}
    return {each.key: orjson.loads(data[each.artifact]) for each in found.changes}


@every_kind
def test_the_population_is_what_the_organisation_holds(reader, okta, kind):
    found = reader.read(kind)
    assert found.run.outcome is Outcome.COLLECTED, found.run.message
    assert items(found).keys() == HELD[kind]
    assert found.run.counts.items == len(HELD[kind])
    (calls,) = found.run.operations
    assert calls.pages == calls.calls == okta.calls[LISTED[kind]] == {"okta.users": 5, "okta.system_log": 4}[kind]
    assert calls.drained and calls.first_request_id and calls.first_date
    assert found.run.principal.id == "00umeee"
    assert found.run.principal.account == "00oacme"


@every_kind
@pytest.mark.parametrize(
    ("makes", "outcome"),
    [
        (trouble.deny(), (Reason.DENIED, "okta.")),
        (trouble.throttle(seconds=0), (Reason.THROTTLED, "E0000047")),
        (trouble.fail(503), (Reason.UNAVAILABLE, "503")),
        (trouble.repeat_token(), (Reason.TRUNCATED, "")),
        (trouble.elsewhere(), (Reason.INVALID, "")),
    ],
    ids=["denied", "throttled", "failing", "a page again", "another host"],
)
def test_what_goes_wrong_on_the_second_page_is_the_runs_reason(reader, okta, kind, makes, outcome):
    reason, said = outcome
    okta.trouble(LISTED[kind], makes, nth=2)
    found = reader.read(kind)
    assert (found.run.outcome, found.run.reason) == (Outcome.FAILED, reason), found.run.message
    assert said in f"{found.run.message} {found.run.hint}"
    assert not found.changes


@every_kind
def test_a_throttled_page_is_asked_for_again(reader, okta, kind):
    okta.trouble(LISTED[kind], trouble.throttle(seconds=0), nth=2, times=1)
    found = reader.read(kind)
    assert items(found).keys() == HELD[kind]
    assert sum(each.retries for each in found.run.operations) == 1


@every_kind
def test_a_token_that_ends_between_two_pages_is_read_anew(reader, okta, kind):
    okta.trouble(LISTED[kind], trouble.expire(), nth=2, times=1)
    session = reader.session()
    session.principal()
    reader.renew()
    assert items(reader.read(kind, session)).keys() == HELD[kind]


@every_kind
def test_a_token_that_is_over_is_denied(reader, okta, kind):
    session = reader.session()
    session.principal()
    okta.expire()
    assert reader.read(kind, session).run.reason is Reason.DENIED


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_two_readings_of_one_state_have_one_digest(reader, kind):
    assert reader.read(kind).run.population == reader.read(kind).run.population


def test_no_user_at_all_is_empty_and_not_failed(reader, okta):
    okta.put(USERS, items=lambda ask: [])
    found = reader.read("okta.users")
    assert (found.run.outcome, found.run.detail) == (Outcome.COLLECTED, Detail.EMPTY)


def test_a_user_who_is_deprovisioned_while_the_users_are_read_fails_the_run(reader, okta):
    """He was listed among the others and comes again; read the other way round he would be in neither list."""
    okta.put(USERS, items=lambda ask: [okta.sample(USERS, 1, id="00u1", status="DEPROVISIONED")])
    assert reader.read("okta.users").run.reason is Reason.INVALID
    asked = [ask.query.get("filter") for ask in okta.asks if ask.name == USERS]
    assert asked == [None, 'status eq "DEPROVISIONED"']


def test_the_log_is_asked_for_an_interval_that_ends(reader, okta):
    """Without `until` Okta's last page leads on for ever."""
    reader.read("okta.system_log")
    asked = next(ask.query for ask in okta.asks if ask.name == LOG)
    asked_for = [datetime.fromisoformat(asked[name]) for name in ("since", "until")]
    assert asked_for == [okta.now - timedelta(days=90), okta.now]


def test_of_a_user_only_what_is_evidence_is_kept(reader):
    kept = items(reader.read("okta.users"))["00u1"]
    assert kept["login"] == "user1@acme.example"
    assert kept.keys() <= {
        *("id", "status", "created", "activated", "statusChanged", "passwordChanged", "type", "login", "userType"),
        "provider",
    }


def test_people_and_their_places_are_not_in_the_log_but_by_their_ids(reader):
    found = reader.read("okta.system_log")
    text = b"".join(each.data for each in found.artifacts)
    assert b"vera" not in text.lower() and b"planted" not in text
    assert all(each["actor"]["id"] for each in items(found).values())
    assert {each.path for each in found.run.redactions} >= {"actor.displayName", "actor.alternateId"}


def test_a_service_app_proves_itself_by_its_key(reader, okta, app_key, private_key):
    public = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    scopes = "okta.logs.read okta.users.read"
    judge = client_assertion(public.decode(), scopes, iss="0oaapp", sub="0oaapp", aud=f"{okta.url}/oauth2/v1/token")
    token_endpoint(okta, "/oauth2/v1/token", judge)

    session = reader.session(client_id="0oaapp", private_key=f"file:{app_key}", key_id="k1")
    found = reader.read("okta.users", session)
    assert items(found).keys() == HELD["okta.users"], found.run.message
    assert found.run.principal.id == "0oaapp"
    assert "GET /api/v1/users/{id}" not in okta.calls


def test_an_app_whose_key_okta_does_not_know_is_misconfigured_and_the_key_in_no_message(reader, okta, app_key):
    token_endpoint(okta, "/oauth2/v1/token", lambda _form: "unknown key")
    session = reader.session(client_id="0oaapp", private_key=f"file:{app_key}", key_id="k1")
    found = reader.read("okta.users", session)
    assert found.run.reason is Reason.MISCONFIGURED
    assert "PRIVATE" not in found.run.message + found.run.hint
    okta.violations.clear()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"token": "00abcdef-literal"},
        {"token": "env:T", "client_id": "0oa"},
        {"client_id": "0oa", "key_id": "k"},
        {"domain": "https://acme.okta.com", "token": "env:T"},
    ],
    ids=["no way in", "a literal secret", "two ways in", "half a way in", "an address"],
)
def test_settings_that_are_wrong_are_refused(wrong):
    with pytest.raises(ValueError, match=r"token|reference|domain"):
        OktaSettings.model_validate({"domain": DOMAIN, **wrong})


def test_the_policy_names_the_scopes_that_the_kinds_need():
    (document,) = connector.policy(list(connector.kinds().values()))
    assert document["service_app"] == {"scopes": ["okta.logs.read", "okta.users.read"]}


@every_kind
def test_every_kind_is_clean(kind):
    assert connector.lint(connector.kinds()[kind]) == []


def test_the_organisation_is_the_one_scope(reader):
    assert [each.name for each in reader.session().scopes()] == [DOMAIN]

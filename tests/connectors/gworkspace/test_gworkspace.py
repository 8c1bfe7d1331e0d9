"""Google Workspace's users over real sockets, by one TOML file: what is asked, what is kept, what goes wrong."""

from __future__ import annotations

import orjson
import pytest

from collector.installed import connectors
from collector.model import Detail, Outcome, Reason, Scope
from collector.testing import Trial
from tests.connectors.conformance.worlds import PEOPLE, PERSON, GworkspaceWorld
from tests.fakes.described import trouble
from tests.fakes.described.oauth import token_endpoint

GWORKSPACE = connectors()["gworkspace"]
KIND = GWORKSPACE.kinds()["gworkspace.users"]


@pytest.fixture
def trial(tmp_path):
    """A directory of five users, in pages of two."""
    with GworkspaceWorld(tmp_path) as world, Trial(GWORKSPACE, world) as trial:
        world.hold(KIND, 5)
        yield trial


def test_who_reads_is_the_administrator_acted_as_and_the_customer_is_the_one_scope(trial):
    session = trial.session()
    assert (session.principal().id, session.principal().account) == ("auditor@acme.example", "C0acme")
    assert session.scopes() == [Scope("C0acme", "customer")]


def test_five_users_of_three_pages_cost_a_call_a_page(trial):
    trial.read(KIND)
    assert trial.world.fake.calls == {PERSON: 1, PEOPLE: 3}


def test_what_is_no_evidence_is_neither_asked_for_nor_kept(trial):
    found = trial.read(KIND)
    asked = next(ask.query for ask in trial.world.fake.asks if ask.name == PEOPLE)
    assert not [name for name in ("name", "phones", "recovery", "sshPublicKeys") if name in asked["fields"]]
    user = orjson.loads(found.artifacts[0].data)
    assert {"id", "primaryEmail", "isAdmin", "isEnrolledIn2Sv", "suspended", "creationTime"} <= user.keys()
    assert not {"name", "recoveryPhone", "recoveryEmail", "phones", "addresses", "etag"} & user.keys()


def test_a_sign_in_is_kept_beside_the_population_and_does_not_change_it(trial):
    found = trial.read(KIND)
    assert b"lastLoginTime" not in b"".join(each.data for each in found.artifacts)
    assert b"lastLoginTime" in found.volatile


def test_a_directory_without_users_that_leaves_out_the_list_is_empty(trial):
    trial.world.fake.put(PEOPLE, answer={"kind": "admin#directory#users"})
    found = trial.read(KIND)
    assert (found.run.outcome, found.run.detail) == (Outcome.COLLECTED, Detail.EMPTY), found.run.message


@pytest.mark.parametrize(
    ("makes", "reason"),
    [
        (trouble.garbage(b"{}"), Reason.INVALID),
        (trouble.garbage(b'{"kind": "admin#directory#groups", "users": []}'), Reason.INVALID),
        (trouble.garbage(), Reason.INVALID),
        (trouble.disable(), Reason.NOT_ENABLED),
        (trouble.slow_down(0), Reason.THROTTLED),
        (trouble.fail(503), Reason.UNAVAILABLE),
        (trouble.expire(), Reason.MISCONFIGURED),
        (trouble.repeat_token(), Reason.TRUNCATED),
        (trouble.go_round(), Reason.INVALID),
    ],
    ids=["nothing", "groups", "web page", "disabled", "quota as 403", "failing", "expired", "token again", "round"],
)
def test_what_goes_wrong_is_the_runs_reason(trial, makes, reason):
    trial.world.fake.trouble(PEOPLE, makes)
    found = trial.read(KIND)
    assert found.run.reason is reason, found.run.message
    assert not found.changes


def test_a_token_that_ends_between_two_pages_is_fetched_anew(trial):
    trial.world.fake.trouble(PEOPLE, trouble.expire(), nth=2, times=1)
    assert trial.read(KIND).run.counts.items == 5


@pytest.mark.parametrize("wrong", ["the account is unknown", "the scope was not delegated"])
def test_an_assertion_that_is_refused_is_the_operators_business_and_no_key_is_in_the_message(trial, wrong):
    token_endpoint(trial.world.fake, "/token", lambda _form: wrong)
    run = trial.read(KIND).run
    assert run.reason is Reason.MISCONFIGURED
    assert "PRIVATE" not in run.message + run.hint
    trial.world.fake.violations.clear()


def test_a_key_file_that_is_none_is_misconfigured(trial):
    trial.world.secret_file.write_text('{"client_email": "robot@acme.example"}')
    run = trial.read(KIND).run
    assert (run.reason, "private_key" in run.message) == (Reason.MISCONFIGURED, True)


@pytest.mark.parametrize("wrong", [{"key": "{}"}, {"admin": "auditor"}, {"admin": "a@b/c"}])
def test_settings_that_are_wrong_are_refused(wrong):
    good = {"admin": "auditor@acme.example", "key": "file:/etc/evidenced/key.json"}
    GWORKSPACE.settings.model_validate(good)
    with pytest.raises(ValueError, match=r"reference|match"):
        GWORKSPACE.settings.model_validate(good | wrong)

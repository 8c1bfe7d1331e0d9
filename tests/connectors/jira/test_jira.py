"""Jira's change tickets over real sockets, by one TOML file: what is asked, what is kept, what goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from collector.installed import connectors
from collector.model import Reason, Scope
from collector.testing import Trial
from tests.connectors.conformance.worlds import CHANGELOG, SEARCH, JiraWorld
from tests.fakes.described import trouble

JIRA = connectors()["jira"]
KIND = JIRA.kinds()["jira.issues_change"]


@pytest.fixture
def trial(tmp_path):
    """A site with five issues, each with a history of five entries, in pages of two."""
    with JiraWorld(tmp_path) as world, Trial(JIRA, world) as trial:
        world.hold(KIND, 5)
        yield trial


def issues(found):
    """Return the issues of an observation by key, as they would be stored."""
    data = {each.digest: each.data for each in found.artifacts}
    return {each.key: orjson.loads(data[each.artifact]) for each in found.changes}


def test_who_reads_is_an_account_id_and_the_site_is_the_one_scope(trial):
    session = trial.session()
    assert (session.principal().id, session.principal().account) == ("5b10reader", "acme.atlassian.net")
    assert session.scopes() == [Scope("acme.atlassian.net", "site")]


def test_every_issue_has_its_whole_history(trial):
    found = issues(trial.read(KIND))
    assert {key: len(issue["changelog"]) for key, issue in found.items()} == {f"OPS-{n}": 5 for n in range(5)}


def test_five_issues_of_three_pages_each_cost_a_call_a_page(trial):
    trial.read(KIND)
    assert trial.world.fake.calls == {"GET /rest/api/3/myself": 1, SEARCH: 3, CHANGELOG: 15}


def test_of_people_their_account_ids_are_kept_and_of_texts_those_of_status_and_resolution(trial):
    found = trial.read(KIND)
    text = b"".join(each.data for each in found.artifacts)
    assert b"Vera" not in text and b"vera@acme" not in text
    issue = issues(found)["OPS-1"]
    assert issue["assignee"] == issue["changelog"][0]["author"] == "5b10vera"
    assert issue["changelog"][0]["fields"] == ["status", "description"]
    assert issue["changelog"][0]["changes"] == [{"field": "status", "from": "Open", "to": "plain"}]


def test_only_the_fields_that_are_kept_are_asked_for(trial):
    trial.read(KIND)
    asked = next(ask.body for ask in trial.world.fake.asks if ask.name == SEARCH)
    assert not {"summary", "description", "comment", "*all"} & set(asked["fields"])


def test_the_window_is_an_instant_whatever_the_time_zone_of_the_account(trial):
    """A quoted date would be read in the account's own zone, and up to 14 hours of changes would be left out."""
    trial.read(KIND)
    asked = next(ask.body for ask in trial.world.fake.asks if ask.name == SEARCH)
    before, _, after = asked["jql"].partition(" AND updated >= ")
    since = datetime.fromtimestamp(int(after.removesuffix(" ORDER BY created ASC")) / 1000, UTC)
    assert before == "(project is not EMPTY)"
    assert abs(datetime.now(UTC) - timedelta(days=366) - since) < timedelta(minutes=5)


def test_an_issue_whose_history_may_not_be_seen_fails_the_run(trial):
    """Jira says 'no such issue' of what was deleted and of what is hidden: unknown, not absent."""
    trial.world.fake.trouble(CHANGELOG, trouble.gone(), when=lambda ask: ask.path["issueIdOrKey"] == "10003")
    assert trial.read(KIND).run.reason is Reason.INVALID


@pytest.mark.parametrize(
    ("operation", "makes", "reason"),
    [
        (SEARCH, trouble.expire(), Reason.MISCONFIGURED),
        (SEARCH, trouble.refuse(400, "", "The value 'OPX' does not exist."), Reason.MISCONFIGURED),
        (SEARCH, trouble.repeat_token(), Reason.TRUNCATED),
        (SEARCH, trouble.go_round(), Reason.TRUNCATED),
        (SEARCH, trouble.lose_token(), Reason.TRUNCATED),
        (SEARCH, trouble.garbage(), Reason.INVALID),
        (SEARCH, trouble.garbage(b'{"isLast": true}'), Reason.INVALID),
        (CHANGELOG, trouble.garbage(b'{"isLast": true, "total": 0}'), Reason.INVALID),
        (CHANGELOG, trouble.fail(503), Reason.UNAVAILABLE),
    ],
    ids=["expired", "no project", "token again", "round", "no token", "web page", "no issues", "no history", "failing"],
)
def test_what_goes_wrong_is_the_runs_reason(trial, operation, makes, reason):
    trial.world.fake.trouble(operation, makes)
    found = trial.read(KIND)
    assert found.run.reason is reason, found.run.message
    assert not found.changes


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "ATATT3xFfGF0-literal"},
        {"site": "https://acme.atlassian.net"},
        {"user": "collector"},
        {"changes": "project = OPS order by rank"},
    ],
    ids=["a literal secret", "an address", "no e-mail address", "an order"],
)
def test_settings_that_are_wrong_are_refused(wrong):
    good = {"site": "acme.atlassian.net", "user": "collector@example.com", "token": "env:JIRA_TOKEN"}
    JIRA.settings.model_validate(good)
    with pytest.raises(ValueError, match=r"reference|match"):
        JIRA.settings.model_validate(good | wrong)

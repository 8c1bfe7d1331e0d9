"""What can go wrong with each call of each kind, and the reason that the run then has."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import NamedTuple

import jmespath
import pytest

from collector.model import Outcome, Reason
from connectors.github import connector
from tests.connectors.github.conftest import items
from tests.connectors.github.organisation import ALERTS, GRAPH, HELD, PLANTED, PROTECTION, RULES
from tests.fakes.described import trouble
from tests.fakes.described.graphql import errors_only
from tests.fakes.described.wire import Refusal

QUERIES = {
    "github.members": ["members"],
    "github.branch_protection": ["repositories"],
    "github.pull_requests": ["active", "merged", "touched", "reviews", "checks"],
}


class Asked(NamedTuple):
    """A call of a kind: its operation, and of GraphQL the name of the query."""

    kind: str
    operation: str
    query: str = ""

    def __str__(self):
        return f"{self.kind} {self.query or self.operation.split('/')[-1]}"


CALLS = [
    *(Asked(kind, GRAPH, query) for kind, queries in QUERIES.items() for query in queries),
    Asked("github.branch_protection", PROTECTION),
    Asked("github.branch_protection", RULES),
    Asked("github.dependabot_alerts", ALERTS),
]
MERGED = Asked("github.pull_requests", GRAPH, "merged")
every_call = pytest.mark.parametrize("call", CALLS, ids=str)
every_list = pytest.mark.parametrize(
    "call", [each for each in CALLS if each.operation != PROTECTION and each.query != "touched"], ids=str
)
every_query = pytest.mark.parametrize("call", [each for each in CALLS if each.query], ids=str)


@pytest.fixture
def strike(github):
    """Let a trouble strike the requests of one call."""

    def struck(call, makes, **when):
        asks = f"query {call.query}("
        github.trouble(
            call.operation, makes, when=lambda ask: not call.query or ask.body["query"].startswith(asks), **when
        )

    return struck


def reason(found):
    assert found.run.outcome is Outcome.FAILED, found.run.counts
    assert not found.changes
    return found.run.reason


@every_call
def test_a_call_that_is_denied_is_denied_and_names_what_it_needs(reader, strike, call):
    strike(call, trouble.deny())
    found = reader.read(call.kind)
    assert reason(found) is Reason.DENIED
    assert any(grant in found.run.message for grant in connector.grants(connector.kinds()[call.kind]))
    assert "robot" in found.run.hint


@every_call
@pytest.mark.parametrize("limit", [trouble.throttle, trouble.slow_down])
def test_a_call_that_is_throttled_once_is_made_again(reader, strike, call, limit):
    strike(call, limit(seconds=1), times=1)
    found = reader.read(call.kind)
    assert items(found).keys() == HELD[call.kind], found.run.message
    assert sum(each.retries for each in found.run.operations) == 1


@every_call
def test_a_call_that_stays_throttled_is_throttled(reader, strike, call):
    strike(call, trouble.throttle(seconds=1))
    assert reason(reader.read(call.kind)) is Reason.THROTTLED


@every_call
def test_a_token_that_ends_in_between_is_read_anew(reader, strike, call):
    session = reader.session()
    session.principal()
    strike(call, trouble.expire(), times=1)
    reader.renew()
    assert items(reader.read(call.kind, session)).keys() == HELD[call.kind]


@every_call
@pytest.mark.parametrize(
    ("makes", "expected"),
    [
        (trouble.fail(502), Reason.UNAVAILABLE),
        (trouble.cut(), Reason.TRUNCATED),
        (trouble.shorten(), Reason.INVALID),
        (trouble.garbage(), Reason.INVALID),
        (trouble.gone(), Reason.DENIED),
    ],
    ids=["failing", "cut", "shortened", "garbled", "not found"],
)
def test_an_answer_that_is_none_fails_the_run(reader, strike, call, makes, expected):
    """A 404 too: GitHub hides what may not be seen as if it was not there."""
    strike(call, makes)
    assert reason(reader.read(call.kind)) is expected


@every_list
def test_a_second_page_that_fails_fails_the_run(reader, strike, call):
    strike(call, trouble.fail(503), nth=2)
    assert reason(reader.read(call.kind)) is Reason.UNAVAILABLE


@pytest.mark.parametrize("call", [each for each in CALLS if each.operation in (RULES, ALERTS)], ids=str)
@pytest.mark.parametrize(
    ("makes", "expected"),
    [(trouble.go_round(), Reason.TRUNCATED), (trouble.elsewhere(), Reason.INVALID)],
    ids=["first page again", "another host"],
)
def test_a_link_that_leads_astray_fails_the_run(reader, strike, call, makes, expected):
    strike(call, makes)
    assert reason(reader.read(call.kind)) is expected


@every_query
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("FORBIDDEN", Reason.DENIED),
        ("NOT_FOUND", Reason.DENIED),
        ("INSUFFICIENT_SCOPES", Reason.DENIED),
        ("RATE_LIMITED", Reason.THROTTLED),
        ("MAX_NODE_LIMIT_EXCEEDED", Reason.INVALID),
    ],
)
def test_an_error_beside_a_good_status_is_the_runs_reason(reader, strike, call, said, expected):
    strike(call, errors_only(said))
    assert reason(reader.read(call.kind)) is expected


def test_a_query_that_github_gave_up_is_unavailable(reader, strike):
    strike(MERGED, errors_only("", "Something went wrong while executing your query."))
    assert reason(reader.read("github.pull_requests")) is Reason.UNAVAILABLE


def test_a_404_of_protection_is_absence_only_in_githubs_own_words(reader, github):
    at = {"owner": "acme", "repo": "web", "branch": "main"}
    github.put(PROTECTION, answer=Refusal(404, "", "Not Found"), **at)
    found = reader.read("github.branch_protection")
    assert reason(found) is Reason.DENIED
    assert "administration:read" in found.run.message


def test_a_branch_that_is_gone_is_no_branch_without_protection(reader, github):
    at = {"owner": "acme", "repo": "web", "branch": "main"}
    github.put(PROTECTION, answer=Refusal(404, "", "Branch not found"), **at)
    assert reason(reader.read("github.branch_protection")) is Reason.UNAVAILABLE


def test_alerts_that_are_switched_off_are_neither_denied_nor_none(reader, github):
    github.trouble(ALERTS, trouble.disable())
    assert reason(reader.read("github.dependabot_alerts")) is Reason.NOT_ENABLED


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (Asked("github.members", GRAPH, "members"), "organization.membersWithRole.edges"),
        (Asked("github.branch_protection", GRAPH, "repositories"), "organization.repositories.nodes"),
        (Asked("github.pull_requests", GRAPH, "active"), "organization.repositories.nodes"),
        (MERGED, "repository.pullRequests.nodes"),
    ],
    ids=str,
)
def test_what_github_says_is_null_in_a_list_is_not_left_out(reader, strike, call, path):
    strike(call, null_first(path), times=1)
    assert reason(reader.read(call.kind)) is Reason.INVALID


def null_first(path):
    """Put null in the place of the first of the list at *path*, as GraphQL does with what cannot be resolved."""

    def bent(reply):
        body = json.loads(reply.body)
        jmespath.search(f"data.{path}", body)[0] = None
        return replace(reply, body=json.dumps(body).encode())

    return trouble.Trouble("null", reply=bent)


def test_no_secret_and_no_address_is_in_what_is_recorded(reader, github, monkeypatch):
    session = reader.session()
    session.principal()
    github.trouble("*", trouble.refuse(403, "", f"no access for {PLANTED}"))
    found = reader.read("github.members", session)
    said = found.run.message + found.run.hint
    assert "fake-" not in said and PLANTED not in said

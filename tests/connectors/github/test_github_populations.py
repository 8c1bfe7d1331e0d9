"""For every kind: the population is what the organisation holds, over more than two pages of every call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.model import Detail, Outcome
from connectors.github import connector
from tests.connectors.github.conftest import items
from tests.connectors.github.organisation import (
    ALERTS,
    GRAPH,
    HELD,
    MEMBERS,
    NOW,
    PLANTED,
    PROTECTION,
    RULES,
    ago,
    pull,
)

every_kind = pytest.mark.parametrize("kind", sorted(connector.kinds()))

# Calls for five members, five repositories, nine pull requests and five alerts in pages of two. In pages as long as
# GitHub's it is one a list, two more a repository with a default branch, two a repository with merges in the window.
CALLS = {
    "github.members": {"GRAPHQL members": 3},
    "github.branch_protection": {"GRAPHQL repositories": 3, PROTECTION: 4, RULES: 6},
    "github.pull_requests": {
        "GRAPHQL active": 3,
        "GRAPHQL merged": 5,
        "GRAPHQL touched": 2,
        "GRAPHQL reviews": 6,
        "GRAPHQL checks": 6,
    },
    "github.dependabot_alerts": {ALERTS: 3},
}


@every_kind
def test_the_population_is_what_the_organisation_holds(reader, kind):
    found = reader.read(kind)
    assert found.run.outcome is Outcome.COLLECTED, found.run.message
    assert items(found).keys() == HELD[kind]
    assert all(each.drained and each.first_request_id and each.first_date for each in found.run.operations)


@every_kind
def test_no_call_is_made_twice(reader, github, kind):
    session = reader.session()
    session.principal()
    github.calm()
    found = reader.read(kind, session)
    asked = {each.operation: each.calls for each in found.run.operations}
    assert asked == {as_declared(name): count for name, count in CALLS[kind].items()}
    assert sum(github.calls.values()) == sum(asked.values())


def as_declared(name):
    return (
        name.replace("{owner}/{repo}", "{org}/{name}").replace("{branch}", "{default_branch}")
        if "/repos/" in name
        else name
    )


@every_kind
def test_two_readings_of_one_state_have_one_digest(reader, kind):
    assert reader.read(kind).run.population == reader.read(kind).run.population


def test_a_second_factor_that_github_does_not_tell_is_unknown_and_never_on(reader):
    found = items(reader.read("github.members"))
    assert {key: each["hasTwoFactorEnabled"] for key, each in found.items()} == {
        key: "unknown" if told is None else told for key, told in MEMBERS.items()
    }
    assert [key for key, each in found.items() if each["role"] == "ADMIN"] == ["1"]


def test_a_branch_without_protection_is_told_apart_from_one_that_has_some(reader):
    found = items(reader.read("github.branch_protection"))
    assert found["acme/api"]["protection"]["required_status_checks"]["checks"] == [{"context": "a", "app_id": 15}]
    assert [each["ruleset_id"] for each in found["acme/api"]["rules"]] == [0, 1, 2, 3, 4]
    assert (found["acme/web"]["protection"], found["acme/web"]["rules"]) == (None, [])
    assert (found["acme/plan"]["protection"], found["acme/plan"]["rules"]) == (None, None)


def test_an_archived_repository_is_read_and_an_empty_one_is_asked_nothing(reader, github):
    found = items(reader.read("github.branch_protection"))
    assert found["acme/old"]["archived"] and found["acme/old"]["protection"]
    assert found["acme/empty"]["empty"] and "protection" not in found["acme/empty"]
    assert "empty" not in {ask.path["repo"] for ask in github.asks if ask.name in (PROTECTION, RULES)}


def test_of_people_who_may_push_only_who_they_are_is_kept(reader):
    found = reader.read("github.branch_protection")
    reviews = items(found)["acme/api"]["protection"]["required_pull_request_reviews"]
    (user,) = reviews["bypass_pull_request_allowances"]["users"]
    assert user == {"login": "ana", "id": 1, "type": user["type"]}
    assert PLANTED.encode() not in b"".join(each.data for each in found.artifacts)


def test_reviews_and_checks_beyond_the_first_page_are_all_there(reader):
    found = items(reader.read("github.pull_requests"))["PR_1"]
    assert [each["author"]["login"] for each in found["allReviews"]] == [f"reviewer{n}" for n in range(5)]
    assert [each["name"] for each in found["allChecks"]] == [f"check{n}" for n in range(5)]
    assert len(found["reviews"]["nodes"]) == 2


def test_a_merge_says_who_wrote_approved_and_merged_it_and_into_what(reader):
    found = items(reader.read("github.pull_requests"))["PR_3"]
    assert (found["author"]["login"], found["mergedBy"]["login"]) == ("author", "author")
    assert found["reviews"] == {
        "nodes": [
            {
                "state": "APPROVED",
                "submittedAt": ago(3),
                "author": {"login": "reviewer0"},
                "authorCanPushToRepository": True,
                "commit": {"oid": "a" * 40},
            }
        ]
    }
    assert found["baseRefName"] == "main" and found["repository"]["nameWithOwner"] == "acme/api"
    assert found.keys().isdisjoint({"title", "body", "updatedAt"})


def test_a_pull_request_that_is_touched_while_the_list_is_read_is_not_passed_over(reader, organisation):
    """It was on the third page when the first was read, and on the first when the third was."""
    last = organisation.pulls["api"][4]

    def touch(repository, after):
        if repository == "api" and after:
            last["updatedAt"] = ago(-1)

    organisation.before = touch
    assert items(reader.read("github.pull_requests")).keys() == HELD["github.pull_requests"]


def test_more_touched_ones_than_one_page_holds_are_truncated(reader, organisation):
    def touch(repository, after):
        if repository == "api" and after:
            for each in organisation.pulls["api"][2:5]:
                each["updatedAt"] = ago(-1)

    organisation.before = touch
    found = reader.read("github.pull_requests")
    assert found.run.reason and found.run.reason.value == "truncated", found.run.message
    assert "GRAPHQL touched" in found.run.message
    assert not found.changes


def test_the_next_window_begins_at_the_last_one_less_a_day(reader, organisation, github):
    head = reader.read("github.pull_requests")
    organisation.pulls["web"].append(pull("web", 10, 0, touched=0))
    after = reader.clock.move(timedelta(hours=20))
    organisation.pulls["web"][-1] |= {"mergedAt": ago(-0.5), "updatedAt": ago(-0.5)}
    github.calm()
    again = reader.read("github.pull_requests", head=known(head))
    assert items(again).keys() == {"PR_10"}
    assert again.run.window.since == head.run.window.until - timedelta(days=1) < after


def known(found):
    """Return the head that *found* leaves."""
    from collector.model import Head

    contents = {each.key_digest: each.artifact for each in found.changes}
    keys = {each.key_digest: each.key for each in found.changes}
    return Head(found.run.subject, contents=contents, keys=keys, watermark=found.run.watermark_after)


@pytest.mark.parametrize("kind", ["github.pull_requests", "github.dependabot_alerts"])
def test_nothing_at_all_is_empty_and_not_failed(reader, organisation, github, kind):
    organisation.pulls = {name: [] for name in organisation.pulls}
    github.put(ALERTS, org="acme", items=[])
    found = reader.read(kind)
    assert (found.run.outcome, found.run.detail) == (Outcome.COLLECTED, Detail.EMPTY)


def test_what_did_not_change_is_asked_for_by_its_etag(reader, github):
    for _ in range(2):
        assert reader.read("github.branch_protection").run.outcome is Outcome.COLLECTED
    asked = [ask.headers.get("if-none-match") for ask in github.asks if ask.name == PROTECTION]
    assert sum(each is not None for each in asked) == 2


def test_the_window_of_the_first_reading_is_as_long_as_github_keeps_checks(reader):
    window = reader.read("github.pull_requests").run.window
    assert (window.since, window.until) == (window.until - timedelta(days=400), window.until)
    assert window.until >= NOW


def test_graphql_is_asked_with_variables_and_no_value_in_its_text(reader, github):
    reader.read("github.pull_requests")
    bodies = [ask.body for ask in github.asks if ask.name == GRAPH]
    assert all("acme" not in body["query"] for body in bodies)
    assert {body["variables"].get("org", "acme") for body in bodies} == {"acme"}

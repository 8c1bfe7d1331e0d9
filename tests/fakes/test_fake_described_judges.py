"""What the vendors' descriptions do not allow is refused, in requests and in fixtures, and named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests

from tests.fakes.described import Auth, FixtureError, Refusal, described
from tests.fakes.described.allowed import exceptions
from tests.fakes.described.openapi import OpenApi
from tests.fakes.described.vendors import ARM, GCP, GITHUB, GRAPH, GWORKSPACE, JIRA, OKTA

_REPOS = "GET /orgs/{org}/repos"
_JQL = "/rest/api/3/search/jql"


def _post(body):
    return {"json": body}


@pytest.mark.parametrize(
    ("vendor", "method", "path", "said", "rule"),
    [
        (GITHUB, "GET", "/orgs/acme/repositories", {}, "describes no GET /orgs/acme/repositories"),
        (GITHUB, "PUT", "/orgs/acme/repos", {}, "describes no PUT"),
        (GITHUB, "GET", "/orgs/acme/repos?typ=all", {}, "unknown: typ in the query"),
        (GITHUB, "GET", "/orgs/acme/repos?type=any", {}, "enum: type: 'any' is not one of all, public"),
        (GITHUB, "GET", "/orgs/acme/repos?per_page=many", {}, "type: per_page: str instead of integer"),
        (GITHUB, "GET", "/orgs/acme/repos", _post({"org": "acme"}), "unknown: no body is expected"),
        (GCP, "GET", "/compute/v3/projects/p/global/firewalls", {}, "describes no GET"),
        (GCP, "GET", "/storage/storage/v1/b", {}, "required: project in the query is missing"),
        (GCP, "GET", "/compute/compute/v1/projects/P_1/global/firewalls", {}, "limit: project: 'P_1' does not match"),
        (GCP, "POST", "/logging/v2/entries:list", _post({"resources": []}), "unknown: resources: unknown"),
        (GCP, "POST", "/logging/v2/entries:list", _post({"pageSize": "5"}), "type: pageSize: str instead of integer"),
        (
            GCP,
            "POST",
            "/logging/v2/entries:list",
            {"data": "{"},
            "type: the body of /logging/v2/entries:list is no JSON",
        ),
        (GCP, "POST", "/logging/v2/entries:list", {"data": "{}"}, "type: the body's Content-Type is 'missing'"),
        (GWORKSPACE, "GET", "/admin/admin/directory/v1/users", {}, "rule: either customer or domain must be given"),
        (
            GWORKSPACE,
            "GET",
            "/admin/admin/directory/v1/users?customer=c&maxResults=501",
            {},
            "limit: maxResults: 501 is not between 1 and 500",
        ),
        (GRAPH, "GET", "/v1.0/users?$slect=id", {}, "unknown: $slect in the query"),
        (GRAPH, "GET", "/v1.0/groups?$select=id,nme", {}, "enum: $select[]: 'nme' is not one of"),
        (GRAPH, "GET", "/v1.0/users?$count=true", {}, "rule: $count needs the header ConsistencyLevel: eventual"),
        (GRAPH, "GET", "/v1.0/users?$top=1000", {}, "rule: $top is at most 999"),
        (GRAPH, "GET", "/users", {}, "describes no GET /users"),
        (ARM, "GET", "/subscriptions", {}, "describes no GET /subscriptions"),
        (ARM, "GET", "/subscriptions?api-version=2011-01-01", {}, "in version 2011-01-01"),
        (OKTA, "GET", "/api/v1/users?page=2", {}, "unknown: page in the query"),
        (OKTA, "GET", "/api/v1/users?limit=all", {}, "type: limit: str instead of integer"),
        (JIRA, "POST", _JQL, _post({"jql": "x", "startAt": 50}), "unknown: startAt: unknown to the description"),
        (JIRA, "POST", _JQL, {}, "required: the body is missing"),
    ],
)
def test_a_request_that_the_description_does_not_allow_fails_the_test_and_names_the_rule(
    vendor, method, path, said, rule
):
    fake = described(vendor)
    with pytest.raises(AssertionError) as failed, fake:
        url = fake.url.removesuffix(vendor.prefix) + path
        answer = requests.request(method, url, headers=fake.headers(), timeout=10, **said)
        assert answer.status_code in (400, 404)
    assert rule in str(failed.value)


@pytest.mark.parametrize("vendor", [ARM, GCP, GITHUB, GRAPH, GWORKSPACE, JIRA, OKTA], ids=lambda vendor: vendor.name)
@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({}, "not absent"),
        ({"Authorization": "Digest x"}, "not Digest"),
        ({"Authorization": "Bearer made-up"}, "nobody issued this token"),
    ],
)
def test_a_request_without_a_token_of_the_vendor_is_refused_as_the_vendor_does(vendor, headers, rule):
    paths = {
        "arm": "/subscriptions?api-version=2019-06-01",
        "gcp": "/cloudresourcemanager/v3/projects:search",
        "github": "/orgs/acme/repos",
        "graph": "/users",
        "gworkspace": "/admin/admin/directory/v1/users?customer=c",
        "jira": "/rest/api/3/users/search",
        "okta": "/api/v1/users",
    }
    with described(vendor) as fake:
        answer = requests.get(fake.url + paths[vendor.name], headers=headers, timeout=10)
        assert answer.status_code == 401
        assert rule in fake.violations.pop()


def test_a_token_that_is_over_gets_the_vendors_401_and_is_no_violation():
    with described(GITHUB) as github:
        github.put(_REPOS, items=[])
        old = github.headers()
        assert requests.get(f"{github.url}/orgs/acme/repos", headers=old, timeout=10).status_code == 200
        github.expire()
        refused = requests.get(f"{github.url}/orgs/acme/repos", headers=old, timeout=10)
        assert (refused.status_code, refused.json()["message"]) == (401, "Bad credentials")
        assert requests.get(f"{github.url}/orgs/acme/repos", headers=github.headers(), timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"full_nam": "acme/x"}, r"unknown: \[\].full_nam: unknown to the description"),
        ({"id": "7"}, r"type: \[\].id: str instead of integer"),
        ({"name": None}, r"null: \[\].name: null is not allowed"),
        ({"created_at": "yesterday"}, r"type: \[\].created_at: 'yesterday' is no date-time"),
        ({"owner": {"login": "acme"}}, r"required: \[\].owner.avatar_url: required and missing"),
        ({"security_and_analysis": {"secret_scanning": {"status": "on"}}}, r"enum: .*status: 'on' is not one of"),
    ],
)
def test_an_item_that_the_answers_schema_does_not_allow_is_refused_when_it_is_put(change, rule):
    with described(GITHUB) as github, pytest.raises(FixtureError, match=rule):
        github.put(_REPOS, items=[github.sample(_REPOS) | change])


@pytest.mark.parametrize(
    ("vendor", "operation", "item"),
    [
        (GCP, "compute.v1:firewalls.list", {"name": "open", "sourceRange": ["0.0.0.0/0"]}),
        (GRAPH, "GET /users", {"id": "1", "accountEnable": True}),
        (ARM, "GET /subscriptions", {"subscriptionId": "1", "status": "Enabled"}),
        (OKTA, "GET /api/v1/users", {"id": "1", "state": "ACTIVE"}),
        (OKTA, "GET /api/v1/users", {"id": "1", "status": "GONE"}),
        (JIRA, "POST /rest/api/3/search/jql", {"id": "1", "issueKey": "A-1"}),
        (GWORKSPACE, "admin.directory_v1:users.list", {"id": "1", "isEnrolledIn2sv": True}),
    ],
)
def test_every_vendors_schemas_refuse_fields_and_values_they_do_not_know(vendor, operation, item):
    with described(vendor) as fake, pytest.raises(FixtureError, match=r"unknown|enum"):
        fake.put(operation, items=[item])


def test_what_a_function_returns_is_judged_when_it_does():
    with described(GITHUB) as github:
        github.put(_REPOS, items=lambda ask: [{"id": 1}])
        assert requests.get(f"{github.url}/orgs/acme/repos", headers=github.headers(), timeout=10).status_code == 500
        assert "required: [].archive_url" in github.violations.pop()


def test_a_fixture_bound_to_a_parameter_that_the_operation_lacks_is_refused():
    with described(GITHUB) as github, pytest.raises(FixtureError, match="owner"):
        github.put(_REPOS, owner="acme", items=[])


def test_an_operation_that_the_description_lacks_cannot_be_put():
    with described(GITHUB) as github, pytest.raises(KeyError, match="describes no GET /orgs"):
        github.put("GET /orgs/{org}/repositories", items=[])


def test_a_parameter_that_no_fixture_has_heard_of_fails_the_test():
    """A fake that ignores ?role=admin would show members as administrators."""
    members = "GET /orgs/{org}/members"
    with described(GITHUB) as github:
        everyone = [github.sample(members, n, site_admin=n == 0) for n in range(3)]
        github.put(members, items=everyone)
        asked = f"{github.url}/orgs/acme/members?role=admin"
        requests.get(asked, headers=github.headers(), timeout=10)
        assert "no fixture says what role leaves" in github.violations.pop()
        github.put(members, items=everyone, where={"role": lambda member, _: member["site_admin"]})
        assert len(requests.get(asked, headers=github.headers(), timeout=10).json()) == 1


def test_nothing_put_fails_the_test_and_put_for_others_is_the_vendors_404():
    repo = "GET /repos/{owner}/{repo}"
    with described(GITHUB) as github:
        requests.get(f"{github.url}/repos/acme/one", headers=github.headers(), timeout=10)
        assert "nothing was put for GET /repos/{owner}/{repo}" in github.violations.pop()
        github.put(repo, owner="acme", repo="one", answer=github.sample(repo))
        assert requests.get(f"{github.url}/repos/acme/one", headers=github.headers(), timeout=10).status_code == 200
        assert requests.get(f"{github.url}/repos/acme/two", headers=github.headers(), timeout=10).status_code == 404


def test_a_thing_that_was_taken_is_gone_for_its_detail_while_the_list_still_names_it():
    repo = "GET /repos/{owner}/{repo}"
    with described(GITHUB) as github:
        github.put(repo, owner="acme", repo="one", answer=github.sample(repo))
        github.take(repo, owner="acme", repo="one")
        assert requests.get(f"{github.url}/repos/acme/one", headers=github.headers(), timeout=10).status_code == 404


def test_an_answer_may_be_a_refusal():
    protection = "GET /repos/{owner}/{repo}/branches/{branch}/protection"
    with described(GITHUB) as github:
        github.put(protection, answer=Refusal(404, "", "Branch not protected"))
        url = f"{github.url}/repos/acme/one/branches/main/protection"
        answer = requests.get(url, headers=github.headers(), timeout=10)
        assert (answer.status_code, answer.json()["message"]) == (404, "Branch not protected")


def test_every_declared_exception_has_a_reason():
    assert all(len(exception.reason.split()) > 3 for exception in exceptions())


_MADE = [
    (ARM, "GET /{scope}/providers/Microsoft.Authorization/roleAssignments"),
    (ARM, "GET /subscriptions/{subscriptionId}/providers/microsoft.insights/eventtypes/management/values"),
    (ARM, "GET /subscriptions/{subscriptionId}/providers/Microsoft.Network/networkSecurityGroups"),
    (ARM, "GET /subscriptions/{subscriptionId}/providers/Microsoft.Security/pricings"),
    (ARM, "GET /subscriptions/{subscriptionId}/providers/Microsoft.Storage/storageAccounts"),
    (GCP, "cloudasset.v1:v1.searchAllIamPolicies"),
    (GCP, "iam.v1:projects.serviceAccounts.keys.list"),
    (GCP, "logging.v2:organizations.sinks.list"),
    (GCP, "orgpolicy.v2:projects.policies.list"),
    (GCP, "sqladmin.v1:instances.list"),
    (GCP, "storage.v1:buckets.list"),
    (GITHUB, "GET /installation/repositories"),
    (GITHUB, "GET /orgs/{org}/members"),
    (GITHUB, "GET /repos/{owner}/{repo}/pulls"),
    (GITHUB, "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews"),
    (GITHUB, "GET /repos/{owner}/{repo}/rules/branches/{branch}"),
    (GRAPH, "GET /identity/conditionalAccess/namedLocations"),
    (GRAPH, "GET /identity/conditionalAccess/policies"),
    (GRAPH, "GET /reports/authenticationMethods/userRegistrationDetails"),
    (GWORKSPACE, "admin.directory_v1:users.list"),
    (JIRA, "GET /rest/api/3/issue/{issueIdOrKey}/changelog"),
    (OKTA, "GET /api/v1/logs"),
    (OKTA, "GET /api/v1/users"),
]


@pytest.mark.parametrize(("vendor", "operation"), _MADE, ids=[each[1] for each in _MADE])
def test_an_item_that_was_made_up_from_the_schema_is_allowed_by_it(vendor, operation):
    with described(vendor) as fake:
        fake.put(operation, items=[fake.sample(operation, number) for number in range(5)])


def test_an_answer_that_is_no_list_is_made_up_too():
    protection = "GET /repos/{owner}/{repo}/branches/{branch}/protection"
    with described(GITHUB) as github:
        github.put(protection, answer=github.sample(protection))


def test_oktas_own_models_judge_as_well():
    """Their validators know what no schema says: which status a user can be on the way to."""
    with described(OKTA) as okta, pytest.raises(FixtureError, match="transitioningToStatus"):
        okta.put("GET /api/v1/users", items=[okta.sample("GET /api/v1/users", transitioningToStatus="LOST")])


def test_an_api_key_comes_bare_in_a_header_of_the_vendors():
    vendor = replace(GITHUB, auth=Auth((), name="X-Api-Key"))
    with described(vendor) as fake:
        fake.put(_REPOS, items=[])
        assert set(fake.headers()) == {"X-Api-Key"}
        url = f"{fake.url}/orgs/acme/repos"
        assert requests.get(url, headers=fake.headers(), timeout=10).status_code == 200
        assert requests.get(url, timeout=10).status_code == 401
        assert "X-Api-Key is missing" in fake.violations.pop()


def test_basic_carries_the_user_beside_the_token():
    changelog = "GET /rest/api/3/issue/{issueIdOrKey}/changelog"
    with described(JIRA) as jira:
        jira.put(changelog, items=[])
        url = f"{jira.url}/rest/api/3/issue/A-1/changelog"
        assert requests.get(url, auth=("collector@example.com", jira.token()), timeout=10).status_code == 200
        assert requests.get(url, auth=("someone@example.com", jira.token()), timeout=10).status_code == 401
        assert "the user is collector@example.com, not someone@example.com" in jira.violations.pop()


def test_a_newer_version_than_any_package_describes_is_judged_by_the_one_that_is_named_for_it():
    path = "/subscriptions/1/providers/Microsoft.Security/pricings"
    newer = {"Microsoft.Security/pricings@2024-01-01": "2018-06-01"}
    api = OpenApi("arm", ARM.packed, versioned=True, newer=newer)
    assert api.find("GET", path, "2024-01-01") is not None
    assert api.find("GET", path, "2023-01-01") is None

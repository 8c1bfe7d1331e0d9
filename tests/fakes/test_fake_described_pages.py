"""Each vendor pages as it does: plain requests, written from the vendors' documentation, read every page."""

from __future__ import annotations

import pytest
import requests

from tests.fakes.described import described
from tests.fakes.described.vendors import ARM, GCP, GITHUB, GRAPH, GWORKSPACE, JIRA, OKTA

_SEARCH = "cloudresourcemanager.v3:projects.search"
_CHANGELOG = "GET /rest/api/3/issue/{issueIdOrKey}/changelog"


def _by_token(fake, path, key):
    token, pages = None, []
    while token != "":
        params = {"pageToken": token} if token else {}
        body = requests.get(fake.url + path, params=params, headers=fake.headers(), timeout=10).json()
        pages.append(body.get(key, []))
        token = body.get("nextPageToken", "")
    return pages


def _by_link_in_body(fake, path, key):
    url, pages = fake.url + path, []
    while url:
        body = requests.get(url, headers=fake.headers(), timeout=10).json()
        pages.append(body["value"])
        url = body.get(key)
    return pages


def _by_link_header(fake, path, _):
    url, pages = fake.url + path, []
    while url:
        answer = requests.get(url, headers=fake.headers(), timeout=10)
        pages.append(answer.json())
        url = answer.links.get("next", {}).get("url")
    return pages


def _by_token_in_body(fake, path, key):
    body, pages, last = {"jql": "updated >= -1d", "fields": ["*all"]}, [], False
    while not last:
        said = requests.post(fake.url + path, json=body, headers=fake.headers(), timeout=10).json()
        pages.append(said[key])
        last = said["isLast"]
        body["nextPageToken"] = said.get("nextPageToken")
    return pages


def _by_offset(fake, path, key):
    start, total, pages = 0, 1, []
    while start < total:
        said = requests.get(fake.url + path, params={"startAt": start}, headers=fake.headers(), timeout=10).json()
        pages.append(said[key])
        start, total = start + len(said[key]), said["total"]
    return pages


_WALKS = [
    (GCP, _SEARCH, "/cloudresourcemanager/v3/projects:search", _by_token, "projects"),
    (GCP, "compute.v1:firewalls.list", "/compute/compute/v1/projects/p-1/global/firewalls", _by_token, "items"),
    (
        GWORKSPACE,
        "admin.directory_v1:users.list",
        "/admin/admin/directory/v1/users?customer=my_customer",
        _by_token,
        "users",
    ),
    (GRAPH, "GET /users", "/users?$select=id,displayName", _by_link_in_body, "@odata.nextLink"),
    (ARM, "GET /subscriptions", "/subscriptions?api-version=2019-06-01", _by_link_in_body, "nextLink"),
    (GITHUB, "GET /orgs/{org}/repos", "/orgs/acme/repos", _by_link_header, ""),
    (GITHUB, "GET /orgs/{org}/dependabot/alerts", "/orgs/acme/dependabot/alerts", _by_link_header, ""),
    (OKTA, "GET /api/v1/users", "/api/v1/users", _by_link_header, ""),
    (JIRA, "POST /rest/api/3/search/jql", "/rest/api/3/search/jql", _by_token_in_body, "issues"),
    (JIRA, _CHANGELOG, "/rest/api/3/issue/A-1/changelog", _by_offset, "values"),
]


@pytest.mark.parametrize("listing", _WALKS, ids=[each[1] for each in _WALKS])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_reading_as_the_vendor_documents_it_gives_every_item_once_in_small_pages(listing, count):
    vendor, operation, path, walk, key = listing
    with described(vendor, pages_of=2) as fake:
        own = "name" if operation == "compute.v1:firewalls.list" else "sha" if "repos" in operation else "id"
        made = [fake.sample(operation, n) for n in range(count)]
        fake.put(operation, items=made)
        pages = walk(fake, path, key)
        assert [len(page) for page in pages] == ([2] * (count // 2) + [1] * (count % 2) or [0])
        shown = [item for page in pages for item in page]
        assert [item.get(own) for item in shown] == [item.get(own) for item in made]
        assert fake.calls == {operation: len(pages)}


def test_an_aggregated_list_pages_over_its_scopes():
    operation = "compute.v1:instances.aggregatedList"
    with described(GCP, pages_of=2) as gcp:
        gcp.put(operation, items={f"zones/{n}": gcp.sample(operation, n) for n in range(5)})
        pages = _by_token(gcp, "/compute/compute/v1/projects/p-1/aggregated/instances", "items")
        assert [list(page) for page in pages] == [["zones/0", "zones/1"], ["zones/2", "zones/3"], ["zones/4"]]


def test_a_token_is_good_only_for_the_question_it_was_given_for():
    with described(GCP, pages_of=1) as gcp:
        gcp.put(_SEARCH, items=lambda _: [gcp.sample(_SEARCH, n) for n in range(3)])
        url = f"{gcp.url}/cloudresourcemanager/v3/projects:search"
        token = requests.get(url, headers=gcp.headers(), timeout=10).json()["nextPageToken"]
        other = {"pageToken": token, "query": "state:ACTIVE"}
        assert requests.get(url, params=other, headers=gcp.headers(), timeout=10).status_code == 400
        assert "was not given for this question" in gcp.violations.pop()


@pytest.mark.parametrize(
    ("vendor", "operation", "path", "key", "most"),
    [
        (GITHUB, "GET /orgs/{org}/dependabot/alerts", "/orgs/acme/dependabot/alerts?per_page=100", None, 100),
        (GITHUB, "GET /orgs/{org}/dependabot/alerts", "/orgs/acme/dependabot/alerts", None, 30),
        (OKTA, "GET /api/v1/users", "/api/v1/users?limit=1000", None, 200),
        (GWORKSPACE, "admin.directory_v1:users.list", "/admin/admin/directory/v1/users?customer=c", "users", 100),
        (GRAPH, "GET /users", "/users?$top=5", "value", 5),
    ],
)
def test_pages_are_as_long_as_asked_for_and_documented(vendor, operation, path, key, most):
    with described(vendor) as fake:
        fake.put(operation, items=[fake.sample(operation)] * 201)
        body = requests.get(fake.url + path, headers=fake.headers(), timeout=10).json()
        assert len(body[key] if key else body) == most


def test_oktas_log_has_an_end_only_where_the_question_has_one():
    logs = "GET /api/v1/logs"
    with described(OKTA) as okta:
        okta.put(logs, items=lambda ask: [] if "after" in ask.query else [okta.sample(logs)])
        for query, leads_on in (("since=2026-01-01T00:00:00Z", True), ("until=2026-02-01T00:00:00Z", False)):
            answer = requests.get(f"{okta.url}/api/v1/logs?{query}", headers=okta.headers(), timeout=10)
            assert ("next" in answer.links) == leads_on


def test_graph_gives_only_what_was_selected():
    with described(GRAPH) as graph:
        graph.put("GET /users", items=[graph.sample("GET /users", accountEnabled=True)])
        url = f"{graph.url}/users?$select=accountEnabled"
        (user,) = requests.get(url, headers=graph.headers(), timeout=10).json()["value"]
        assert set(user) == {"id", "accountEnabled", "@odata.type"}


def test_jiras_newer_search_gives_ids_alone_unless_fields_are_asked_for():
    jql = "POST /rest/api/3/search/jql"
    with described(JIRA) as jira:
        jira.put(jql, items=[{"id": "1", "key": "A-1", "fields": {"summary": "s", "status": {"name": "Done"}}}])
        url = f"{jira.url}/rest/api/3/search/jql"

        def asked(body):
            return requests.post(url, json=body, headers=jira.headers(), timeout=10).json()["issues"]

        assert asked({"jql": "x"}) == [{"id": "1"}]
        assert asked({"jql": "x", "fields": ["summary"]}) == [{"id": "1", "key": "A-1", "fields": {"summary": "s"}}]


def test_a_bare_list_with_an_offset_ends_with_an_empty_page():
    operation = "GET /rest/api/3/users/search"
    with described(JIRA, pages_of=2) as jira:
        jira.put(operation, items=[jira.sample(operation, n) for n in range(3)])
        url = f"{jira.url}/rest/api/3/users/search"
        pages = [
            requests.get(url, params={"startAt": start}, headers=jira.headers(), timeout=10).json()
            for start in (0, 2, 3)
        ]
        assert [len(page) for page in pages] == [2, 1, 0]

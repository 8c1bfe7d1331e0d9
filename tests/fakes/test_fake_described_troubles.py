"""Bad days on demand: each as the vendor has it, on the operation and the call that a test names."""

from __future__ import annotations

import json
import time

import pytest
import requests

from tests.fakes.described import described
from tests.fakes.described.graphql import errors_only
from tests.fakes.described.trouble import (
    cut,
    deny,
    disable,
    elsewhere,
    empty_page,
    expire,
    fail,
    garbage,
    go_round,
    gone,
    hang_up,
    lose_token,
    refuse,
    repeat_token,
    shorten,
    slow,
    slow_down,
    throttle,
)
from tests.fakes.described.vendors import ARM, GCP, GITHUB, GRAPH, GWORKSPACE, JIRA, OKTA, VENDORS

_REPOS = "GET /orgs/{org}/repos"
_ONE = {
    "arm": ("GET /subscriptions", "/subscriptions?api-version=2019-06-01"),
    "gcp": ("cloudresourcemanager.v3:projects.search", "/cloudresourcemanager/v3/projects:search"),
    "github": (_REPOS, "/orgs/acme/repos"),
    "graph": ("GET /users", "/users"),
    "gworkspace": ("admin.directory_v1:users.list", "/admin/admin/directory/v1/users?customer=c"),
    "jira": ("GET /rest/api/3/issue/{issueIdOrKey}/changelog", "/rest/api/3/issue/A-1/changelog"),
    "okta": ("GET /api/v1/users", "/api/v1/users"),
}


@pytest.fixture
def asked():
    """Ask a vendor's operation once with a trouble, as a client with a good token does."""

    def ask(vendor, *troubles, times=1, method="GET", **said):
        operation, path = _ONE[vendor.name]
        with described(vendor, pages_of=2) as fake:
            fake.put(operation, items=[fake.sample(operation, n) for n in range(3)])
            for trouble in troubles:
                fake.trouble(operation, trouble)
            answers = [
                requests.request(method, fake.url + path, headers=fake.headers(), timeout=10, **said)
                for _ in range(times)
            ]
            return answers[0] if times == 1 else answers

    return ask


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize(
    ("trouble", "statuses"),
    [
        (deny(), {403}),
        (throttle(), {403, 429}),
        (expire(), {401}),
        (gone(), {404}),
        (fail(500), {500}),
        (fail(503), {503}),
        (refuse(418, "TEAPOT", "no coffee"), {418}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_every_vendor_says_no_in_json_of_its_own(asked, vendor, trouble, statuses):
    answer = asked(vendor, trouble)
    assert answer.status_code in statuses
    assert answer.json()


@pytest.mark.parametrize(
    ("vendor", "trouble", "said", "where"),
    [
        (GCP, deny(), (403, "IAM_PERMISSION_DENIED"), ["error", "details", 0, "reason"]),
        (GCP, deny(), (403, "PERMISSION_DENIED"), ["error", "status"]),
        (GCP, disable(), (403, "SERVICE_DISABLED"), ["error", "details", 0, "reason"]),
        (GCP, throttle(), (429, "RESOURCE_EXHAUSTED"), ["error", "status"]),
        (GWORKSPACE, slow_down(), (403, "userRateLimitExceeded"), ["error", "details", 0, "reason"]),
        (GRAPH, deny(), (403, "Authorization_RequestDenied"), ["error", "code"]),
        (GRAPH, expire(), (401, "InvalidAuthenticationToken"), ["error", "code"]),
        (ARM, deny(), (403, "AuthorizationFailed"), ["error", "code"]),
        (ARM, disable(), (409, "MissingSubscriptionRegistration"), ["error", "code"]),
        (OKTA, deny(), (403, "E0000006"), ["errorCode"]),
        (OKTA, throttle(), (429, "E0000047"), ["errorCode"]),
        (GITHUB, deny(), (403, "Resource not accessible by integration"), ["message"]),
        (JIRA, expire(), (401, "Client must be authenticated to access this resource."), ["errorMessages", 0]),
    ],
)
def test_the_reason_stands_where_the_vendor_puts_it(asked, vendor, trouble, said, where):
    answer = asked(vendor, trouble)
    found = answer.json()
    for step in where:
        found = found[step]
    assert (answer.status_code, found) == said


@pytest.mark.parametrize(
    ("vendor", "trouble", "header"),
    [
        (GCP, throttle(7), "Retry-After"),
        (GRAPH, throttle(7), "Retry-After"),
        (ARM, throttle(7), "Retry-After"),
        (JIRA, throttle(7), "Retry-After"),
        (GITHUB, slow_down(7), "Retry-After"),
    ],
)
def test_a_throttled_client_is_told_how_long_to_wait(asked, vendor, trouble, header):
    assert asked(vendor, trouble).headers[header] == "7"


@pytest.mark.parametrize(
    ("vendor", "remaining", "reset"),
    [
        (GITHUB, "x-ratelimit-remaining", "x-ratelimit-reset"),
        (OKTA, "x-rate-limit-remaining", "x-rate-limit-reset"),
    ],
)
def test_where_the_vendor_says_a_time_instead_it_is_in_the_future(asked, vendor, remaining, reset):
    answer = asked(vendor, throttle(60))
    assert answer.headers[remaining] == "0"
    assert 50 < int(answer.headers[reset]) - time.time() < 62


def test_a_trouble_strikes_from_the_call_it_is_told_and_as_often():
    with described(GITHUB) as github:
        github.put(_REPOS, items=[])
        github.trouble("GET *", fail(503), nth=2, times=2)
        url = f"{github.url}/orgs/acme/repos"
        codes = [requests.get(url, headers=github.headers(), timeout=10).status_code for _ in range(4)]
        assert codes == [200, 503, 503, 200]
        assert github.calls == {_REPOS: 4}


def test_a_trouble_may_strike_one_thing_only():
    repo = "GET /repos/{owner}/{repo}"
    with described(GITHUB) as github:
        github.put(repo, answer=github.sample(repo))
        github.trouble(repo, deny(), when=lambda ask: ask.path["repo"] == "secret")
        codes = [
            requests.get(f"{github.url}/repos/acme/{name}", headers=github.headers(), timeout=10).status_code
            for name in ("open", "secret")
        ]
        assert codes == [200, 403]


def test_a_wrong_request_is_a_violation_even_where_trouble_waits_for_it():
    with described(GITHUB) as github:
        github.trouble(_REPOS, deny())
        requests.get(f"{github.url}/orgs/acme/repos?typ=all", headers=github.headers(), timeout=10)
        assert "unknown: typ" in github.violations.pop()


@pytest.mark.parametrize(
    ("vendor", "key"),
    [(GCP, "nextPageToken"), (GRAPH, "@odata.nextLink"), (ARM, "nextLink"), (GWORKSPACE, "nextPageToken")],
)
def test_a_token_can_be_repeated_lost_and_never_end(vendor, key):
    operation, path = _ONE[vendor.name]
    with described(vendor, pages_of=1) as fake:
        fake.put(operation, items=[fake.sample(operation, n) for n in range(3)])

        def page(token=None):
            name = "$skiptoken" if key.endswith("Link") else "pageToken"
            url, params = (token, {}) if token and key.endswith("Link") else (fake.url + path, {name: token})
            body = requests.get(url, params=params, headers=fake.headers(), timeout=10).json()
            return body.get(key)

        second = page(page())
        fake.trouble(operation, repeat_token())
        assert page(second) == second
        fake.calm()
        fake.trouble(operation, lose_token())
        assert page() is None
        fake.calm()
        fake.trouble(operation, go_round())
        assert page(second) is not None


@pytest.mark.parametrize("vendor", [GITHUB, OKTA], ids=lambda vendor: vendor.name)
def test_a_link_header_can_lead_to_another_host(asked, vendor):
    assert asked(vendor, elsewhere()).links["next"]["url"].startswith("https://collector.example.net/")


@pytest.mark.parametrize(("vendor", "key"), [(GRAPH, "@odata.nextLink"), (ARM, "nextLink"), (JIRA, "nextPage")])
def test_a_link_in_the_body_can_lead_to_another_host(asked, vendor, key):
    assert asked(vendor, elsewhere()).json()[key].startswith("https://collector.example.net/")


def test_a_page_can_be_empty_though_more_follow(asked):
    body = asked(GCP, empty_page()).json()
    assert body["projects"] == []
    assert body["nextPageToken"]


def test_a_body_can_be_cut_short_with_or_without_a_matching_length(asked):
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        asked(GITHUB, cut())
    with pytest.raises(json.JSONDecodeError):
        json.loads(asked(GITHUB, shorten()).text)


def test_a_connection_can_be_dropped_and_an_answer_be_late(asked):
    with pytest.raises(requests.exceptions.ConnectionError):
        asked(GITHUB, hang_up())
    started = time.monotonic()
    asked(GITHUB, slow(0.2))
    assert time.monotonic() - started >= 0.2


def test_an_answer_can_be_a_web_page(asked):
    answer = asked(GITHUB, garbage())
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")


def test_graphql_answers_200_with_nothing_but_an_error():
    with described(GITHUB) as github:
        github.trouble("POST /graphql", errors_only())
        url, body = f"{github.url}/graphql", {"query": "{viewer{login}}"}
        answer = requests.post(url, json=body, headers=github.headers(), timeout=10)
        assert (answer.status_code, answer.json()["errors"][0]["type"]) == (200, "RATE_LIMITED")


def test_a_vendor_without_a_trouble_says_so_when_it_is_switched_on():
    with pytest.raises(ValueError, match="jira declares no refusal 'disabled'"), described(JIRA) as jira:
        jira.trouble("*", disable())


def test_an_etag_answers_304_until_something_changes():
    with described(GITHUB) as github:
        github.put(_REPOS, items=[github.sample(_REPOS)])
        url, asking = f"{github.url}/orgs/acme/repos", github.headers()
        asking["If-None-Match"] = requests.get(url, headers=asking, timeout=10).headers["ETag"]
        assert requests.get(url, headers=asking, timeout=10).status_code == 304
        github.put(_REPOS, items=[])
        assert requests.get(url, headers=asking, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("vendor", "header"),
    [
        (ARM, "x-ms-request-id"),
        (GITHUB, "x-github-request-id"),
        (GRAPH, "request-id"),
        (JIRA, "X-ARequestId"),
        (OKTA, "x-okta-request-id"),
    ],
)
def test_every_answer_has_its_own_request_id_and_a_date(asked, vendor, header):
    first, second = asked(vendor, times=2)
    assert first.headers[header] != second.headers[header]
    assert first.headers["Date"].endswith("GMT")

"""GitHub's GraphQL is judged and answered by the schema that GitHub publishes."""

from __future__ import annotations

import pytest
import requests

from tests.fakes.described import FixtureError, described
from tests.fakes.described.graphql import Edge, GraphQl, refused
from tests.fakes.described.vendors import GITHUB
from tests.fakes.described.vendors.github import GRAPHQL

_QUERY = """
query($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: [MERGED], first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { number mergedBy { login } reviews(first: 10) { nodes { state author { login } } } }
    }
  }
}
"""


def _merged(number):
    reviewer = {"__typename": "User", "login": "reviewer"}
    return {
        "number": number,
        "mergedBy": {"__typename": "User", "login": "merger"},
        "reviews": [{"state": "APPROVED", "author": reviewer}],
    }


def _asked(github, query, **variables):
    body = {"query": query, "variables": variables}
    return requests.post(f"{github.url}/graphql", json=body, headers=github.headers(), timeout=10)


def test_a_connection_is_read_page_by_page_over_what_was_seeded():
    found, after, more = [], None, True
    with described(GITHUB) as github:
        repository = {"pullRequests": [_merged(n) for n in range(5)]}
        github.put("POST /graphql", answer=GraphQl(GRAPHQL, {"repository": lambda name, **_: repository}, pages_of=2))
        while more:
            body = _asked(github, _QUERY, owner="acme", name="one", after=after).json()
            page = body["data"]["repository"]["pullRequests"]
            found += [(pull["number"], pull["reviews"]["nodes"][0]["author"]["login"]) for pull in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert found == [(n, "reviewer") for n in range(5)]
        assert github.calls == {"POST /graphql": 3}


def test_an_edge_says_what_is_no_part_of_its_node():
    with described(GITHUB) as github:
        members = [Edge({"login": "ana"}, {"role": "ADMIN"}), {"login": "bo"}]
        organization = {"membersWithRole": members}
        github.put("POST /graphql", answer=GraphQl(GRAPHQL, {"organization": lambda login: organization}))
        query = '{ organization(login: "acme") { membersWithRole(first: 1) { edges { role node { login } } } } }'
        edges = _asked(github, query).json()["data"]["organization"]["membersWithRole"]["edges"]
        assert edges == [{"role": "ADMIN", "node": {"login": "ana"}}]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("{ viewer { loginn } }", "Cannot query field 'loginn' on type 'User'"),
        ("{ viewer {", "Syntax Error"),
        ("{ organization { login } }", "login:)' of type 'String!' is required"),
        ("{ viewer { login } }", "nothing was seeded for Query.viewer"),
        ('{ organization(login: "acme") { repositories { totalCount } } }', "first is None, and must be 1 to 100"),
        ('{ organization(login: "acme") { repositories(first: 101) { totalCount } } }', "first is 101"),
        ('{ organization(login: "acme") { databaseId } }', "Int cannot represent non-integer value: 'many'"),
    ],
)
def test_a_query_that_the_schema_or_the_vendor_does_not_allow_fails_the_test(query, problem):
    with described(GITHUB) as github:
        organization = {"repositories": [], "databaseId": "many"}
        github.put("POST /graphql", answer=GraphQl(GRAPHQL, {"organization": lambda login: organization}))
        assert _asked(github, query).status_code in (400, 500)
        assert problem in github.violations.pop()


def test_a_field_may_be_refused_while_the_rest_is_answered():
    def forbidden(**_):
        raise refused("FORBIDDEN")

    with described(GITHUB) as github:
        organization = {"login": "acme", "samlIdentityProvider": forbidden}
        github.put("POST /graphql", answer=GraphQl(GRAPHQL, {"organization": lambda login: organization}))
        body = _asked(github, '{ organization(login: "acme") { login samlIdentityProvider { id } } }').json()
        assert body["data"]["organization"] == {"login": "acme", "samlIdentityProvider": None}
        assert [(error["type"], error["path"]) for error in body["errors"]] == [
            ("FORBIDDEN", ["organization", "samlIdentityProvider"])
        ]


@pytest.mark.parametrize(
    ("roots", "problem"),
    [
        ({"viewer": {"loginn": "me"}}, r"\.viewer\.loginn: unknown to User"),
        ({"viewer": {"repositories": [{"nam": "one"}]}}, r"\.viewer\.repositories\.nam: unknown to Repository"),
        ({"node": {"id": "1"}}, r"\.node: __typename is needed"),
    ],
)
def test_seeds_that_the_schema_does_not_know_are_refused(roots, problem):
    with pytest.raises(FixtureError, match=problem):
        GraphQl(GRAPHQL, roots)

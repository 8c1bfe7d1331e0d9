"""Clients that were not written here, the vendors' own, walk the fakes and see what was put."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from google.api_core.exceptions import Forbidden
from google.cloud.resourcemanager_v3 import ProjectsClient
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from okta.client import Client
from requests.utils import parse_header_links

from tests.fakes.described import described
from tests.fakes.described.trouble import deny, disable
from tests.fakes.described.vendors import GCP, GWORKSPACE, OKTA

_SEARCH = "cloudresourcemanager.v3:projects.search"


def _projects(gcp):
    endpoint = f"{gcp.url}/cloudresourcemanager"
    return ProjectsClient(
        transport="rest", credentials=Credentials(gcp.token()), client_options={"api_endpoint": endpoint}
    )


def _service(fake, name, version, path=""):
    options = {"api_endpoint": f"{fake.url}/{name}/{path}"}
    return build(name, version, credentials=Credentials(fake.token()), client_options=options, static_discovery=True)


def test_googles_resource_manager_client_walks_projects_page_by_page():
    with described(GCP, pages_of=2) as gcp:
        made = [gcp.sample(_SEARCH, n, name=f"projects/{n}", state="ACTIVE") for n in range(5)]
        gcp.put(_SEARCH, items=made)
        found = [(project.name, project.state.name) for project in _projects(gcp).search_projects()]
        assert found == [(f"projects/{n}", "ACTIVE") for n in range(5)]
        assert gcp.calls[_SEARCH] == 3


def test_googles_resource_manager_client_understands_a_refusal():
    with described(GCP) as gcp:
        gcp.trouble(_SEARCH, deny())
        with pytest.raises(Forbidden) as denied:
            list(_projects(gcp).search_projects())
        assert denied.value.reason == "IAM_PERMISSION_DENIED"


def test_googles_discovery_client_walks_compute_with_its_own_paging():
    operation = "compute.v1:firewalls.list"
    with described(GCP, pages_of=2) as gcp:
        gcp.put(operation, project="p-1", items=[gcp.sample(operation, n, name=f"fw-{n}") for n in range(5)])
        firewalls, names = _service(gcp, "compute", "v1", "compute/v1/").firewalls(), []
        request = firewalls.list(project="p-1")
        while request is not None:
            answer = request.execute()
            names += [each["name"] for each in answer["items"]]
            request = firewalls.list_next(request, answer)
        assert names == [f"fw-{n}" for n in range(5)]


def test_googles_discovery_client_tells_a_disabled_service():
    operation = "compute.v1:firewalls.list"
    with described(GCP) as gcp:
        gcp.trouble(operation, disable())
        with pytest.raises(HttpError) as failed:
            _service(gcp, "compute", "v1", "compute/v1/").firewalls().list(project="p-1").execute()
        assert failed.value.error_details[0]["reason"] == "SERVICE_DISABLED"


def test_googles_discovery_client_walks_the_users_of_a_workspace():
    operation = "admin.directory_v1:users.list"
    with described(GWORKSPACE, pages_of=2) as workspace:
        workspace.put(
            operation, items=[workspace.sample(operation, n, primaryEmail=f"{n}@example.com") for n in range(5)]
        )
        users, found = _service(workspace, "admin", "directory_v1").users(), []
        request = users.list(customer="my_customer", projection="full")
        while request is not None:
            answer = request.execute()
            found += [user["primaryEmail"] for user in answer["users"]]
            request = users.list_next(request, answer)
        assert found == [f"{n}@example.com" for n in range(5)]


def test_oktas_own_client_follows_the_links_to_every_user(monkeypatch):
    operation = "GET /api/v1/users"

    async def walk(okta):
        # The client sends "SSWS" and the token without the blank that the documentation and RFC 7235 have between them.
        settings = {"orgUrl": okta.url, "token": f" {okta.token()}"}
        client, after, found = Client(settings), None, []
        while True:
            users, response, error = await client.list_users(after=after)
            assert error is None
            found += [(user.id, user.status.value) for user in users]
            link = parse_header_links(response.headers["Link"])[-1]
            after = parse_qs(urlsplit(link["url"]).query)["after"][0] if link["rel"] == "next" else None
            if after is None:
                return found

    monkeypatch.setenv("OKTA_TESTING_TESTINGDISABLEHTTPSCHECK", "true")
    with described(OKTA, pages_of=2) as okta:
        okta.put(operation, items=[okta.sample(operation, n, status="SUSPENDED") for n in range(5)])
        assert asyncio.run(walk(okta)) == [(f"id-{n}", "SUSPENDED") for n in range(5)]


def test_googles_discovery_client_asks_for_several_values_of_one_parameter():
    keys = "iam.v1:projects.serviceAccounts.keys.list"
    with described(GCP) as gcp:
        made = [
            gcp.sample(keys, n, name=f"k-{n}", keyType=kind)
            for n, kind in enumerate(("USER_MANAGED", "SYSTEM_MANAGED"))
        ]
        account = "projects/p-1/serviceAccounts/a@p-1.iam.gserviceaccount.com"
        gcp.put(keys, name=account, items=made, where={"keyTypes": lambda item, value: item["keyType"] in value})
        asked = _service(gcp, "iam", "v1").projects().serviceAccounts().keys()
        assert asked.list(name=account, keyTypes=["USER_MANAGED"]).execute()["keys"] == made[:1]
        assert asked.list(name=account, keyTypes=["USER_MANAGED", "SYSTEM_MANAGED"]).execute()["keys"] == made


def test_googles_discovery_client_is_understood_when_a_verb_follows_the_name():
    """The path fits the plain get as well."""
    effective, name = "orgpolicy.v2:projects.policies.getEffectivePolicy", "projects/p-1/policies/gcp.x"
    with described(GCP) as gcp:
        gcp.put(effective, name=name, answer={"name": name})
        policies = _service(gcp, "orgpolicy", "v2").projects().policies()
        assert policies.getEffectivePolicy(name=name).execute() == {"name": name}
        assert gcp.calls[effective] == 1


def test_googles_discovery_client_gets_the_fields_it_asks_for():
    accounts = "iam.v1:projects.serviceAccounts.list"
    with described(GCP, pages_of=2) as gcp:
        gcp.put(accounts, name="projects/p-1", items=[{"name": f"a-{n}", "email": "a@p-1.example"} for n in range(3)])
        asked = _service(gcp, "iam", "v1").projects().serviceAccounts()
        page = asked.list(name="projects/p-1", fields="nextPageToken,accounts(name)").execute()
        assert page["accounts"] == [{"name": "a-0"}, {"name": "a-1"}]


def test_fields_that_leave_out_how_the_list_goes_on_are_a_violation():
    """Google leaves the token out too, and the list would end after its first page."""
    with described(GCP) as gcp:
        gcp.put("iam.v1:projects.serviceAccounts.list", name="projects/p-1", items=[])
        with pytest.raises(HttpError):
            _service(gcp, "iam", "v1").projects().serviceAccounts().list(
                name="projects/p-1", fields="accounts"
            ).execute()
        assert "nextPageToken" in gcp.violations.pop()

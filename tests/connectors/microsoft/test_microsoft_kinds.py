"""Every kind of Azure and Entra over real sockets, against fakes that the vendor's own descriptions judge."""

from __future__ import annotations

import tomllib

import pytest

from collector.connector import Reading
from collector.model import Detail, Outcome, Reason, Scope
from collector.procedure import Kind
from connectors import azure, entra
from tests.connectors.microsoft import tenant
from tests.connectors.microsoft.authority import APPLICATION, OBJECT, SECRET, TENANT
from tests.connectors.microsoft.conftest import items
from tests.connectors.microsoft.tenant import guid
from tests.fakes.described import trouble

# Kind -> the lists it reads, how many requests these take for what the tenant holds (two items a page), its items.
KINDS = {
    "azure.activitylog.events": ([tenant.EVENTS], 5, 9),
    "azure.authorization.role_assignments": ([tenant.ROLES], 3, 5),
    "azure.defender.pricings": ([tenant.PRICINGS], 1, 5),
    "azure.network.security_groups": ([tenant.NETWORK], 3, 5),
    "azure.policy.states": ([tenant.STATES], 1, 5),
    "azure.storage.accounts": ([tenant.STORAGE], 3, 5),
    "entra.conditional_access_policies": ([tenant.POLICIES, tenant.LOCATIONS], 6, 10),
    "entra.mfa_registration": ([tenant.REGISTRATION], 3, 5),
    "entra.users": ([tenant.USERS], 3, 5),
}
SHIPPED = {**azure.connector.kinds(), **entra.connector.kinds()}
UNPAGED = {"azure.defender.pricings", "azure.policy.states"}  # the vendor gives all in one answer
PROVIDED = sorted(kind for kind, spec in SHIPPED.items() if spec.loops)

every_kind = pytest.mark.parametrize("kind", sorted(SHIPPED))
every_paged_kind = pytest.mark.parametrize("kind", sorted(SHIPPED.keys() - UNPAGED))
every_provided_kind = pytest.mark.parametrize("kind", PROVIDED)


def fake_of(reader, kind):
    return reader.fakes[kind.partition(".")[0]]


@every_kind
def test_the_population_is_what_the_tenant_holds(reader, kind):
    lists, calls, count = KINDS[kind]
    found = reader.read(kind)
    assert found.run.outcome is Outcome.COLLECTED, found.run.message
    assert found.run.counts.items == len(items(found)) == count
    asked = fake_of(reader, kind).calls
    assert sum(asked[each] for each in lists) == calls
    assert asked[tenant.PROVIDER] == (kind in PROVIDED)
    assert sum(each.calls for each in found.run.operations) == calls + (kind in PROVIDED)
    assert all(each.drained and each.first_request_id and each.first_date for each in found.run.operations)
    assert found.run.principal.id == f"application {APPLICATION}, object {OBJECT}"
    assert found.run.principal.account == TENANT


@every_kind
def test_two_readings_of_one_state_have_one_digest(reader, kind):
    assert reader.read(kind).run.population == reader.read(kind).run.population


BAD_DAYS = {
    "denied": (trouble.deny(), Reason.DENIED),
    "throttled": (trouble.throttle(seconds=0), Reason.THROTTLED),
    "failing": (trouble.fail(503), Reason.UNAVAILABLE),
    "cut": (trouble.cut(), Reason.TRUNCATED),
    "garbled": (trouble.garbage(), Reason.INVALID),
    "not in use": (trouble.disable(), Reason.NOT_ENABLED),
}


@every_kind
@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_list_that_fails_is_the_runs_reason(reader, kind, day):
    made, reason = BAD_DAYS[day]
    fake_of(reader, kind).trouble(KINDS[kind][0][0], made)
    found = reader.read(kind)
    assert (found.run.outcome, found.run.reason) == (Outcome.FAILED, reason), found.run.message
    assert not found.changes
    if reason is Reason.DENIED:
        assert all(grant in found.run.message for grant in needed(kind))
        assert APPLICATION in found.run.hint


def needed(kind):
    spec = SHIPPED[kind]
    return spec.list_[0].grants or spec.grants


@every_paged_kind
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (trouble.deny(), Reason.DENIED),
        (trouble.throttle(seconds=0), Reason.THROTTLED),
        (trouble.repeat_token(), Reason.TRUNCATED),
        (trouble.elsewhere(), Reason.INVALID),
    ],
    ids=["denied", "throttled", "a page again", "another host"],
)
def test_what_goes_wrong_on_the_second_page_is_the_runs_reason(reader, kind, made, reason):
    fake_of(reader, kind).trouble(KINDS[kind][0][-1], made, nth=2)
    found = reader.read(kind)
    assert (found.run.outcome, found.run.reason) == (Outcome.FAILED, reason), found.run.message


@every_kind
def test_a_throttled_request_is_made_again(reader, kind):
    fake_of(reader, kind).trouble(KINDS[kind][0][0], trouble.throttle(seconds=1), times=1)
    found = reader.read(kind)
    assert found.run.counts.items == KINDS[kind][2], found.run.message
    assert sum(each.retries for each in found.run.operations) == 1


@every_kind
def test_a_token_that_ends_is_renewed_once(reader, authority, kind):
    name = kind.partition(".")[0]
    session = reader.session(name)
    session.principal()
    reader.fakes[name].expire()
    found = reader.read(kind, session)
    assert found.run.counts.items == KINDS[kind][2], found.run.message
    assert len(authority.issued) == 2


@every_kind
def test_a_token_that_is_over_whatever_we_do_is_denied(reader, kind):
    fake_of(reader, kind).trouble(KINDS[kind][0][0], trouble.expire())
    assert reader.read(kind).run.reason is Reason.DENIED


@every_kind
def test_secrets_and_what_names_people_are_in_nothing_that_is_kept(reader, authority, kind):
    found = reader.read(kind)
    kept = b"".join(each.data for each in found.artifacts) + repr(found).encode()
    planted = [SECRET, *authority.issued, "Vera", "vera@", "203.0.113.", "555 0100"]
    assert [each for each in planted if each.encode() in kept] == []


@every_provided_kind
@pytest.mark.parametrize("state", ["NotRegistered", "Unregistered"])
def test_a_provider_that_is_not_registered_is_not_enabled_and_its_list_not_asked_for(reader, arm, kind, state):
    """Unregistered providers are not all refused by Azure: some list nothing."""
    for name in ("PolicyInsights", "Security", "Network", "Storage"):
        tenant.register(arm, f"Microsoft.{name}", state)
    found = reader.read(kind)
    assert found.run.reason is Reason.NOT_ENABLED, found.run.message
    assert arm.calls[KINDS[kind][0][0]] == 0


@every_provided_kind
def test_who_may_not_ask_whether_a_provider_is_registered_is_denied(reader, arm, kind):
    arm.trouble(tenant.PROVIDER, trouble.deny())
    found = reader.read(kind)
    assert found.run.reason is Reason.DENIED
    assert "Microsoft.Resources/subscriptions/providers/read" in found.run.message


@every_provided_kind
def test_a_provider_that_does_not_say_whether_it_is_registered_is_invalid(reader, arm, kind):
    arm.put(tenant.PROVIDER, answer={}, subscriptionId=tenant.SUBSCRIPTION)
    arm.take(tenant.PROVIDER, **bound_provider(kind))
    assert reader.read(kind).run.reason is Reason.INVALID


def bound_provider(kind):
    namespace = SHIPPED[kind].loops[0].call.op.partition("?")[0].rpartition("/")[2]
    return {"subscriptionId": tenant.SUBSCRIPTION, "resourceProviderNamespace": namespace}


def test_a_provider_has_words_of_its_own_for_a_subscription_that_it_does_not_know(reader, arm):
    arm.trouble(tenant.PRICINGS, trouble.refuse(404, "Subscription Not Registered", "Please register"))
    assert reader.read("azure.defender.pricings").run.reason is Reason.NOT_ENABLED


@pytest.mark.parametrize("kind", ["azure.storage.accounts", "entra.users", "azure.policy.states"])
def test_nothing_there_is_empty_and_not_failed(reader, kind):
    lists, *_ = KINDS[kind]
    bound = {"subscriptionId": tenant.SUBSCRIPTION} if kind.startswith("azure") else {}
    if kind == "azure.policy.states":
        none = {"@odata.count": 1, "value": [{"policyAssignments": []}]}
        fake_of(reader, kind).put(lists[0], answer=none, policyStatesSummaryResource="latest", **bound)
    else:
        fake_of(reader, kind).put(lists[0], items=[], **bound)
    found = reader.read(kind)
    assert (found.run.outcome, found.run.detail) == (Outcome.COLLECTED, Detail.EMPTY), found.run.message


@pytest.mark.parametrize("answer", [{"value": []}, {"value": [{}]}], ids=["no summary", "no assignments"])
def test_a_summary_that_is_not_there_is_invalid_and_not_empty(reader, arm, answer):
    arm.put(tenant.STATES, answer=answer, policyStatesSummaryResource="latest", subscriptionId=tenant.SUBSCRIPTION)
    assert reader.read("azure.policy.states").run.reason is Reason.INVALID


def test_of_a_management_group_the_assignments_below_are_not_asked_for(reader):
    found = reader.read("azure.authorization.role_assignments", scope=f"{tenant.GROUPS}/platform".strip("/"))
    assert found.run.counts.items == 1, found.run.message


def test_what_an_auditor_asks_of_storage_is_kept(reader):
    account = next(iter(items(reader.read("azure.storage.accounts")).values()))
    assert account["properties"]["minimumTlsVersion"] == "TLS1_2"
    assert account["properties"]["keyCreationTime"]["key1"] == "2025-01-01T00:00:00Z"
    assert "statusOfPrimary" not in account["properties"]


def test_rules_that_come_in_another_order_are_no_change(reader, arm):
    before = reader.read("azure.network.security_groups").run.population
    turned = [tenant.network(arm, number) for number in range(tenant.ITEMS)]
    for each in turned:
        each["properties"]["securityRules"].reverse()
        each["etag"] = 'W/"another"'
    arm.put(tenant.NETWORK, items=turned, subscriptionId=tenant.SUBSCRIPTION)
    assert reader.read("azure.network.security_groups").run.population == before


def test_who_did_it_is_kept_by_id(reader):
    event = items(reader.read("azure.activitylog.events"))[guid(3)]
    assert (event["actor"], event["application"]) == (tenant.PERSON, APPLICATION)
    assert "caller" not in event and "claims" not in event


def test_only_what_is_evidence_is_asked_of_users(reader, graph):
    reader.read("entra.users")
    asked = next(ask.query["$select"] for ask in graph.asks if ask.name == tenant.USERS)
    assert {"id", "accountEnabled", "signInActivity"} <= set(asked)
    assert not {"displayName", "userPrincipalName", "mail", "mobilePhone", "givenName", "surname"} & set(asked)


def test_a_tenant_without_premium_is_not_enabled_until_sign_ins_are_left_out(reader, graph):
    graph.trouble(tenant.USERS, trouble.disable(), when=lambda ask: "signInActivity" in ask.query["$select"])
    assert reader.read("entra.users").run.reason is Reason.NOT_ENABLED
    found = reader.read("entra.users", reader.session("entra", sign_in_activity=False))
    assert found.run.counts.items == tenant.ITEMS, found.run.message


def test_addresses_of_locations_are_marked_and_their_trust_is_kept(reader):
    found = reader.read("entra.conditional_access_policies")
    location = items(found)[guid(100)]
    assert location["isTrusted"] is True and location["type"] == "namedLocation"
    assert "ipRanges[].cidrAddress" in {each.path for each in found.run.redactions}


GRAPH_QUERY = """
title = "Names of all virtual networks"
scope = "tenant"
key = "id"
grants = ["Microsoft.ResourceGraph/resources/read"]
[list]
op = "POST /providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
body = { query = "resources | project id", subscriptions = [], options = { resultFormat = "objectArray" } }
items = "data"
paging = { style = "token", next = '"$skipToken"', param = 'options.$skipToken', total = "totalRecords" }
"""


def test_a_kind_may_query_resource_graph_page_by_page(reader, arm):
    """None of ours does; its token goes into the body, and it counts what it has."""

    def page(ask):
        start = int(ask.body["options"].get("$skipToken", 0))
        more = {"$skipToken": str(start + 2)} if start < 4 else {}
        data = [{"id": guid(number)} for number in range(start, min(start + 2, 5))]
        return {"count": len(data), "data": data, "totalRecords": 5, "resultTruncated": "false", "facets": []} | more

    arm.put("POST /providers/Microsoft.ResourceGraph/resources", answer=page)
    kind = Kind.model_validate({"name": "azure.own.networks", **tomllib.loads(GRAPH_QUERY)})
    reading = Reading(reader.clock, reader.clock.monotonic() + 60)
    found = list(reader.session("azure").read(kind, Scope(TENANT, "tenant"), reading))
    assert [each["id"] for each in found] == [guid(number) for number in range(5)]
    assert azure.connector.lint(kind) == []


@every_kind
def test_every_kind_is_clean(kind):
    connector = {"azure": azure, "entra": entra}[kind.partition(".")[0]].connector
    assert connector.lint(SHIPPED[kind]) == []

"""What a tenant of the tests holds: an Azure subscription and a directory, as their own descriptions allow it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tests.connectors.microsoft.authority import APPLICATION, OBJECT, PERSON, TENANT
from tests.fakes.described import Refusal

NOW = datetime.now(UTC).replace(microsecond=0)  # ends of tokens are told by the time of this machine


def guid(number):
    return f"00000000-0000-4000-8000-{number:012}"


SUBSCRIPTION = guid(1)
GROUPS = "/providers/Microsoft.Management/managementGroups"
_IN = "/subscriptions/{subscriptionId}/providers"

TENANTS, SUBSCRIPTIONS, BELOW = "GET /tenants", "GET /subscriptions", f"GET {GROUPS}/{{groupId}}/descendants"
PROVIDER = f"GET {_IN}/{{resourceProviderNamespace}}"
ROLES, ROLES_AT = (f"GET {at}/Microsoft.Authorization/roleAssignments" for at in (_IN, "/{scope}/providers"))
EVENTS = f"GET {_IN}/microsoft.insights/eventtypes/management/values"
STATES = f"POST {_IN}/Microsoft.PolicyInsights/policyStates/{{policyStatesSummaryResource}}/summarize"
PRICINGS = f"GET {_IN}/Microsoft.Security/pricings"
NETWORK = f"GET {_IN}/Microsoft.Network/networkSecurityGroups"
STORAGE = f"GET {_IN}/Microsoft.Storage/storageAccounts"
USERS, LOCATIONS = "GET /users", "GET /identity/conditionalAccess/namedLocations"
POLICIES = "GET /identity/conditionalAccess/policies"
REGISTRATION = "GET /reports/authenticationMethods/userRegistrationDetails"

ITEMS = 5


def fill_azure(arm):
    """Put a tenant with six subscriptions into *arm*; the first of them holds five of everything."""
    arm.put(TENANTS, items=[{"id": f"/tenants/{TENANT}", "tenantId": TENANT}])
    arm.put(SUBSCRIPTIONS, items=[subscription(arm, 1), subscription(arm, 2, state="Disabled"), *others(arm)])
    below = [group("platform"), group("workloads"), *(child(number) for number in (1, 2, 3, 5, 6))]
    arm.put(BELOW, groupId=TENANT, items=below)
    for name in ("PolicyInsights", "Security", "Network", "Storage"):
        register(arm, f"Microsoft.{name}", "Registered")
    at = {"subscriptionId": SUBSCRIPTION}
    arm.put(ROLES, items=[role(arm, number) for number in range(ITEMS)], **at)
    arm.put(ROLES_AT, items=[role(arm, 7)], scope=f"{GROUPS}/platform".strip("/"), **{"$filter": "atScope()"})
    arm.put(EVENTS, items=lambda ask: events(arm, ask), **at)
    arm.put(STATES, answer=states(), policyStatesSummaryResource="latest", **at)
    arm.put(PRICINGS, items=[pricing(arm, number) for number in range(ITEMS)], **at)
    arm.put(NETWORK, items=[network(arm, number) for number in range(ITEMS)], **at)
    arm.put(STORAGE, items=[account(arm, number) for number in range(ITEMS)], **at)


def subscription(arm, number, **own):
    facts = {"subscriptionId": guid(number), "id": f"/subscriptions/{guid(number)}", "tenantId": TENANT}
    return arm.sample(SUBSCRIPTIONS, number, **facts | {"state": "Enabled"} | own)


def others(arm):
    """Of number 5 it is not told that it is there."""
    yield subscription(arm, 3, state="Warned")
    yield subscription(arm, 4, tenantId=guid(99))
    yield subscription(arm, 6, state="PastDue")


def group(name):
    return {"id": f"{GROUPS}/{name}", "name": name, "type": GROUPS.removeprefix("/providers/")}


def child(number):
    return {"id": f"/subscriptions/{guid(number)}", "name": guid(number), "type": "/subscriptions"}


def register(arm, namespace, state):
    provider = {"id": f"/subscriptions/{SUBSCRIPTION}/providers/{namespace}", "namespace": namespace}
    bound = {"subscriptionId": SUBSCRIPTION, "resourceProviderNamespace": namespace}
    arm.put(PROVIDER, answer=provider | {"registrationState": state}, **bound)


def _id(kind, number):
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/one/providers/{kind}/{number}"


def role(arm, number):
    said = {"scope": f"/subscriptions/{SUBSCRIPTION}", "principalId": guid(number), "principalType": "ServicePrincipal"}
    said |= {"roleDefinitionId": guid(50), "createdOn": "2025-01-01T00:00:00Z", "updatedOn": "2026-01-01T00:00:00Z"}
    return arm.sample(ROLES, number, id=_id("Microsoft.Authorization/roleAssignments", number), properties=said)


def events(arm, ask):
    """Nine events, ten days apart, the last a minute ago; of those the ones in the window that was asked for."""
    since, until = (datetime.fromisoformat(at) for at in re.findall(r"'([^']+)'", ask.query["$filter"]))
    if since < NOW - timedelta(days=90) + timedelta(minutes=1):
        raise Refusal(400, "BadRequest", "The start time cannot be more than 90 days in the past.")
    chosen = ask.query["$select"].split(",")
    published = [NOW - timedelta(days=10 * number, minutes=1) for number in reversed(range(9))]
    found = [event(arm, number, at) for number, at in enumerate(published) if since <= at <= until]
    return [{name: value for name, value in each.items() if name in chosen} for each in found]


def event(arm, number, at):
    claims = {
        "appid": APPLICATION,
        "name": "Vera Planted",
        "ipaddr": "203.0.113.7",
        "http://schemas.microsoft.com/identity/claims/objectidentifier": PERSON,
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "vera@acme.example",
    }
    made = arm.sample(EVENTS, number, eventDataId=guid(number), claims=claims, caller="vera@acme.example")
    # Seven digits, as Azure gives them.
    return made | {"eventTimestamp": at.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")}


def states():
    results = {"nonCompliantResources": 2, "nonCompliantPolicies": 1, "queryResultsUri": "https://x.example/?$to=now"}
    definition = {"policyDefinitionId": "d", "effect": "audit", "results": results}
    one = {"policySetDefinitionId": "", "results": results, "policyDefinitions": [definition]}
    ids = [_id("Microsoft.Authorization/policyAssignments", number) for number in range(ITEMS)]
    summary = {"results": results, "policyAssignments": [{"policyAssignmentId": each, **one} for each in ids]}
    return {"@odata.count": 1, "value": [summary]}


def pricing(arm, number):
    said = {"pricingTier": "Standard", "freeTrialRemainingTime": "P29DT3H"}
    return arm.sample(PRICINGS, number, id=_id("Microsoft.Security/pricings", number), properties=said)


def network(arm, number):
    made = arm.sample(NETWORK, number, id=_id("Microsoft.Network/networkSecurityGroups", number), etag='W/"planted"')
    rule = {"access": "Allow", "direction": "Inbound", "protocol": "Tcp"}
    rule |= {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}
    rules = [{"name": name, "etag": 'W/"planted"', "properties": rule} for name in ("b", "a")]
    return made | {"properties": {"provisioningState": "Succeeded", "securityRules": rules}}


def account(arm, number):
    made = arm.sample(STORAGE, number, id=_id("Microsoft.Storage/storageAccounts", number))
    own = {"minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False, "publicNetworkAccess": "Disabled"}
    own |= {"keyCreationTime": {"key1": "2025-01-01T00:00:00Z", "key2": "2025-01-01T00:00:00Z"}}
    return made | {"properties": made["properties"] | own}


def fill_entra(graph):
    """Put a directory into *graph* that holds five of everything."""
    me = "GET /servicePrincipals/{servicePrincipal-id}"
    graph.put(me, answer=graph.sample(me, id=OBJECT, appId=APPLICATION), **{"servicePrincipal-id": OBJECT})
    graph.put("GET /me", answer=graph.sample("GET /me", id=PERSON))
    graph.put(USERS, items=[user(graph, number) for number in range(ITEMS)])
    graph.put(REGISTRATION, items=[registered(graph, number) for number in range(ITEMS)])
    graph.put(POLICIES, items=[graph.sample(POLICIES, number, id=guid(number)) for number in range(ITEMS)])
    graph.put(LOCATIONS, items=[location(number) for number in range(ITEMS)])


def user(graph, number):
    about = {"displayName": "Vera Planted", "userPrincipalName": "vera@acme.example", "mobilePhone": "+1 555 0100"}
    seen = {"lastSignInDateTime": "2026-03-14T08:00:00Z"}
    return graph.sample(USERS, number, id=guid(number), accountEnabled=True, signInActivity=seen, **about)


def registered(graph, number):
    about = {"userDisplayName": "Vera Planted", "userPrincipalName": "vera@acme.example", "isMfaRegistered": True}
    return graph.sample(REGISTRATION, number, id=guid(number), **about)


def location(number):
    ranges = [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]
    office = {"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "Office", "isTrusted": True}
    return office | {"id": guid(100 + number), "ipRanges": ranges}

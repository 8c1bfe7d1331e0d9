"""The Google Cloud connector: see `collector.connector.Connector`. Addresses are those of the discovery documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collector.clock import Clock
from collector.http import Api, Authorizer, Errors, HttpConnector, HttpSession, Opening
from collector.model import Json
from collector.procedure import Paging
from connectors.gcp.credentials import GoogleCredentials
from connectors.gcp.session import ORGANIZATION, PARENT, PROJECT, TREE, GcpSession
from connectors.gcp.settings import GcpSettings

# What a list says beside its items when a part of it is missing (compute's `warning`, Cloud SQL's `warnings`).
_PARTS_MISSING: list[str | int] = ["MAX_RESULTS_EXCEEDS_LIMIT", "PARTIAL_SUCCESS", "REGION_UNREACHABLE", "UNREACHABLE"]

API = Api(
    hosts={
        "resourcemanager": "https://cloudresourcemanager.googleapis.com",
        "asset": "https://cloudasset.googleapis.com",
        "orgpolicy": "https://orgpolicy.googleapis.com",
        "iam": "https://iam.googleapis.com",
        "logging": "https://logging.googleapis.com",
        "compute": "https://compute.googleapis.com",
        "storage": "https://storage.googleapis.com",
        "sql": "https://sqladmin.googleapis.com",
        "oauth2": "https://www.googleapis.com",
    },
    paging=Paging(style="token", next="nextPageToken", param="pageToken"),
    reads=["resourcemanager:POST /v3/organizations/*:testIamPermissions"],
    # A caller may list assets 100 times a minute and read IAM 6,000 times (cloud.google.com/asset-inventory/docs/quota,
    # cloud.google.com/iam/quotas). Compute, Storage and Cloud SQL count by the project that is read.
    rates={"asset": 0.7, "resourcemanager": 1.5, "logging": 2.0, "sql": 1.0, "iam": 20.0, "*": 4.0},
    shared=["asset", "resourcemanager", "orgpolicy", "iam", "logging"],
    errors=Errors(
        codes=[
            "error.status",
            "error.code",
            "error.details[].reason",
            "error.errors[].reason",
            "warning.code",
            "warnings[].code",
        ],
        messages=["error.message", "warning.message", "warnings[].message"],
        failed=" || ".join(f"contains([warning.code, warnings[].code][], '{code}')" for code in _PARTS_MISSING),
        # One code of ErrorInfo (google.api.ErrorReason) or of the older form tells apart what 403 says alike.
        not_enabled=["SERVICE_DISABLED", "BILLING_DISABLED", "accessNotConfigured"],
        misconfigured=[
            "UNAUTHENTICATED",
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "USER_PROJECT_DENIED",
            "CONSUMER_INVALID",
            "authError",
        ],
        throttled=["RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "rateLimitExceeded", "userRateLimitExceeded"],
        unavailable=_PARTS_MISSING,
    ),
    request_id=["x-guploader-uploadid"],
)


class GcpConnector(HttpConnector):
    """Reads one Google Cloud organisation a source."""

    name = "gcp"
    settings = GcpSettings
    level_names = (ORGANIZATION, PARENT, PROJECT)
    folder = Path(__file__).resolve().parent
    api = API

    def authorizer(self, settings: GcpSettings, clock: Clock) -> Authorizer:
        """Return what sends access tokens of the credentials that the settings name, or of the machine's."""
        return GoogleCredentials(settings, clock)

    def session(self, opening: Opening) -> HttpSession:
        """Return a session; who we are is asked at its first use."""
        return GcpSession(opening, self.kinds()[TREE])

    def documents(self, grants: Sequence[str]) -> list[Json]:
        """Return the custom role of an organisation, as ``gcloud iam roles create --file`` takes it.

        The session needs what the tree does: nothing is read of a project that cannot be seen.
        """
        needed = {*grants, *self.grants(self.kinds()[TREE])}
        return [
            {
                "title": "Evidence reader",
                "description": "Reads what evidenced collects, and nothing else.",
                "stage": "GA",
                "includedPermissions": sorted(needed),
            }
        ]

"""Google Workspace: the Admin SDK at ``URL/admin/``; operations as ``admin.directory_v1:users.list``."""

from __future__ import annotations

from tests.fakes.described.discovery import Discovery
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.vendors import google
from tests.fakes.described.wire import Ask, Refusal


def _whose(ask: Ask) -> str:
    return "" if {"customer", "domain"} & set(ask.query) else "either customer or domain must be given"


GWORKSPACE = Vendor(
    name="gworkspace",
    description=Discovery("gworkspace", ("admin.directory_v1", "admin.reports_v1")),
    error=google.error,
    refusals=google.REFUSALS
    | {
        "denied": Refusal(403, "forbidden", "Not Authorized to access this resource/api"),
        "slow down": Refusal(403, "userRateLimitExceeded", "Quota exceeded for quota metric 'Queries'"),
    },
    pagers=(("*", google.MAX_RESULTS),),
    headers={"Server": "ESF"},
    rules=(("admin.directory_v1:users.list", _whose),),
    free=google.FREE | {"customer", "domain", "orderBy", "sortOrder", "projection", "viewType"},
)

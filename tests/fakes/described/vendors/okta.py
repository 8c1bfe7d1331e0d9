"""Okta's management API; operations as ``GET /api/v1/users``."""

from __future__ import annotations

from typing import Any

from tests.fakes.described.auth import Auth
from tests.fakes.described.pager import LinkPager
from tests.fakes.described.sdk_okta import OktaSdk
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.wire import Refusal

_LIMITS = {"x-rate-limit-limit": "600"}


def _error(refusal: Refusal, target: str) -> Any:
    code = refusal.code or "E0000001"
    return {"errorCode": code, "errorSummary": refusal.message, "errorLink": code, "errorId": "fake", "errorCauses": []}


OKTA = Vendor(
    name="okta",
    description=OktaSdk(),
    error=_error,
    refusals={
        "denied": Refusal(403, "E0000006", "You do not have permission to perform the requested action"),
        "throttled": Refusal(
            429,
            "E0000047",
            "API call exceeded rate limit due to too many requests.",
            _LIMITS | {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "{reset}"},
        ),
        "expired": Refusal(401, "E0000011", "Invalid token provided"),
        "unauthenticated": Refusal(401, "E0000011", "Invalid token provided"),
        "missing": Refusal(404, "E0000007", "Not found: Resource not found"),
        "disabled": Refusal(403, "E0000015", "You do not have permission to access the feature you are requesting"),
    },
    auth=Auth(("SSWS", "Bearer")),
    pagers=(
        ("GET /api/v1/logs", LinkPager("limit", "after", maximum=1000, names_self=True, until="until")),
        ("*", LinkPager("limit", "after", default=200, maximum=200, names_self=True)),
    ),
    headers={"x-okta-request-id": "{id}", "x-rate-limit-remaining": "599", **_LIMITS},
    free=frozenset({"sortBy", "sortOrder"}),
    packed=(),
)

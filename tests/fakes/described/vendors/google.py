"""What Google's services have in common: how they say no (google.rpc.Status) and how they page."""

from __future__ import annotations

from typing import Any

from tests.fakes.described.pager import TokenPager
from tests.fakes.described.wire import Refusal

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
FREE = frozenset({"alt", "fields", "prettyPrint", "quotaUser", "$alt", "key"})
DISABLED = "API has not been used in project 123 before or it is disabled. Enable it by visiting the console."
REFUSALS = {
    "denied": Refusal(403, "IAM_PERMISSION_DENIED", "The caller does not have permission"),
    "throttled": Refusal(429, "RATE_LIMIT_EXCEEDED", "Quota exceeded for quota metric", {"Retry-After": "{seconds}"}),
    "expired": Refusal(401, "ACCESS_TOKEN_EXPIRED", "Request had invalid authentication credentials."),
    "unauthenticated": Refusal(401, "CREDENTIALS_MISSING", "Request is missing required authentication credential."),
    "missing": Refusal(404, "", "Requested entity was not found."),
    "disabled": Refusal(403, "SERVICE_DISABLED", DISABLED),
}
PAGE_SIZE = TokenPager("pageSize", "pageToken", next="nextPageToken")
MAX_RESULTS = TokenPager("maxResults", "pageToken", next="nextPageToken", maximum=500)


def error(refusal: Refusal, target: str) -> Any:
    """Return google.rpc.Status with ErrorInfo (AIP-193); *target*'s first segment is the service."""
    service = f"{target.split('/')[1]}.googleapis.com"
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.code, "domain": "googleapis.com"}
    details = [info | {"metadata": {"service": service, "consumer": "projects/123"}}] if refusal.code else []
    status = _STATUS.get(refusal.status, "INTERNAL")
    return {"error": {"code": refusal.status, "message": refusal.message, "status": status, "details": details}}

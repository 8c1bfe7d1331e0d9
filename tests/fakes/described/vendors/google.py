"""What Google's services have in common: how they say no (google.rpc.Status) and how they page."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.described.pager import TokenPager
from tests.fakes.described.wire import Ask, Refusal

Mask = dict[str, Any]

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


def masked(ask: Ask, item: Any) -> Any:
    """Return of *item*, a whole answer or one of its list, what the request's ``fields`` name, as Google does."""
    if "fields" not in ask.query:
        return item
    mask = _mask(ask.query["fields"])
    inner = [below for below in mask.values() if below]
    return _only(item, mask if set(mask) & set(item) or not inner else inner[0])


def mask_of_lists(ask: Ask) -> str:
    """Say what is wrong with ``fields`` that leave out how a list goes on, or which list it is: it is no longer one."""
    mask = _mask(ask.query.get("fields", ""))
    lost = [name for name in ("kind", "nextPageToken") if mask and name in ask.operation.members() and name not in mask]
    return f"fields: {', '.join(lost)} left out" if lost else ""


def _mask(text: str) -> Mask:
    """Return ``a(b,c),d`` as ``{"a": {"b": {}, "c": {}}, "d": {}}``."""
    found: Mask = {}
    levels = [found]
    for name, bracket in re.findall(r"(\w+)|([()])", text):
        if bracket == "(":
            levels.append(list(levels[-1].values())[-1])
        elif bracket == ")":
            levels.pop()
        else:
            levels[-1][name] = {}
    return found


def _only(item: Any, mask: Mask) -> Any:
    if isinstance(item, list):
        return [_only(each, mask) for each in item]
    return {name: _only(value, mask[name]) if mask[name] else value for name, value in item.items() if name in mask}

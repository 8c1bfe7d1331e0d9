"""GitHub's REST API; operations as ``GET /orgs/{org}/repos``.

GraphQL is ``POST /graphql``: put a `tests.fakes.described.graphql.GraphQl` over `GRAPHQL` as its answer.
"""

from __future__ import annotations

from typing import Any

from tests.fakes.described.auth import Auth
from tests.fakes.described.openapi import OpenApi
from tests.fakes.described.packed import Packed
from tests.fakes.described.pager import LinkPager, PageNumberPager
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.wire import Refusal

_PACKED = (Packed("@octokit/openapi", "generated/api.github.com.json"),)
GRAPHQL = Packed("@octokit/graphql-schema", "schema.graphql")
_BODY = {"query": {"type": "string"}, "variables": {"type": "object"}, "operationName": {"type": "string"}}
_ANSWER = {"data": {"type": "object", "nullable": True}, "errors": {"type": "array", "items": {"type": "object"}}}
_GRAPHQL: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"properties": _BODY, "required": ["query"]}}},
    },
    "responses": {"200": {"content": {"application/json": {"schema": {"properties": _ANSWER}}}}},
}
_DOCS = "https://docs.github.com/rest"
_LIMITS = {"x-ratelimit-limit": "5000", "x-ratelimit-resource": "core"}


def _error(refusal: Refusal, target: str) -> Any:
    return {"message": refusal.message, "documentation_url": _DOCS, "status": str(refusal.status)}


GITHUB = Vendor(
    name="github",
    description=OpenApi("github", _PACKED, added={"/graphql": {"post": _GRAPHQL}}, multi=frozenset({"path"})),
    error=_error,
    refusals={
        "denied": Refusal(403, "", "Resource not accessible by integration"),
        "throttled": Refusal(
            403,
            "",
            "API rate limit exceeded for installation.",
            _LIMITS | {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "{reset}"},
        ),
        "slow down": Refusal(403, "", "You have exceeded a secondary rate limit.", {"Retry-After": "{seconds}"}),
        "expired": Refusal(401, "", "Bad credentials"),
        "unauthenticated": Refusal(401, "", "Requires authentication"),
        "missing": Refusal(404, "", "Not Found"),
        "disabled": Refusal(403, "", "Dependabot alerts are disabled for this repository."),
    },
    auth=Auth(("Bearer", "token")),
    pagers=(
        ("*", PageNumberPager("per_page", "page", total="total_count", default=30, maximum=100)),
        ("*", LinkPager("per_page", "after", default=30, maximum=100)),
    ),
    headers={"x-github-request-id": "{id}", "x-ratelimit-remaining": "4999", **_LIMITS},
    free=frozenset({"sort", "direction"}),
    etags=True,
    packed=(*_PACKED, GRAPHQL),
)

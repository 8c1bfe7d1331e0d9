"""Path items for what the packaged description of Jira lacks, from the vendor's reference pages.

The packaged one is of 2023; ``search/jql`` came in 2024. Issues are judged by the packaged schema.
"""

from __future__ import annotations

from typing import Any

# https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/#api-rest-api-3-search-jql-post
_PARAMETERS: dict[str, Any] = {
    "expand": {"type": "string"},
    "fields": {"type": "array", "items": {"type": "string"}},
    "fieldsByKeys": {"type": "boolean"},
    "jql": {"type": "string"},
    "maxResults": {"type": "integer", "maximum": 5000},
    "nextPageToken": {"type": "string"},
    "properties": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
    "reconcileIssues": {"type": "array", "items": {"type": "integer"}, "maxItems": 50},
}
_BODY = {"type": "object", "properties": _PARAMETERS}
_FOUND = {
    "type": "object",
    "properties": {
        "isLast": {"type": "boolean"},
        "issues": {"type": "array", "items": {"$ref": "#/components/schemas/IssueBean"}},
        "names": {"type": "object", "additionalProperties": {"type": "string"}},
        "nextPageToken": {"type": "string"},
        "schema": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/JsonTypeBean"}},
    },
}
_RESPONSES = {"200": {"content": {"application/json": {"schema": _FOUND}}}}

ADDED: dict[str, Any] = {
    "/rest/api/3/search/jql": {
        "post": {
            "requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}},
            "responses": _RESPONSES,
        },
        "get": {
            "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in _PARAMETERS.items()],
            "responses": _RESPONSES,
        },
    }
}

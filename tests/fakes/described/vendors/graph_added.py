"""Path items for what the packaged description of Microsoft Graph lacks, from the vendor's reference pages.

The packaged v1.0 is of 2022: the report, and users' sign-ins, came to v1.0 in 2023.
"""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_YES_NO = {"type": "boolean"}

# https://learn.microsoft.com/graph/api/resources/userregistrationdetails
_DETAILS = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "isAdmin": _YES_NO,
        "isMfaCapable": _YES_NO,
        "isMfaRegistered": _YES_NO,
        "isPasswordlessCapable": _YES_NO,
        "isSsprCapable": _YES_NO,
        "isSsprEnabled": _YES_NO,
        "isSsprRegistered": _YES_NO,
        "isSystemPreferredAuthenticationMethodEnabled": _YES_NO,
        "lastUpdatedDateTime": {"type": "string", "format": "date-time"},
        "methodsRegistered": _TEXTS,
        "systemPreferredAuthenticationMethods": _TEXTS,
        "userDisplayName": _TEXT,
        "userPreferredMethodForSecondaryAuthentication": _TEXT,
        "userPrincipalName": _TEXT,
        "userType": {"type": "string", "enum": ["member", "guest", "unknownFutureValue"]},
    },
}
_LIST = {
    "allOf": [
        {"$ref": "#/components/schemas/BaseCollectionPaginationCountResponse"},
        {"type": "object", "properties": {"value": {"type": "array", "items": _DETAILS}}},
    ]
}

# https://learn.microsoft.com/graph/api/resources/signinactivity
_ACTIVITY = {
    "type": "object",
    "properties": {
        "lastNonInteractiveSignInDateTime": {"type": "string", "format": "date-time", "nullable": True},
        "lastNonInteractiveSignInRequestId": {"type": "string", "nullable": True},
        "lastSignInDateTime": {"type": "string", "format": "date-time", "nullable": True},
        "lastSignInRequestId": {"type": "string", "nullable": True},
        "lastSuccessfulSignInDateTime": {"type": "string", "format": "date-time", "nullable": True},
        "lastSuccessfulSignInRequestId": {"type": "string", "nullable": True},
    },
}
_USER = {
    "allOf": [
        {"$ref": "#/components/schemas/microsoft.graph.user"},
        {"type": "object", "properties": {"signInActivity": _ACTIVITY}},
    ]
}
_USERS = {
    "allOf": [
        {"$ref": "#/components/schemas/BaseCollectionPaginationCountResponse"},
        {"type": "object", "properties": {"value": {"type": "array", "items": _USER}}},
    ]
}
# What can be selected is listed in the description by name; the names of a newer one are those of `_USER`.
_SELECT = {"name": "$select", "in": "query", "explode": False, "schema": _TEXTS}

ADDED: dict[str, Any] = {
    "/users": {
        "get": {
            "parameters": [
                *({"$ref": f"#/components/parameters/{name}"} for name in ("top", "search", "filter", "count")),
                {"name": "ConsistencyLevel", "in": "header", "schema": _TEXT},
                {"name": "$orderby", "in": "query", "explode": False, "schema": _TEXTS},
                _SELECT,
            ],
            "responses": {"200": {"content": {"application/json": {"schema": _USERS}}}},
        }
    },
    "/reports/authenticationMethods/userRegistrationDetails": {
        "get": {
            "parameters": [
                *({"$ref": f"#/components/parameters/{name}"} for name in ("top", "filter", "count")),
                _SELECT,
            ],
            "responses": {"200": {"content": {"application/json": {"schema": _LIST}}}},
        }
    },
}

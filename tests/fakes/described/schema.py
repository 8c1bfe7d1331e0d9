"""Schema objects in the words of OpenAPI 3.0, which Google's discovery documents and pydantic use as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]
Resolve = Callable[[str], Schema]
"""Follows a ``$ref``."""

_MANY = 64


def flattened(schema: Schema, resolve: Callable[[str], Schema]) -> list[dict[str, Any]]:
    """Return the alternatives of *schema*, each without ``$ref``, ``allOf``, ``oneOf`` and ``anyOf``."""
    return _flat(schema, resolve, ())


def _flat(schema: Schema, resolve: Callable[[str], Schema], seen: tuple[str, ...]) -> list[dict[str, Any]]:
    own = {key: value for key, value in schema.items() if key not in {"$ref", "allOf", "oneOf", "anyOf"}}
    flats = [own]
    reference = schema.get("$ref")
    if reference is not None and reference not in seen:
        flats = _crossed(flats, _flat(resolve(reference), resolve, (*seen, reference)))
    for part in schema.get("allOf", ()):
        flats = _crossed(flats, _flat(part, resolve, seen))
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            inner = [flat for part in schema[keyword] for flat in _flat(part, resolve, seen)]
            flats = _crossed(flats, inner)
    return flats[:_MANY]


def _crossed(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_merged(one, other) for one in left for other in right]


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {**other, **one}
    if "properties" in one or "properties" in other:
        both["properties"] = {**other.get("properties", {}), **one.get("properties", {})}
    if "required" in one or "required" in other:
        both["required"] = [*required(other), *required(one)]
    both["nullable"] = one.get("nullable", False) or other.get("nullable", False)
    return both


def required(flat: Schema) -> list[str]:
    """Return the fields that *flat* requires; a discovery document's "required" is a boolean about a parameter."""
    names = flat.get("required")
    return names if isinstance(names, list) else []

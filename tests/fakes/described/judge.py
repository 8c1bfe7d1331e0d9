"""Judges values by a description's schemas, in both directions: what a request says, what a fixture says.

The world is closed: a field that no schema knows is wrong, below ``allOf`` and in alternatives too. That is why no
validator of JSON Schema is used: to it unknown fields are right unless every schema is first rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.fakes.described.schema import Resolve, Schema, flattened, required

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}
_FORMATS: dict[str, Callable[[str], object]] = {
    "date-time": datetime.fromisoformat,
    "google-datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "int64": int,
    "uint64": int,
}


@dataclass(frozen=True)
class Problem:
    """What is wrong at *path* (``items[].name``), by which *rule* of: type, null, enum, required, unknown, limit."""

    path: str
    rule: str
    said: str

    def __str__(self) -> str:
        return f"{self.path or 'it'}: {self.said}"


def problems(value: object, schema: Schema, resolve: Resolve, path: str = "") -> list[Problem]:
    """Return what is wrong with *value* as *schema*; nothing when it is right.

    Of alternatives (``oneOf``, ``anyOf``) one must be right; what is said is of the one that is nearest.
    """
    tried = [list(_flat_problems(value, flat, resolve, path)) for flat in flattened(schema, resolve)]
    return min(tried, key=lambda found: (any((each.path, each.rule) == (path, "type") for each in found), len(found)))


def _flat_problems(value: Any, flat: dict[str, Any], resolve: Resolve, path: str) -> Iterator[Problem]:
    types = flat.get("type", [])
    types = [types] if isinstance(types, str) else types
    if value is None:
        if not (flat.get("nullable") or "null" in types or types in ([], ["any"])):
            yield Problem(path, "null", "null is not allowed")
        return
    if not types and "properties" in flat:
        types = ["object"]
    if types and "any" not in types and not any(_TYPES[each](value) for each in types):
        yield Problem(path, "type", f"{type(value).__name__} instead of {' or '.join(types)}")
        return
    yield from _limits(value, flat, path)
    if isinstance(value, Mapping):
        yield from _object(value, flat, resolve, path)
    elif isinstance(value, list) and "items" in flat:
        for item in value:
            yield from problems(item, flat["items"], resolve, f"{path}[]")


def _object(value: Mapping[str, Any], flat: dict[str, Any], resolve: Resolve, path: str) -> Iterator[Problem]:
    known = flat.get("properties", {})
    rest = flat.get("additionalProperties", not known)
    for name in required(flat):
        if name not in value:
            yield Problem(f"{path}.{name}".lstrip("."), "required", "required and missing")
    for name, item in value.items():
        where = f"{path}.{name}".lstrip(".")
        if name in known:
            yield from problems(item, known[name], resolve, where)
        elif rest is False:
            yield Problem(where, "unknown", "unknown to the description")
        elif isinstance(rest, Mapping):
            yield from problems(item, rest, resolve, where)


def _limits(value: Any, flat: dict[str, Any], path: str) -> Iterator[Problem]:
    # Azure marks enumerations that grow with modelAsString: the names are examples.
    allowed = None if flat.get("x-ms-enum", {}).get("modelAsString") else flat.get("enum")
    if allowed and value not in allowed:
        yield Problem(path, "enum", f"{value!r} is not one of {', '.join(map(str, allowed))}")
    if isinstance(value, str):
        yield from _text(value, flat, path)
    size = value if isinstance(value, int | float) else len(value)
    kind = "" if isinstance(value, int | float) else "Items" if isinstance(value, list) else "Length"
    least, most = (flat.get(f"{edge}{kind}" if kind else f"{edge}imum") for edge in ("min", "max"))
    if not isinstance(value, Mapping) and (
        (least is not None and size < float(least)) or (most is not None and size > float(most))
    ):
        yield Problem(path, "limit", f"{size} is not between {least} and {most}")


def _text(value: str, flat: dict[str, Any], path: str) -> Iterator[Problem]:
    pattern, form = flat.get("pattern"), _FORMATS.get(flat.get("format", ""))
    if pattern and not _matches(pattern, value):
        yield Problem(path, "limit", f"{value!r} does not match {pattern}")
    if form:
        try:
            form(value)
        except ValueError:
            yield Problem(path, "type", f"{value!r} is no {flat['format']}")


def _matches(pattern: str, value: str) -> bool:
    # Patterns are of the vendor's own dialect: what Python cannot read cannot be judged.
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True

"""Makes a value that a schema allows, so that a fixture says only what its test is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes.described.schema import Resolve, Schema, flattened, required

_TEXTS = {
    "date-time": "2026-01-{day:02}T08:00:00Z",
    "google-datetime": "2026-01-{day:02}T08:00:00Z",
    "date": "2026-01-{day:02}",
    "uri": "https://example.com/{name}/{number}",
    "uuid": "00000000-0000-4000-8000-{number:012}",
    "email": "{name}-{number}@example.com",
    "int64": "{number}",
    "uint64": "{number}",
    "byte": "AAAA",
}


def sample(schema: Schema, resolve: Resolve, number: int = 1, name: str = "it", depth: int = 2) -> Any:
    """Return a value that *schema* allows, different for each *number*; what is not required ends below *depth*.

    A text that must match a pattern is not made up: where one is required, the fixture has to give it.
    """
    flat = flattened(schema, resolve)[0]
    if name.startswith("@") and "default" in flat:
        return flat["default"]
    if flat.get("enum"):
        real = [each for each in flat["enum"] if each is not None and "UNSPECIFIED" not in str(each)] or flat["enum"]
        return real[number % len(real)]
    types = flat.get("type", "object" if "properties" in flat else "string")
    kind = next(each for each in ([types] if isinstance(types, str) else types) if each != "null")
    if kind == "object":
        return _object(flat, resolve, number, depth)
    if kind == "array":
        enough = depth > 0 or flat.get("minItems")
        return [sample(flat["items"], resolve, number, name, depth - 1)] if enough and "items" in flat else []
    if kind == "string":
        text = _TEXTS.get(flat.get("format", ""), "{name}-{number}")
        return text.format(name=name, number=number, day=number % 28 + 1)[: flat.get("maxLength")]
    return {"boolean": number % 2 == 0, "any": {}}.get(kind, max(number, int(float(flat.get("minimum", 0)))))


def _object(flat: Mapping[str, Any], resolve: Resolve, number: int, depth: int) -> dict[str, Any]:
    made = {}
    for name, inner in flat.get("properties", {}).items():
        if name in required(flat) or (depth > 0 and _plain(inner, resolve)):
            made[name] = sample(inner, resolve, number, name, depth - 1)
    return made


def _plain(schema: Schema, resolve: Resolve) -> bool:
    """Whether an optional field can be made up: no pattern, no leading to other things of the vendor's."""
    if schema.get("x-ms-navigationProperty") or schema.get("deprecated"):
        return False
    flat = flattened(schema, resolve)[0]
    return not (flat.get("pattern") or flat.get("writeOnly"))

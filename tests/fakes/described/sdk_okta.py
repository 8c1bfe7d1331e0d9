"""Okta's description, made again from the code that Okta generates from it: the PyPI package ``okta``.

No package carries the description itself. Its SDK does in other words: each method of an API class has the path, the
names of the query's parameters and the types of both, and each answer is a pydantic model.
"""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tests.fakes.described.operation import Operation, Origin, Parameter, matched
from tests.fakes.described.schema import Schema


@dataclass(frozen=True)
class _Said:
    """What the source of one method says: *query* maps parameter names to the method's argument names."""

    module: str
    api: str
    function: str
    method: str
    template: str
    query: Mapping[str, str]
    answer: str


@cache
def _folder() -> Path:
    spec = find_spec("okta")
    assert spec is not None and spec.origin is not None, "okta is not installed: run make .venv/.test"
    return Path(spec.origin).parent


@cache
def _known() -> dict[str, _Said]:
    found: dict[str, _Said] = {}
    for path in sorted((_folder() / "api").glob("*_api.py")):
        found |= {f"{each.method} {each.template}": each for each in _methods(path)}
    return found


_PLAIN: dict[str, Any] = {"object": object, "str": str, "bool": bool, "int": int, "List[str]": list[str]}
_CALL = re.compile(r'    def _(\w+)_serialize\(.*?method="(\w+)",\s+resource_path="([^"]+)"', re.DOTALL)
_QUERY = re.compile(r'_query_params\.append\(\s*\(\s*"([^"]+)",\s*(\w+)')


def _methods(path: Path) -> Iterator[_Said]:
    source = path.read_text()
    api = re.search(r"^class (\w+)", source, re.MULTILINE)
    kinds = _answer_types(source)
    for found in _CALL.finditer(source):
        function, method, template = found.groups()
        query = dict(_QUERY.findall(found[0]))
        yield _Said(path.stem, api[1] if api else "", function, method, template, query, kinds.get(function, ""))


def _answer_types(source: str) -> dict[str, str]:
    parts = re.split(r"\n    (?:async )?def (\w+)\(", source)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    found = ((name, re.search(r'"20\d": "([^"]+)"', text)) for name, text in pairs)
    return {name: kind[1] for name, kind in found if kind}


@cache
def _operation(name: str) -> Operation:
    said = _known()[name]
    api = getattr(importlib.import_module(f"okta.api.{said.module}"), said.api)
    hints = typing.get_type_hints(inspect.unwrap(getattr(api, said.function)), include_extras=True)
    needed = {
        argument.name
        for argument in inspect.signature(getattr(api, said.function)).parameters.values()
        if argument.default is argument.empty
    }
    definitions: dict[str, Schema] = {}
    parameters = [
        Parameter(each, "query", _schema(hints[argument], definitions), argument in needed)
        for each, argument in said.query.items()
    ]
    parameters += [
        Parameter(each, "path", {"type": "string"}, required=True) for each in re.findall(r"\{(\w+)\}", said.template)
    ]
    answer = _schema(_type(said.answer), definitions) if said.answer else None
    return Operation(
        name=name,
        method=said.method,
        template=said.template,
        parameters=tuple(parameters),
        answers={200: answer} if answer is not None else {},
        resolve=lambda reference: definitions[reference.rpartition("/")[2]],
    )


def _type(text: str) -> Any:
    """Return the type that *text* names: a model, a list of one, or a plain type."""
    inner = re.fullmatch(r"(?:List\[)?(\w+)\]?", text)
    if inner is None or inner[1] in _PLAIN:
        return _PLAIN.get(text, object)
    model = getattr(importlib.import_module("okta.models"), inner[1])
    return list[model] if text.startswith("List[") else model  # type: ignore[valid-type]


def _schema(kind: Any, definitions: dict[str, Schema]) -> Schema:
    schema = TypeAdapter(kind).json_schema(by_alias=True, mode="validation")
    definitions |= {name: _opened(inner) for name, inner in schema.pop("$defs", {}).items()}
    return _opened(schema)


def _opened(schema: Schema) -> Schema:
    # The models keep what they do not know in a field of this name, where the description allows other fields.
    properties = {
        name: inner for name, inner in schema.get("properties", {}).items() if name != "additional_properties"
    }
    is_open = properties != schema.get("properties", {})
    return {**schema, "properties": properties, "additionalProperties": True} if is_open else schema


class OktaSdk:
    """The operations of the package ``okta`` by ``METHOD /template``."""

    def find(self, method: str, path: str, version: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation meant by *path*; of several templates the one with the fewest parameters."""
        for name in sorted(_known(), key=lambda each: each.count("{")):
            if name.startswith(f"{method} "):
                found = matched(_known()[name].template, path, {})
                if found is not None:
                    return _operation(name), found
        return None

    def named(self, name: str) -> Operation:
        """Return the operation ``METHOD /template``."""
        return _operation(name)

    def origins(self) -> list[Origin]:
        """Return the package's version and that of the description it was generated from."""
        said = re.search(r"The version of the OpenAPI document: (\S+)", (_folder() / "api" / "user_api.py").read_text())
        return [
            Origin(
                "okta", "the SDK's models", "PyPI okta", version("okta"), f"generated from {said[1] if said else '?'}"
            )
        ]

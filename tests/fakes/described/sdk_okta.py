"""Okta's description, made again from the code that Okta generates from it: the PyPI package ``okta``.

No package carries the description itself. Its SDK does in other words: each method of an API class has the path, the
names of the query's parameters and the types of both, and each answer is a pydantic model.
"""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

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
    kind = _type(said.answer) if said.answer else None
    answer = _schema(kind, definitions) if kind else None
    return Operation(
        name=name,
        method=said.method,
        template=said.template,
        parameters=tuple(parameters),
        answers={200: answer} if answer is not None else {},
        resolve=lambda reference: definitions[reference.rpartition("/")[2]],
        referee=_referee(kind) if kind else None,
    )


def _type(text: str) -> Any:
    """Return the type that *text* names: a model, a list of one, or a plain type."""
    inner = re.fullmatch(r"(?:List\[)?(\w+)\]?", text)
    if inner is None or inner[1] in _PLAIN:
        return _PLAIN.get(text, object)
    model: Any = getattr(importlib.import_module("okta.models"), inner[1])
    return list[model] if text.startswith("List[") else model


def _schema(kind: Any, definitions: dict[str, Schema]) -> Schema:
    schema = TypeAdapter(kind).json_schema(by_alias=True, mode="validation")
    definitions |= {name: _completed(name, inner) for name, inner in schema.pop("$defs", {}).items()}
    return _completed(schema.get("title", ""), schema)


_ENUM = re.compile(r'@field_validator\("(\w+)"\)\s+def \w+_validate_enum.*?value not in set\(\s*\[(.*?)\]', re.DOTALL)


def _completed(name: str, schema: Schema) -> Schema:
    """Return *schema* with what the model *name* says in code: which other fields it takes, and enumerations."""
    properties = dict(schema.get("properties", {}))
    # The models keep what they do not know in a field of this name, where the description allows other fields.
    is_open = properties.pop("additional_properties", None) is not None
    model: Any = getattr(importlib.import_module("okta.models"), name, None) if properties else None
    for field, values in _ENUM.findall(inspect.getsource(model)) if model else ():
        said = model.model_fields[field].alias or field
        is_list = any(inner.get("type") == "array" for inner in properties[said].get("anyOf", [properties[said]]))
        enum = {"type": "string", "nullable": True, "enum": re.findall(r'"([^"]+)"', values)}
        properties[said] = {"type": "array", "items": enum} if is_list else enum
    return {
        **schema,
        **({"properties": properties} if properties else {}),
        "additionalProperties": is_open or not properties,
    }


def _referee(kind: Any) -> Callable[[Any], str]:
    def judge(body: Any) -> str:
        try:
            TypeAdapter(kind).validate_python(body)
        except ValidationError as error:
            return "; ".join(f"{each['loc']}: {each['msg']}" for each in error.errors())
        return ""

    return judge


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

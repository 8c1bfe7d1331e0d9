"""OpenAPI 3 documents out of npm packages, read from their shelves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tests.fakes.described.operation import Operation, Origin, Parameter, matched
from tests.fakes.described.packed import Packed
from tests.fakes.described.schema import Schema
from tests.fakes.described.shelf import Shelf

_METHODS = ("get", "post", "put", "patch", "delete", "head")
_JSON = re.compile(r"application/(.*\+)?json.*")


def shelf_of(packed: Packed) -> Shelf:
    """Return the shelf of *packed*, one for the whole process."""
    return _shelf(packed.place)


@cache
def _shelf(place: Path) -> Shelf:
    return Shelf(place)


@dataclass(eq=False)
class OpenApi:
    """One or several OpenAPI documents of a vendor.

    *added* are path items of ours for what the documents lack, by path template; their ``$ref`` may name the
    documents' components. *multi* are path parameters that span several segments. *versioned*: a path is in several
    documents, and the query's ``api-version`` says which is meant; *newer* are versions that no package carries, with
    the one whose description stands for it.
    """

    vendor: str
    packed: tuple[Packed, ...]
    added: Mapping[str, Any] = field(default_factory=dict)
    multi: frozenset[str] = frozenset()
    versioned: bool = False
    newer: Mapping[str, str] = field(default_factory=dict)
    ignore_case: bool = False

    def find(self, method: str, path: str, version: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation meant by *path*; of several templates the one with the fewest parameters."""
        segments = path.count("/")
        for packed, template in self._templates:
            if template.count("/") != segments and not any(f"{{{name}}}" in template for name in self.multi):
                continue
            found = matched(template, path, dict.fromkeys(self.multi, ".+"), ignore_case=self.ignore_case)
            if found is None or (self.versioned and not self._is_version(packed, version, template)):
                continue
            operation = _operation(self, packed, template, method.lower())
            if operation:
                return operation, found
        return None

    def named(self, name: str) -> Operation:
        """Return the operation ``METHOD /template``; of several versions the first one."""
        method, _, template = name.partition(" ")
        for packed, known in self._templates:
            operation = _operation(self, packed, known, method.lower()) if known == template else None
            if operation:
                return operation
        raise KeyError(f"{self.vendor} describes no {name}")

    def origins(self) -> list[Origin]:
        """Return package and ``info.version`` of each document."""
        said = [(each, each.origin(), shelf_of(each).part("info")) for each in self.packed]
        return [
            Origin(
                self.vendor, each.member.rpartition("/")[2], f"npm {each.package}", origin["version"], info["version"]
            )
            for each, origin, info in said
        ]

    @cached_property
    def _templates(self) -> list[tuple[Packed, str]]:
        found = [(each, template) for each in self.packed for template in shelf_of(each).paths()]
        found += [(self.packed[0], template) for template in self.added]
        return sorted(found, key=lambda each: (each[1].count("{"), -len(each[1])))

    def _is_version(self, packed: Packed, version: str, template: str) -> bool:
        described = shelf_of(packed).part("info")["version"]
        provider = re.findall(r"/providers/([^/]+/[^/{]+)", template)
        return bool(described == self.newer.get(f"{provider[-1] if provider else template}@{version}", version))

    def item(self, packed: Packed, template: str) -> Mapping[str, Any]:
        """Return the path item of *template*."""
        found: Mapping[str, Any] = self.added.get(template) or shelf_of(packed).part("path", template)
        return found


@cache
def _operation(api: OpenApi, packed: Packed, template: str, method: str) -> Operation | None:
    item = api.item(packed, template)
    if method not in item:
        return None
    said, shelf = item[method], shelf_of(packed)

    @cache
    def resolve(reference: str) -> Schema:
        section, _, name = reference.removeprefix("#/components/").partition("/")
        found: Schema = shelf.part("component", name and f"{section}/{name.replace('~1', '/')}")
        return found

    parameters = tuple(_parameters([*item.get("parameters", ()), *said.get("parameters", ())], resolve))
    request = _followed(said.get("requestBody", {}), resolve)
    return Operation(
        name=f"{method.upper()} {template}",
        method=method.upper(),
        template=template,
        parameters=parameters,
        answers=dict(_answers(said["responses"], resolve)),
        resolve=resolve,
        body=_json_schema(request),
        body_required=request.get("required", False),
    )


def _followed(part: Mapping[str, Any], resolve: Any) -> Mapping[str, Any]:
    while "$ref" in part:
        part = resolve(part["$ref"])
    return part


def _parameters(said: list[Mapping[str, Any]], resolve: Any) -> Iterator[Parameter]:
    for each in said:
        one = _followed(each, resolve)
        schema = one.get("schema", {})
        comma = schema.get("type") == "array" and not one.get("explode", True)
        many = schema.get("type") == "array" and not comma
        yield Parameter(one["name"], one["in"], schema, one.get("required", False), comma, many)


def _answers(said: Mapping[str, Any], resolve: Any) -> Iterator[tuple[int, Schema]]:
    for status, response in said.items():
        schema = _json_schema(_followed(response, resolve))
        if schema is not None:
            # Microsoft Graph describes "2XX"; what is "default" is the error of all other ones.
            number = int(status.replace("X", "0")) if status[0].isdigit() else 500
            yield number, schema


def _json_schema(content: Mapping[str, Any]) -> Schema | None:
    media = content.get("content", {})
    return next((said.get("schema") for kind, said in media.items() if _JSON.fullmatch(kind)), None)

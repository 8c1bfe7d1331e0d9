"""Google's discovery documents, as shipped inside ``google-api-python-client``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.fakes.described.operation import Operation, Origin, Parameter, matched
from tests.fakes.described.schema import Schema

_PACKAGE = "google-api-python-client"
_SYSTEM = {"$alt": {"location": "query", "type": "string"}}
"""Parameters that Google's own clients send and no document names (cloud.google.com/apis/docs/system-parameters)."""


@cache
def _folder() -> Path:
    spec = find_spec("googleapiclient")
    assert spec is not None and spec.origin is not None, f"{_PACKAGE} is not installed: run make .venv/.test"
    return Path(spec.origin).parent / "discovery_cache" / "documents"


@cache
def document(name: str) -> Mapping[str, Any]:
    """Return the discovery document *name*, as ``compute.v1``. Raises KeyError when none is shipped."""
    try:
        read: Mapping[str, Any] = json.loads((_folder() / f"{name}.json").read_text())
    except FileNotFoundError:
        raise KeyError(f"{_PACKAGE} ships no {name}") from None
    return read


@cache
def operations(name: str) -> dict[str, Operation]:
    """Return the operations of the document *name* by their names: ``compute.v1:firewalls.list``."""
    return {each.name: each for each in _operations(name, document(name), "")}


def _operations(name: str, resource: Mapping[str, Any], path: str) -> Iterator[Operation]:
    for method, said in resource.get("methods", {}).items():
        yield _operation(name, f"{path}{method}", said)
    for inner, said in resource.get("resources", {}).items():
        yield from _operations(name, said, f"{path}{inner}.")


def _operation(name: str, path: str, said: Mapping[str, Any]) -> Operation:
    whole = document(name)
    parameters = {**_SYSTEM, **whole.get("parameters", {}), **said.get("parameters", {})}

    def resolve(reference: str) -> Schema:
        found: Schema = whole["schemas"][reference]
        return found

    return Operation(
        name=f"{name}:{path}",
        method=said["httpMethod"],
        template=f"/{whole['name']}/{whole['servicePath']}{said['path']}",
        parameters=tuple(_parameter(each, of) for each, of in parameters.items()),
        answers={200: said["response"]} if "response" in said else {},
        resolve=resolve,
        body=said.get("request"),
    )


def _parameter(name: str, said: Mapping[str, Any]) -> Parameter:
    required, pattern = said.get("required", False), said.get("pattern", "^")
    # Compute's patterns have no anchors and mean the whole value all the same.
    said = said if pattern.startswith("^") else {**said, "pattern": f"^(?:{pattern})$"}
    many = said.get("repeated", False)
    return Parameter(name, said["location"], {"type": "array", "items": said} if many else said, required, many=many)


@cache
def _patterns(name: str, operation: str) -> dict[str, str]:
    # Only {+name} spans segments, as its pattern says; what {name} must look like is judged later, and complained of.
    said = operations(name)[operation]
    wide = re.findall(r"\{\+([^}]+)\}", said.template)
    return {each.name: each.schema.get("pattern", ".+").strip("^$") for each in said.parameters if each.name in wide}


@dataclass
class Discovery:
    """Several of Google's services on one server: ``https://NAME.googleapis.com/`` is ``URL/NAME/`` here.

    NAME is the document's (``compute``, ``admin``), which is also the host's. A path means the version that it
    contains; *shown* are the documents that the table of origins lists.
    """

    vendor: str
    shown: tuple[str, ...] = field(default=())

    def find(self, method: str, path: str, version: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation meant by *path*, which begins with the service's name."""
        service = path.split("/")[1]
        for name in _versions(service):
            if not _is_meant(path, name):
                continue
            # ``policies/x:getEffectivePolicy`` fits ``{+name}`` too; the method that says more of it is meant.
            for operation in sorted(operations(name).values(), key=_literal, reverse=True):
                found = operation.method == method and matched(
                    operation.template, path, _patterns(name, operation.name)
                )
                if isinstance(found, dict):
                    return operation, found
        return None

    def named(self, name: str) -> Operation:
        """Return the operation ``SERVICE.VERSION:RESOURCE.METHOD``, as ``compute.v1:firewalls.list``."""
        return operations(name.partition(":")[0])[name]

    def origins(self) -> list[Origin]:
        """Return package and revision of the documents that are shown."""
        shipped = version(_PACKAGE)
        said = [(name, document(name)["revision"]) for name in self.shown]
        return [
            Origin(self.vendor, name, f"PyPI {_PACKAGE}", shipped, f"revision {revision}") for name, revision in said
        ]


def _literal(operation: Operation) -> int:
    return len(re.sub(r"\{[^}]*\}", "", operation.template))


@lru_cache
def _versions(service: str) -> list[str]:
    if not re.fullmatch(r"[a-z0-9]+", service):
        return []
    return sorted((each.stem for each in _folder().glob(f"{service}.*.json")), key=lambda name: (len(name), name))


def _is_meant(path: str, name: str) -> bool:
    whole = document(name)
    # Some are shipped twice, also under a name without the underscore of their version.
    known = name == f"{whole['name']}.{whole['version']}"
    return known and whole["version"].rpartition("_")[2] in path.split("/")

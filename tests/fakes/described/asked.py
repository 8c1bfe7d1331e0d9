"""Judges requests: what the description of an operation says of parameters and body, what it does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.described.judge import problems
from tests.fakes.described.operation import Parameter
from tests.fakes.described.schema import Resolve, Schema, flattened
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.wire import Ask, NotUnderstood
from tests.fakes.listener import Http


def recognise(vendor: Vendor, http: Http, url: str) -> Ask:
    """Return what *http* asks. Raises `NotUnderstood` when the vendor describes no such operation."""
    said = urlsplit(http.target)
    query = parse_qsl(said.query, keep_blank_values=True)
    version = dict(query).get("api-version", "")
    path = said.path.removeprefix(vendor.prefix)
    meant = vendor.description.find(http.method, path, version) if said.path.startswith(vendor.prefix) else None
    if meant is None:
        which = f" in version {version}" if version else ""
        raise NotUnderstood(404, "", f"{vendor.name} describes no {http.method} {said.path}{which}")
    operation, path_values = meant
    values: dict[str, list[str]] = {}
    for name, value in query:
        values.setdefault(name, []).append(value)
    typed = {
        name: _typed(operation.parameter("query", name), texts, operation.resolve) for name, texts in values.items()
    }
    decoded = {
        name: _typed(operation.parameter("path", name), [unquote(value)], operation.resolve)
        for name, value in path_values.items()
    }
    return Ask(operation, decoded, typed, dict(http.headers), _body(http), url, http.target)


def wrong(vendor: Vendor, ask: Ask) -> list[str]:
    """Return what the description does not allow in *ask*, each with the rule it breaks."""
    return [*_parameters(vendor, ask), *_said(ask), *_rules(vendor, ask)]


def _parameters(vendor: Vendor, ask: Ask) -> Iterator[str]:
    operation, pager = ask.operation, vendor.pager(ask.operation)
    extra = pager.extra() if pager else ()
    for where, values in (("path", ask.path), ("query", ask.query)):
        for name, value in values.items():
            parameter = operation.parameter(where, name)
            if parameter is None:
                if name not in extra and where == "query":
                    yield f"unknown: {name} in the {where}"
                continue
            for problem in problems(value, parameter.schema, operation.resolve, name):
                yield f"{problem.rule}: {problem} in the {where}"
    for parameter in operation.parameters:
        held = {"query": ask.query, "path": ask.path}.get(parameter.where, ask.headers)
        if parameter.required and parameter.name.lower() not in {name.lower() for name in held}:
            yield f"required: {parameter.name} in the {parameter.where} is missing"


def _said(ask: Ask) -> Iterator[str]:
    operation = ask.operation
    if ask.body is None:
        if operation.body_required:
            yield "required: the body is missing"
        return
    if operation.body is None:
        yield "unknown: no body is expected"
        return
    kind = next((value for name, value in ask.headers.items() if name.lower() == "content-type"), "")
    if "json" not in kind:
        yield f"type: the body's Content-Type is {kind or 'missing'!r}"
    for problem in problems(ask.body, operation.body, operation.resolve):
        yield f"{problem.rule}: {problem} in the body"


def _rules(vendor: Vendor, ask: Ask) -> Iterator[str]:
    for pattern, rule in vendor.rules:
        problem = rule(ask) if fnmatchcase(ask.name, pattern) else ""
        if problem:
            yield f"rule: {problem}"


def _body(http: Http) -> Any:
    if not http.body:
        return None
    try:
        return json.loads(http.body)
    except ValueError as error:
        raise NotUnderstood(400, "", f"type: the body of {http.target} is no JSON: {error}") from error


def _typed(parameter: Parameter | None, texts: list[str], resolve: Resolve) -> Any:
    if parameter is None:
        return texts[0]
    schema = next((flat for flat in flattened(parameter.schema, resolve) if flat.get("type") != "null"), {})
    if schema.get("type") == "array" or parameter.many:
        inner = flattened(schema.get("items", schema), resolve)[0]
        return [_value(part, inner) for text in texts for part in (text.split(",") if parameter.comma else [text])]
    return _value(texts[0], schema) if len(texts) == 1 else [_value(text, schema) for text in texts]


def _value(text: str, schema: Schema) -> Any:
    kind = schema.get("type")
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind in ("integer", "number"):
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError:
            return text
    return text

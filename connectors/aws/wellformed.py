"""Answers that are no answers: botocore makes empty ones of JSON that it cannot parse and XML that it does not know."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree as ET

import orjson
from botocore.parsers import ResponseParserError

from collector.errors import Truncated

_MARKUP = (b"<!doctype html", b"<html")
_ROOT = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*<(?:[\w.-]+:)?([\w.-]+)", re.DOTALL)


def check_body(response_dict: dict[str, Any], operation_model: Any) -> None:
    """Refuse a body that is not what the service speaks (handler of botocore's ``before-parse``).

    A login page of a proxy, a cut or empty JSON body: botocore would make an empty answer of each, and an empty
    answer looks like an empty account. Raises ResponseParserError, and `Truncated` for fewer bytes than announced.
    """
    status, body = response_dict["status_code"], response_dict["body"]
    if not isinstance(body, bytes):
        return
    headers = response_dict["headers"]
    announced = headers.get("content-length", "") if not headers.get("content-encoding") else ""
    # botocore checks this for streams only.
    if announced.isdigit() and len(body) < int(announced):
        name = f"{operation_model.service_model.service_name}.{operation_model.name}"
        raise Truncated(f"{name}: the answer was cut: {len(body)} of {announced} bytes came")
    if body[:64].lstrip().lower().startswith(_MARKUP):
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ResponseParserError(f"the answer (status {status}) is a web page; is there a proxy in between?")
        # A gateway's error page: without it botocore reads the status, retries, and says what it was.
        response_dict["body"] = b""
    elif status < HTTPStatus.MULTIPLE_CHOICES and operation_model.output_shape is not None:
        check = _CHECKS.get(operation_model.service_model.resolved_protocol)
        if check is not None:
            check(body, operation_model)


def _check_json(body: bytes, operation_model: Any) -> None:
    shape = operation_model.output_shape
    if not body and not _from_body(shape):
        return
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ResponseParserError(f"the answer is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ResponseParserError(f"the answer is not a JSON object but {type(value).__name__}")


def _check_response(body: bytes, operation_model: Any) -> None:
    # The query and EC2 protocols name the root after the operation.
    root = _ROOT.match(body)
    if root is None or root[1].decode() != f"{operation_model.name}Response":
        raise ResponseParserError(f"the answer is not a {operation_model.name}Response")


def _check_document(body: bytes, operation_model: Any) -> None:
    """Refuse an empty body, and XML of which nothing is known to the model: neither its root nor an element below."""
    shape = operation_model.output_shape
    payload = shape.serialization.get("payload")
    members = {payload: shape.members[payload]} if payload else shape.members
    known = {name for each in members.items() if "location" not in each[1].serialization for name in _names(*each)}
    if not known or (payload and members[payload].type_name in ("string", "blob")):
        return
    if not body:
        raise ResponseParserError(f"the answer is empty instead of {shape.name}")
    try:
        root = ET.fromstring(body)  # noqa: S314 - botocore parses it with the same expat
    except ET.ParseError:
        return  # botocore refuses it, and asks S3 again before that
    # S3 says "nothing is set" (logging, versioning...) by an empty element, in its name space.
    if not len(root) and root.tag.startswith("{"):
        return
    if not known & {element.tag.rpartition("}")[2] for element in (root, *([] if payload else root))}:
        raise ResponseParserError(f"the answer is no {shape.name} but {root.tag.rpartition('}')[2]}")


def _names(name: str, shape: Any) -> set[str]:
    return {name, shape.serialization.get("name", name), shape.name}


def _from_body(shape: Any) -> bool:
    return any("location" not in member.serialization for member in shape.members.values())


_CHECKS = {
    "json": _check_json,
    "rest-json": _check_json,
    "rest-xml": _check_document,
    "query": _check_response,
    "ec2": _check_response,
}

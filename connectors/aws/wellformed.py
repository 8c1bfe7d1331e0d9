"""Answers that are no answers: botocore reads a JSON body it cannot parse as an empty one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from botocore.parsers import ResponseParserError

from collector.errors import Truncated

_JSON = ("json", "rest-json")
_MARKUP = (b"<!doctype html", b"<html")


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
    elif status < HTTPStatus.MULTIPLE_CHOICES and operation_model.service_model.resolved_protocol in _JSON:
        _check_json(body, operation_model)


def _check_json(body: bytes, operation_model: Any) -> None:
    shape = operation_model.output_shape
    if not body and (shape is None or not _from_body(shape)):
        return
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ResponseParserError(f"the answer is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ResponseParserError(f"the answer is not a JSON object but {type(value).__name__}")


def _from_body(shape: Any) -> bool:
    return any("location" not in member.serialization for member in shape.members.values())

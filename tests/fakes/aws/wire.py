"""AWS wire formats: recognises what a request asks, writes answers and errors as the service would.

Parsing, routing and serialising are moto's (`moto.core.parse`, `routing`, `serialize`); what they let pass is caught
here by saying the parsed request again with botocore's own serialiser: what it would not have sent is unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from botocore.serialize import create_serializer
from botocore.utils import parse_timestamp
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from moto.core.serialize import SerializationContext, get_serializer_class
from werkzeug.exceptions import NotFound

from tests.fakes.aws.model import UnspokenProtocol, router, services_signing_as
from tests.fakes.aws.refusal import NotUnderstood, Refusal
from tests.fakes.listener import Http, Reply

_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Ask:
    """One understood request. *params* are Python input parameters as boto3 takes them; *number* counts from 1."""

    service: str
    region: str
    operation: str
    params: dict[str, Any]
    access_key: str
    model: OperationModel = field(repr=False, compare=False)
    number: int = 0

    @property
    def name(self) -> str:
        """``iam.ListUsers``."""
        return f"{self.service}.{self.operation}"


def recognise(http: Http) -> Ask:
    """Return what *http* asks. Raises `NotUnderstood`: no signature, no such operation, unreadable parameters."""
    signed = _SCOPE.search(http.header("authorization"))
    # The two STS calls that are made without credentials (IRSA, SAML) are not signed.
    key, region, name = signed.groups() if signed else ("", "us-east-1", "sts")
    request = Request.from_primitives(http.method, f"http://aws.test{http.target}", dict(http.headers), http.body)
    for service in services_signing_as(name):
        try:
            model, labels = router(service).match(request)
        except (NotFound, UnspokenProtocol):
            continue
        if _version_fits(model, request):
            return Ask(service, region, model.name, _parse(model, request, labels), key, model)
    action = request.values.get("Action") or http.header("x-amz-target") or f"{http.method} {http.target}"
    raise NotUnderstood("UnknownOperationException", f"no operation of {name} is meant by {action}")


def _version_fits(model: OperationModel, request: Request) -> bool:
    version = request.values.get("Version")
    return version is None or not _form(model) or version == model.service_model.api_version


def _form(model: OperationModel) -> bool:
    return model.service_model.resolved_protocol in {"query", "ec2"}


def _parse(model: OperationModel, request: Request, labels: dict[str, Any]) -> dict[str, Any]:
    parser = PROTOCOL_PARSERS[model.service_model.resolved_protocol](model, timestamp_parser=_aware)
    said: Any = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.data,
        "url_path": request.path,
        "url_params": labels,
    }
    try:
        return parser.parse(said) or {}
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise NotUnderstood("SerializationException", f"{model.name}: {error}") from error


def _aware(value: Any) -> datetime:
    at: datetime = parse_timestamp(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def unknown(http: Http, ask: Ask) -> list[str]:
    """Return the parameters in *http* that the model of its operation does not know, by name or path."""
    again = create_serializer(_protocol(ask.model)).serialize_to_request(ask.params, ask.model)
    path = urlsplit(http.target)
    known_path = urlsplit(again["url_path"])
    known = _names(known_path.query) | set(again["query_string"] or ())
    strange = sorted(_names(path.query) - known - {"x-id"})
    if _form(ask.model):
        return strange + sorted(_names(http.body.decode()) - set(again["body"]))
    return strange + sorted(set(_leaves(http.body)) - set(_leaves(_bytes(again["body"]))))


def _protocol(model: OperationModel) -> str:
    return str(model.service_model.resolved_protocol)


def _names(query: str) -> set[str]:
    return {name for name, _ in parse_qsl(query, keep_blank_values=True)}


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _leaves(body: bytes) -> Iterator[str]:
    if body[:1] in (b"{", b"["):
        yield from _json_leaves(json.loads(body), "")
    elif body[:1] == b"<":
        yield from (element.tag for element in ET.fromstring(body).iter())


def _json_leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _json_leaves(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _json_leaves(inner, f"{path}[]")
    elif value is not None:
        yield path


def say(ask: Ask, output: Mapping[str, Any], request_id: str) -> Reply:
    """Return *output* (Python output parameters, already judged) in the wire format of the operation."""
    protocol = _protocol(ask.model)
    serializer = get_serializer_class(ask.service, protocol)(ask.model, SerializationContext(request_id))
    said = serializer.serialize(dict(output))
    headers = {name: str(value) for name, value in said["headers"].items()}
    return Reply(said["status_code"], {**headers, **_ids(ask.service, request_id)}, _bytes(said["body"]))


def say_refusal(protocol: str, service: str, refusal: Refusal, request_id: str) -> Reply:
    """Return *refusal* as the service says it."""
    status = refusal.status or 400
    fault = "Sender" if status < 500 else "Receiver"
    said = f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message>"
    said += "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in refusal.members.items())
    headers = {"Content-Type": "text/xml", **_ids(service, request_id)}
    if service == "s3":
        body = f'<?xml version="1.0"?><Error>{said}<RequestId>{request_id}</RequestId><HostId>host</HostId></Error>'
    elif protocol == "ec2":
        body = f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    elif protocol in {"query", "rest-xml"}:
        error = f"<Error><Type>{fault}</Type>{said}</Error>"
        body = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    elif protocol == "rest-json":
        headers |= {"Content-Type": "application/json", "x-amzn-ErrorType": f"{refusal.code}:"}
        body = json.dumps({"message": refusal.message, **refusal.members}, default=str)
    else:
        headers["Content-Type"] = "application/x-amz-json-1.1"
        body = json.dumps({"__type": refusal.code, "message": refusal.message, **refusal.members}, default=str)
    return Reply(status, headers, body.encode())


def _ids(service: str, request_id: str) -> dict[str, str]:
    if service == "s3":
        return {"x-amz-request-id": request_id.replace("-", "")[:16].upper(), "x-amz-id-2": "host"}
    return {"x-amzn-RequestId": request_id}

"""botocore's own service models: which service and operation a request means, what its shapes are.

The classes are moto's subclasses of botocore's (`moto.core.model`), because moto's parsers and serialisers want them;
the data is botocore's, as the SDK reads it.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader, create_loader
from moto.core.model import OperationModel, ServiceModel
from moto.core.routing import JSONRouter, ProtocolRouter, QueryRouter, RestRouter

_ROUTERS: dict[str, type[ProtocolRouter]] = {
    "json": JSONRouter,
    "query": QueryRouter,
    "ec2": QueryRouter,
    "rest-json": RestRouter,
    "rest-xml": RestRouter,
}


class UnspokenProtocol(Exception):
    """The service speaks a protocol that neither the fake nor moto can (smithy-rpc-v2-cbor)."""


@cache
def loader() -> Loader:
    """Return the one loader of model files."""
    return create_loader()


@cache
def service_model(service: str) -> ServiceModel:
    """Return the model of *service* (botocore's name: ``sso-admin``). Raises UnknownServiceError."""
    return ServiceModel(loader().load_service_model(service, "service-2"), service)


@cache
def router(service: str) -> ProtocolRouter:
    """Return what finds the operation of a request to *service*. Raises `UnspokenProtocol`."""
    model = service_model(service)
    if model.resolved_protocol not in _ROUTERS:
        raise UnspokenProtocol(f"{service} speaks {model.resolved_protocol}")
    return _ROUTERS[model.resolved_protocol](model)


def operation_model(service: str, operation: str) -> OperationModel:
    """Return the model of *operation*. Raises botocore's UnknownServiceError or OperationNotFoundError."""
    model: OperationModel = service_model(service).operation_model(operation)
    return model


@cache
def paginators(service: str) -> dict[str, dict[str, Any]]:
    """Return botocore's paginators of *service* by operation; empty when it has none."""
    try:
        found: dict[str, dict[str, Any]] = loader().load_service_model(service, "paginators-1")["pagination"]
    except UnknownServiceError:
        return {}
    return found


def services_signing_as(name: str) -> list[str]:
    """Return the services whose requests are signed for *name*, the service of that name first."""
    return sorted(_signing_names().get(name, []), key=lambda service: (service != name, service))


def iam_prefix(service: str) -> str:
    """Return what stands before the colon in the IAM actions of *service* (``sso`` for ``sso-admin``)."""
    return str(service_model(service).signing_name)


@cache
def _signing_names() -> dict[str, list[str]]:
    # A whole load of all models takes 20 s; what is wanted stands at the head of each file.
    names: dict[str, list[str]] = {}
    for service in loader().list_available_services("service-2"):
        head = _head(service)
        found = re.search(r'"signingName"\s*:\s*"([^"]+)"', head) or re.search(
            r'"endpointPrefix"\s*:\s*"([^"]+)"', head
        )
        name = found.group(1) if found else service_model(service).signing_name
        names.setdefault(name, []).append(service)
    return names


def _head(service: str) -> str:
    version = loader().determine_latest_version(service, "service-2")
    for root in loader().search_paths:
        path = Path(root) / service / version / "service-2.json.gz"
        if path.exists():
            with gzip.open(path) as file:
                head, operations, _ = file.read(8192).decode("utf-8", "ignore").partition('"operations"')
            return head if operations else ""
    return ""

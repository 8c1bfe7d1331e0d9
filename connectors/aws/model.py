"""What botocore's models say of an operation: members, paging, errors, whether it is a read, its IAM action."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader, create_loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

from collector.errors import ConfigError
from connectors.aws.data import table

# Token members of operations without paginator: in the answer -> in the request. The first pair that fits is taken.
_TOKENS = {
    "NextToken": ("NextToken",),
    "nextToken": ("nextToken",),
    "NextMarker": ("NextMarker", "Marker"),
    "nextMarker": ("nextMarker", "marker"),
    "Marker": ("Marker",),
    "marker": ("marker",),
    "NextContinuationToken": ("ContinuationToken",),
    "ContinuationToken": ("ContinuationToken",),
    "NextPageToken": ("PageToken", "NextPageToken"),
    "nextPageToken": ("pageToken", "nextPageToken"),
    "PaginationToken": ("PaginationToken",),
    "paginationToken": ("paginationToken",),
    "position": ("position",),
    "LastEvaluatedKey": ("ExclusiveStartKey",),
}
_MORE = ("IsTruncated", "isTruncated", "Truncated", "HasMoreResults", "hasMoreResults")
_LOOKS_LIKE_TOKEN = re.compile(r"(next|continuation|pagination|page).*(token|marker|cursor)$|^marker$", re.IGNORECASE)

_lock = threading.RLock()
_operations: dict[str, Operation] = {}
_services: dict[str, ServiceModel] = {}


class _SharedLoader:
    loader: Loader | None = None


def loader() -> Loader:
    """Return the process's one loader of models: sessions share it, for the parsed models are most of their memory."""
    with _lock:
        if _SharedLoader.loader is None:
            _SharedLoader.loader = create_loader()
        return _SharedLoader.loader


@dataclass(frozen=True)
class Paging:
    """How an operation pages: request members that take the tokens, expressions that give them, and the lists paged.

    *more* is the expression that says whether there is more, *style* who says so: boto3's paginator or we.
    """

    tokens_in: tuple[str, ...]
    tokens_out: tuple[str, ...]
    more: str | None
    results: tuple[str, ...]
    style: str


@dataclass(frozen=True)
class Operation:
    """One API operation as botocore models it."""

    service: str
    model: OperationModel

    @property
    def name(self) -> str:
        """The name used in specs, ledgers and messages: ``kms.ListKeys``."""
        return f"{self.service}.{self.model.name}"

    @cached_property
    def members(self) -> Mapping[str, Any]:
        """Request members by name, as botocore shapes."""
        return self.model.input_shape.members if self.model.input_shape else {}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Request members that must be given."""
        return tuple(self.model.input_shape.required_members) if self.model.input_shape else ()

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """Members of the answer by name, as botocore shapes."""
        return self.model.output_shape.members if self.model.output_shape else {}

    @cached_property
    def errors(self) -> frozenset[str]:
        """Error codes the model declares: shape names and the codes on the wire. Empty where it declares none."""
        shapes = self.model.error_shapes
        codes = {shape.metadata.get("error", {}).get("code") for shape in shapes}
        return frozenset({shape.name for shape in shapes} | {code for code in codes if code})

    @cached_property
    def paging(self) -> Paging | None:
        """How it pages: by boto3's paginator, else by token members of known names; None when it does not page."""
        return _declared_paging(self) or _token_paging(self)

    @cached_property
    def stray_tokens(self) -> tuple[str, ...]:
        """Members of the answer that look like continuation tokens though no paging is known."""
        if self.paging:
            return ()
        return tuple(name for name in self.outputs if _LOOKS_LIKE_TOKEN.search(name))

    @cached_property
    def results(self) -> tuple[str, ...]:
        """Expressions of the lists in an answer: those paged, else every list member."""
        if self.paging and self.paging.results:
            return self.paging.results
        return tuple(name for name, shape in self.outputs.items() if shape.type_name == "list")

    @cached_property
    def is_read(self) -> bool:
        """Whether a procedure may call it: it changes nothing and answers with no secret."""
        reads = table("reads")
        if any(fnmatchcase(self.name, pattern) for pattern in reads["never"]):
            return False
        return self.name in reads["also"] or self.model.name.startswith(tuple(reads["prefixes"]))

    @cached_property
    def action(self) -> str:
        """The IAM action that permits it; empty when none is needed."""
        actions = table("actions")
        if self.name in actions["free"]["operations"]:
            return ""
        signing = self.model.service_model.signing_name
        default = f"{actions['prefix'].get(signing, signing)}:{self.model.name}"
        return str(actions["action"].get(self.name, default))


def operation(name: str) -> Operation:
    """Return the operation *name* (``kms.ListKeys``). Raises `ConfigError` when botocore does not know it."""
    with _lock:
        if name not in _operations:
            _operations[name] = _find(name)
        return _operations[name]


def _find(name: str) -> Operation:
    service, _, operation_name = name.rpartition(".")
    try:
        if service not in _services:
            _services[service] = ServiceModel(loader().load_service_model(service, "service-2"), service)
        return Operation(service, _services[service].operation_model(operation_name))
    except UnknownServiceError as error:
        raise ConfigError(f"botocore knows no service {service!r} (of {name})") from error
    except OperationNotFoundError as error:
        raise ConfigError(f"botocore knows no operation {name}") from error


def _declared_paging(operation: Operation) -> Paging | None:
    try:
        with _lock:
            declared = loader().load_service_model(operation.service, "paginators-1")["pagination"]
    except UnknownServiceError:
        return None
    paginator = declared.get(operation.model.name)
    if paginator is None:
        return None
    return Paging(
        _several(paginator["input_token"]),
        _several(paginator["output_token"]),
        paginator.get("more_results"),
        _several(paginator.get("result_key", [])),
        "paginator",
    )


def _token_paging(operation: Operation) -> Paging | None:
    for token_out, choices in _TOKENS.items():
        for token_in in choices:
            if token_out in operation.outputs and token_in in operation.members:
                lists = tuple(name for name, shape in operation.outputs.items() if shape.type_name == "list")
                more = next((name for name in _MORE if name in operation.outputs), None)
                return Paging((token_in,), (token_out,), more, lists, "token loop")
    return None


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)

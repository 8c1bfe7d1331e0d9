"""How AWS pages: from botocore's paginators, and from the token members where there is no paginator."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jmespath
from moto.core.model import OperationModel

from tests.fakes.aws.model import paginators

_TOKENS_IN = ("NextToken", "nextToken", "Marker", "marker", "NextMarker", "ContinuationToken", "PaginationToken")
_TOKENS_OUT = ("NextToken", "nextToken", "NextMarker", "nextMarker", "Marker", "marker", "NextContinuationToken")
_LIMITS = ("MaxResults", "maxResults", "Limit", "limit", "MaxItems", "MaxRecords", "PageSize")
_MORE = ("IsTruncated", "Truncated")


@dataclass(frozen=True)
class Paging:
    """How one operation pages. *results* are paths of lists; several are paged as one, in this order.

    *token_in* are request members; *token_out* is a path in the answer, or an expression over the page's last item.
    """

    token_in: tuple[str, ...]
    token_out: str
    results: tuple[str, ...]
    limit: str | None
    more: str | None
    default: int
    maximum: int

    def size(self, params: Mapping[str, Any]) -> int:
        """Return how many items the page that *params* ask for holds."""
        asked = params.get(self.limit) if self.limit else None
        return min(asked or self.default, self.maximum)

    def token(self, params: Mapping[str, Any]) -> str | None:
        """Return the token that *params* carry; None for a first page."""
        return next((params[name] for name in self.token_in if name in params), None)

    def bare(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return *params* without token and limit: AWS takes a token only with the parameters it was given for."""
        return {name: value for name, value in params.items() if name not in (*self.token_in, self.limit)}


@dataclass(frozen=True)
class Page:
    """Items ``[start, stop)`` of *whole*, the answer with every item; *next* is where the next page starts.

    A trouble changes it: *token* is given out instead of a new one, *more* is said whatever is true.
    """

    paging: Paging
    whole: Mapping[str, Any]
    start: int
    stop: int
    next: int | None
    token: str | None = None
    more: bool | None = None

    def output(self) -> dict[str, Any]:
        """Return the answer of this page, as yet without token."""
        output, passed = dict(self.whole), 0
        for path in self.paging.results:
            items = look(self.whole, path)
            if items is not None:
                put(output, path, items[max(self.start - passed, 0) : max(self.stop - passed, 0)])
                passed += len(items)
        if self.paging.more:
            put(output, self.paging.more, (self.next is not None) if self.more is None else self.more)
        return output


def first_page(paging: Paging, whole: Mapping[str, Any], params: Mapping[str, Any], start: int = 0) -> Page:
    """Return the page of *whole* that starts at item *start*, as large as *params* and the service's default say."""
    total = sum(len(look(whole, path) or ()) for path in paging.results)
    stop = min(start + paging.size(params), total)
    return Page(paging, whole, start, stop, stop if stop < total else None)


def paging_of(model: OperationModel) -> Paging | None:
    """Return how the operation pages; None when one answer holds everything."""
    service = model.service_model.service_name
    spec = paginators(service).get(model.name) or _by_members(model)
    if spec is None:
        return None
    limit = spec.get("limit_key")
    results = tuple(_list(spec["result_key"]))
    default, maximum = _sizes(service, model, limit)
    bound = int(min([maximum, *(_bound(model, path) for path in results)]))
    return Paging(
        token_in=tuple(_list(spec["input_token"])),
        token_out=_list(spec["output_token"])[0].split(" || ")[0],
        results=results,
        limit=limit,
        more=spec.get("more_results"),
        default=min(default, bound),
        maximum=bound,
    )


def _by_members(model: OperationModel) -> dict[str, Any] | None:
    if model.input_shape is None or model.output_shape is None:
        return None
    asked, given = model.input_shape.members, model.output_shape.members
    token_in = next((name for name in _TOKENS_IN if name in asked), None)
    token_out = next((name for name in _TOKENS_OUT if name in given), None)
    lists = [name for name, shape in given.items() if shape.type_name == "list"]
    if token_in is None or token_out is None or len(lists) != 1:
        return None
    limit = next((name for name in _LIMITS if name in asked), None)
    more = next((name for name in _MORE if name in given), None)
    spec = {"input_token": token_in, "output_token": token_out, "result_key": lists}
    return spec | {"limit_key": limit, "more_results": more}


def _sizes(service: str, model: OperationModel, limit: str | None) -> tuple[int, int]:
    table = _table()
    row = table.get((service, model.name)) or table.get((service, "*"))
    if row:
        return row
    shape = model.input_shape.members.get(limit) if limit and model.input_shape else None
    most = int((shape.metadata.get("max") if shape else None) or 100)
    return min(most, 1000), most


def _bound(model: OperationModel, path: str) -> float:
    # What the answer's list may hold at most, it may hold in one page.
    shape = model.output_shape.members.get(path) if model.output_shape else None
    return (shape.metadata.get("max") if shape else None) or float("inf")


@cache
def _table() -> dict[tuple[str, str], tuple[int, int]]:
    with Path(__file__).with_name("page_sizes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["service"], row["operation"]): (int(row["default"]), int(row["maximum"])) for row in rows}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def look(output: Mapping[str, Any], path: str) -> Any:
    """Return what *path* (JMESPath) finds in *output*; None when nothing."""
    return jmespath.search(path, output)


def put(output: dict[str, Any], path: str, value: Any) -> None:
    """Set the dotted *path* in *output*, copying the structures on the way: the fixture stays as it was."""
    *way, name = path.split(".")
    for step in way:
        output[step] = copy(output.get(step) or {})
        output = output[step]
    output[name] = value

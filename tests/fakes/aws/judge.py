"""Judges values by botocore's shapes, in both directions: what a request says, what a fixture says.

Stricter than botocore's own validator: unknown members, enumerations, lengths and maxima count too. Patterns are
judged in requests only, and only those that Python's ``re`` can read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from numbers import Real
from typing import Any

from botocore.model import Shape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
    "list": (list, tuple),
    "map": (Mapping,),
    "structure": (Mapping,),
}


def problems(
    value: object, shape: Shape | None, *, request: bool = False, path: str = "", paged: Collection[str] = ()
) -> Iterator[str]:
    """Yield what is wrong with *value* as *shape*, each with its path; nothing when it is right.

    Timestamps must be aware datetimes, blobs bytes. A shape of None allows nothing but an empty mapping. Lists at the
    paths in *paged* may be of any length: the limits that shapes give are a page's.
    """
    if shape is None:
        if value:
            yield f"{path or 'it'}: nothing is expected here"
        return
    if getattr(shape, "is_document_type", False):
        return
    if not isinstance(value, _TYPES[shape.type_name]) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{path or 'it'}: {type(value).__name__} instead of {shape.type_name}"
        return
    if path not in paged:
        yield from _size(value, shape, path)
    if isinstance(value, str):
        yield from _text(value, shape, path, request)
    elif isinstance(value, datetime) and value.tzinfo is None:
        yield f"{path}: a time without zone"
    else:
        yield from _inside(value, shape, request, path, paged)


def _inside(value: Any, shape: Any, request: bool, path: str, paged: Collection[str]) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _structure(value, shape, request, path, paged)
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from problems(item, shape.member, request=request, path=f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from problems(key, shape.key, request=request, path=f"{path}.{key}")
            yield from problems(item, shape.value, request=request, path=f"{path}.{key}")


def _structure(value: Mapping[str, Any], shape: Any, request: bool, path: str, paged: Collection[str]) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name}".lstrip(".") + ": required and missing"
    if shape.is_tagged_union and len(value) != 1:
        yield f"{path}: a union takes exactly one of {sorted(shape.members)}"
    for name, item in value.items():
        where = f"{path}.{name}".lstrip(".")
        if name not in shape.members:
            yield f"{where}: unknown to {shape.name}"
        else:
            yield from problems(item, shape.members[name], request=request, path=where, paged=paged)


def _size(value: Any, shape: Shape, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is None and most is None:
        return
    size = value if isinstance(value, Real) else len(value)
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{path}: {size} is not between {least} and {most}"


def _text(value: str, shape: Any, path: str, request: bool) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is not one of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if request and pattern and not _matches(pattern, value):
        yield f"{path}: {value!r} does not match {pattern}"


def _matches(pattern: str, value: str) -> bool:
    # The patterns are Java's: what Python cannot read (\p{L}) cannot be judged.
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True

"""A document of evidence as people read it: a line for each field, the way one writes an outline, and not too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from collector.model import Json
from collector.web.pages import as_json

MOST_LINES = 400
_SHORT = 80
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A field: how *deep* it stands, its *name* (empty for an element of a list), and its *value*, None for a heading.

    *cut* is the last line of a document that has more.
    """

    deep: int
    name: str
    value: str | None
    cut: bool = False


def outline(document: Json) -> list[Line]:
    """Return *document* as lines; at most `MOST_LINES`, and one more that says that there are others."""
    lines = list(islice(_lines(document, 0), MOST_LINES + 1))
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], Line(0, "", None, cut=True)]


def _lines(value: Json, deep: int) -> Iterator[Line]:
    if isinstance(value, dict) and deep < _DEEPEST:
        for name, each in value.items():
            yield from _field(str(name), each, deep)
    elif isinstance(value, list) and deep < _DEEPEST:
        for each in value:
            yield from _field("", each, deep)
    else:
        yield Line(deep, "", as_json(value))


def _field(name: str, value: Json, deep: int) -> Iterator[Line]:
    if isinstance(value, dict | list) and value and not _is_short(value):
        yield Line(deep, name, None)
        yield from _lines(value, deep + 1)
    else:
        yield Line(deep, name, _inline(value))


def _is_short(value: Json) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(each, str | int | float | None) for each in value) and len(_inline(value)) <= _SHORT


def _inline(value: Json) -> str:
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return as_json(", ".join(value))
    return as_json(value)

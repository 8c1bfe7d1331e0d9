"""Which fields of items a table shows when nobody has said: few, short, and such that tell the items apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from collector.ask.expressions import compiled
from collector.errors import QueryError
from collector.model import Json

MOST = 6
_PICKED = 4
_MOST_TYPED = 500
_LONGEST_VALUE = 48
_COMMON = 0.6
_REDACTED = "[redacted:"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def typed(text: str) -> tuple[str, ...]:
    """Return the expressions in *text*, which stand between semicolons.

    Raises `QueryError` for too many of them, and for one that is no JMESPath.
    """
    found = tuple(each.strip() for each in text.split(";") if each.strip())
    if len(found) > MOST or len(text) > _MOST_TYPED:
        raise QueryError(f"a table has at most {MOST} columns of your own", hint="Name fewer, between semicolons.")
    for each in found:
        compiled(each)
    return found


def picked(documents: Sequence[Json], keys: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of *documents* worth a column: plain and short in most of them, and not their *keys* again.

    Those come first that take few values, but more than one: a role says more of a list than a date of creation.
    """
    values: dict[str, list[Json]] = defaultdict(list)
    for document, key in zip(documents, keys, strict=True):
        for name, value in document.items() if isinstance(document, dict) else ():
            if _PLAIN.fullmatch(name) and _is_short(value) and value != key:
                values[name].append(value)
    common = [name for name, found in values.items() if len(found) >= _COMMON * len(documents)]
    return tuple(sorted(common, key=lambda name: _rank(values[name], len(documents)))[:_PICKED])


def found_by(expressions: Sequence[str], document: Json) -> list[Json]:
    """Return what each of *expressions* finds in *document*."""
    return [compiled(each).search(document) for each in expressions]


def _is_short(value: Json) -> bool:
    return isinstance(value, bool | int | float) or (
        isinstance(value, str) and 0 < len(value) <= _LONGEST_VALUE and not value.startswith(_REDACTED)
    )


def _rank(values: Sequence[Any], documents: int) -> tuple[bool, bool, int]:
    distinct = len({(type(each), each) for each in values})
    return (distinct == 1, distinct > max(2, documents // 2), -len(values))

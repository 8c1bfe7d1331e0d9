"""Which fields of a document changed: pure, on plain JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from collector.canonical import canonical
from collector.model import Json

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_:/@+-]+")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that is not the same. *change* is ``added``, ``removed``, ``changed`` or ``reordered``.

    *path* joins names with ``.`` (a name with other characters stands in double quotes, as JSON) and positions in
    lists as ``[2]``; an element that joined or left a list has the list's path and ``[]``. *before* and *after* are
    None where there is none, and also where the value is null: *change* tells which.
    """

    path: str
    change: str
    before: Json = None
    after: Json = None


def differences(before: Json, after: Json) -> list[FieldChange]:
    """Return what makes *after* differ from *before*, in path order; empty exactly when they are the same JSON.

    Lists are compared as what joined and what left, unless the same positions differ, which are then looked into;
    a list with the same elements in another order is ``reordered``.
    """
    return list(_walk("", before, after))


def _walk(path: str, before: Json, after: Json) -> Iterator[FieldChange]:
    if _same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(path, before, after)
    else:
        yield FieldChange(path, "changed", before, after)


def _objects(path: str, before: dict[str, Json], after: dict[str, Json]) -> Iterator[FieldChange]:
    for name in sorted(before.keys() | after.keys()):
        place = f"{path}.{_name(name)}" if path else _name(name)
        if name not in after:
            yield FieldChange(place, "removed", before=before[name])
        elif name not in before:
            yield FieldChange(place, "added", after=after[name])
        else:
            yield from _walk(place, before[name], after[name])


def _lists(path: str, before: list[Json], after: list[Json]) -> Iterator[FieldChange]:
    old, new = [canonical(each) for each in before], [canonical(each) for each in after]
    left, joined = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if not left and not joined:
        yield FieldChange(path, "reordered", before, after)
        return
    differing = [place for place in range(min(len(old), len(new))) if old[place] != new[place]]
    if len(old) == len(new) and len(differing) == left.total() and any(_both_hold(before, after, differing)):
        for place in differing:
            yield from _walk(f"{path}[{place}]", before[place], after[place])
        return
    yield from (FieldChange(f"{path}[]", "removed", before=each) for each in _taken(before, old, left))
    yield from (FieldChange(f"{path}[]", "added", after=each) for each in _taken(after, new, joined))


def _both_hold(before: list[Json], after: list[Json], places: list[int]) -> Iterator[bool]:
    # Looking into a position pays only for an object or a list; of a plain value it says less than "left, joined".
    return (isinstance(before[place], dict | list) and isinstance(after[place], dict | list) for place in places)


def _taken(values: list[Json], written: list[bytes], wanted: Counter[bytes]) -> Iterator[Json]:
    left = Counter(wanted)
    for value, text in zip(values, written, strict=True):
        if left[text]:
            left[text] -= 1
            yield value


def _same(before: Json, after: Json) -> bool:
    # 1 == True == 1.0 in Python, not in JSON.
    return canonical(before) == canonical(after)


def _name(name: str) -> str:
    import json

    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)

"""Field paths: how a kind names fields of its items, and what is done to the fields so named.

A path is names joined by ``.``: ``Meta.LastModified``. ``Tags[]`` is every element of a list, ``*`` and ``?`` stand for
characters of one name, ``**`` for any number of levels, also none: ``**.secret``. A name with a dot is quoted:
``labels."app.io/name"``. A name applied to a list is looked for in each of its elements, so that a forgotten ``[]``
never leaves a secret in. A concrete path, as `split` returns them, has numbers: ``Roles[3].LastUsed``.

Every function changes *document* in place and leaves what no path names as it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache

from collector.canonical import canonical
from collector.errors import ConfigError
from collector.model import Json

_SEGMENT = re.compile(r'(?:"((?:[^"\\]|\\["\\])*)"|([^.\s"\[\]]+))?((?:\[\])*)(\.|$)')
_PLAIN = re.compile(r'[^.\s"\[\]*?]+')
_EACH = "[]"


class Walk(Enum):
    """A step that names no field: every element of a list, or any number of levels."""

    EACH = "[]"
    DEEP = "**"


Step = str | re.Pattern[str] | Walk
Location = tuple[str | int, ...]
_Match = tuple[Location, Json, str | int]  # where, the container, the key in it


def remove(document: Json, paths: Iterable[str]) -> list[str]:
    """Remove every field that *paths* name; return those of *paths* that matched, in the order given.

    Raises `ConfigError` for a malformed path, as every function here does.
    """
    return [path for path in paths if _take(document, path)]


def mark(document: Json, paths: Iterable[str], mark: str) -> Counter[str]:
    """Replace the value of every field that *paths* name by *mark*; return how many, per path that matched.

    A null stays: that the source has no value is evidence, and hides nothing.
    """
    counts: Counter[str] = Counter()
    for path in paths:
        for _, container, key in _matches(document, path):
            if container[key] is not None and container[key] != mark:
                container[key] = mark
                counts[path] += 1
    return counts


def split(document: Json, paths: Iterable[str], sets: Iterable[str] = ()) -> dict[str, Json]:
    """Remove every field that *paths* name, then sort the lists that *sets* name; return {concrete path: value}.

    Numbers in the paths are positions after sorting: they point into the document as it is afterwards.
    """
    taken = {location: value for path in paths for location, value in _take(document, path)}
    moved = _sort(document, sets)
    return {_show(_moved(location, moved)): value for location, value in taken.items()}


def without(document: Json, paths: Iterable[str]) -> Json:
    """Return *document* less every field that *paths* name, as `remove` would leave it; *document* stays as it is.

    What no path touches is shared with *document*, not copied.
    """
    for path in paths:
        document = _without(document, parse(path))
    return document


def sort_sets(document: Json, paths: Iterable[str]) -> None:
    """Sort the lists that *paths* name by the canonical bytes of their elements, inner lists first.

    A path may end in ``[]`` or not; a field that is not a list is left alone. Raises `collector.errors.Invalid`
    when an element has no canonical form.
    """
    _sort(document, paths)


def join(path: str, name: str) -> str:
    """Return the path of the field *name* of what *path* names ('' is the document), quoted where it must be."""
    if not _PLAIN.fullmatch(name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{path}.{name}" if path else name


@lru_cache(maxsize=4096)
def parse(path: str) -> tuple[Step, ...]:
    """Return the steps of *path*. Raises `ConfigError` naming it when it is malformed."""
    steps: list[Step] = []
    position = 0
    while position < len(path) or not steps:
        found = _SEGMENT.match(path, position)
        if not found or path.endswith("."):
            raise ConfigError(f"not a field path: {path!r}", hint="Write names joined by dots, like Roles[].Used.")
        position = found.end()
        quoted, name, lists = found[1], found[2], found[3]
        if quoted is not None:
            steps.append(re.sub(r"\\(.)", r"\1", quoted))
        elif name:
            steps.append(_step(name))
        elif steps or not lists:
            raise ConfigError(f"not a field path: {path!r}", hint="A name is missing between two dots.")
        steps += [Walk.EACH] * (len(lists) // len(_EACH))
    return tuple(steps)


def _step(name: str) -> Step:
    if name == Walk.DEEP.value:
        return Walk.DEEP
    if "*" not in name and "?" not in name:
        return name
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", name))
    return re.compile("".join(parts), re.DOTALL)


def _matches(document: Json, path: str) -> list[_Match]:
    """Return what *path* names, outermost only: what lies inside a match is part of it."""
    found = {location: (location, container, key) for location, container, key in _find(document, parse(path), ())}
    return [match for at, match in found.items() if not any(at[:end] in found for end in range(1, len(at)))]


def _find(node: Json, steps: Sequence[Step], location: Location) -> Iterator[_Match]:
    step, rest = steps[0], steps[1:]
    if step is Walk.DEEP:
        if rest:
            yield from _find(node, rest, location)
        for key, child in _children(node):
            yield from _find(child, steps, (*location, key)) if rest else [((*location, key), node, key)]
    elif isinstance(node, list) and step is not Walk.EACH:
        for index, child in enumerate(node):
            yield from _find(child, steps, (*location, index))
    else:
        for key in _keys(node, step):
            yield from _find(node[key], rest, (*location, key)) if rest else [((*location, key), node, key)]


def _keys(node: Json, step: Step) -> Iterable[str | int]:
    if isinstance(node, list):
        return range(len(node))
    if not isinstance(node, dict) or isinstance(step, Walk):
        return ()
    if isinstance(step, str):
        return (step,) if step in node else ()
    return [key for key in node if step.fullmatch(key)]


def _children(node: Json) -> Iterable[tuple[str | int, Json]]:
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


def _take(document: Json, path: str) -> list[tuple[Location, Json]]:
    matches = _matches(document, path)
    taken = [(location, container[key]) for location, container, key in matches]
    # Backwards, so that taking one element of a list does not move those still to be taken.
    for _, container, key in reversed(matches):
        del container[key]
    return taken


def _without(node: Json, steps: Sequence[Step]) -> Json:
    step, rest = steps[0], steps[1:]
    if isinstance(node, dict):
        return _object_without(node, steps)
    if not isinstance(node, list):
        return node
    if step is Walk.DEEP:
        kept = _without(node, rest) if rest else []
        return [_without(child, steps) for child in kept]
    if step is Walk.EACH:
        return [_without(child, rest) for child in node] if rest else []
    return [_without(child, steps) for child in node]


def _object_without(node: dict[str, Json], steps: Sequence[Step]) -> dict[str, Json]:
    step, rest = steps[0], steps[1:]
    if type(step) is str:
        if step not in node:
            return node
        copy = dict(node)
        if rest:
            copy[step] = _without(copy[step], rest)
        else:
            del copy[step]
        return copy
    if step is Walk.DEEP:
        kept = _without(node, rest) if rest else {}
        return {key: _without(child, steps) for key, child in kept.items()}
    named = set(_keys(node, step))
    if not rest:
        return {key: child for key, child in node.items() if key not in named}
    return {key: _without(child, rest) if key in named else child for key, child in node.items()}


def _sort(document: Json, paths: Iterable[str]) -> dict[Location, list[int]]:
    """Sort the lists named; return for each list that moved the new position of every old one."""
    lists: dict[Location, list[Json]] = {}
    for path in paths:
        for location, container, key in _find(document, parse(path.removesuffix(_EACH)), ()):
            if isinstance(container[key], list):
                lists[location] = container[key]
    moved: dict[Location, list[int]] = {}
    for location in sorted(lists, key=len, reverse=True):
        elements = lists[location]
        order = sorted(range(len(elements)), key=[canonical(each) for each in elements].__getitem__)
        elements[:] = [elements[old] for old in order]
        moved[location] = sorted(range(len(order)), key=order.__getitem__)
    return moved


def _moved(location: Location, moved: dict[Location, list[int]]) -> Location:
    steps = list(location)
    for depth, step in enumerate(location):
        places = moved.get(location[:depth])
        # An element that was itself taken has no place in the sorted list; it keeps the number the source gave it.
        if isinstance(step, int) and places and depth < len(location) - 1:
            steps[depth] = places[step]
    return tuple(steps)


def _show(location: Location) -> str:
    path = ""
    for step in location:
        path = f"{path}[{step}]" if isinstance(step, int) else join(path, step)
    return path

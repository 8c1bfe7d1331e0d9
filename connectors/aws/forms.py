"""What an expression will find, worked out over botocore's shapes instead of values; for lint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.fields import Step, Walk, parse
from collector.model import Json
from collector.procedures.expressions import Expression

SENSITIVE = "(sensitive)"  # stands in a `sample` for every value the model calls sensitive
_DEEPEST = 24


class NoSuchField(Exception):
    """The expression names a field that the value will never have."""


class _Members(Mapping[str, "Form"]):
    """The members of a structure as forms, made when asked for: shapes may hold themselves."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape

    def __getitem__(self, name: str) -> Form:
        return of_shape(self._shape.members[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._shape.members)

    def __len__(self) -> int:
        return len(self._shape.members)


@dataclass(frozen=True)
class Form:
    """What a value may be: an object with *fields*, a list of *element*, a map to *value*, *anything*, else a scalar.

    *shape* is the name of botocore's shape, empty when it has none.
    """

    fields: Mapping[str, Form] | None = None
    element: Form | None = None
    value: Form | None = None
    anything: bool = False
    sensitive: bool = False
    shape: str = field(default="", compare=False)


ANYTHING = Form(anything=True)
SCALAR = Form()


def of_shape(shape: Any) -> Form:
    """Return the form of botocore's *shape*; None is an object without fields."""
    if shape is None:
        return Form(fields={})
    sensitive = bool(shape.metadata.get("sensitive"))
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False):
            return ANYTHING
        return Form(fields=_Members(shape), sensitive=sensitive, shape=shape.name)
    if shape.type_name == "list":
        return Form(element=of_shape(shape.member), sensitive=sensitive)
    if shape.type_name == "map":
        return Form(value=of_shape(shape.value), sensitive=sensitive)
    return Form(sensitive=sensitive)


def union(forms: Iterable[Form]) -> Form:
    """Return the form of a value that may be any of *forms*: of objects, one with the fields of all."""
    several = list(forms)
    objects = [each.fields for each in several if each.fields is not None]
    lists = [each.element for each in several if each.element is not None]
    if len(several) == 1:
        return several[0]
    if objects:
        names = dict.fromkeys(name for fields in objects for name in fields)
        return Form(fields={name: union(fields[name] for fields in objects if name in fields) for name in names})
    if lists:
        return Form(element=union(lists))
    return ANYTHING if any(each.anything for each in several) else SCALAR


def merged(form: Form, fields: Mapping[str, Form]) -> Form:
    """Return *form*, an object, with *fields* added or replaced."""
    return ANYTHING if form.anything else Form(fields={**(form.fields or {}), **fields})


def found_by(expression: Expression, form: Form) -> Form:
    """Return the form of what *expression* finds in a value of *form*. Raises `NoSuchField`."""
    return _visit(expression.compiled.parsed, form)


def at_path(form: Form, path: str) -> list[Form]:
    """Return the forms of what the field path *path* (see `collector.fields`) names; empty when it names nothing."""
    return list(_walk(form, parse(path), _DEEPEST))


def sample(form: Form, above: tuple[str, ...] = ()) -> Json:
    """Return a document of *form* with one element in each list and `SENSITIVE` where the model says so."""
    if form.sensitive:
        return SENSITIVE
    if form.fields is not None:
        if form.shape and form.shape in above:
            return {}
        above = (*above, form.shape)
        return {name: sample(each, above) for name, each in form.fields.items()}
    if form.element is not None:
        return [sample(form.element, above)]
    if form.value is not None:
        return {"key": sample(form.value, above)}
    return ""


def _visit(node: dict[str, Any], form: Form) -> Form:
    return _VISITORS.get(node["type"], _other)(node, form)


def _field(node: dict[str, Any], form: Form) -> Form:
    name = node["value"]
    if form.anything:
        return ANYTHING
    if form.value is not None:
        return form.value
    if form.fields is None or name not in form.fields:
        raise NoSuchField(name)
    return form.fields[name]


def _chain(node: dict[str, Any], form: Form) -> Form:
    for child in node["children"]:
        form = _visit(child, form)
    return form


def _element(form: Form) -> Form:
    if form.anything:
        return ANYTHING
    if form.element is None:
        raise NoSuchField("[] of what is no list")
    return form.element


def _flatten(node: dict[str, Any], form: Form) -> Form:
    inner = _element(_visit(node["children"][0], form))
    return Form(element=inner.element if inner.element is not None else inner)


def _projection(node: dict[str, Any], form: Form) -> Form:
    left, right, *condition = node["children"]
    base = _visit(left, form)
    if node["type"] == "value_projection":
        inner = base.value or union((base.fields or {}).values()) if not base.anything else ANYTHING
    else:
        inner = _element(base)
    for each in condition:
        _visit(each, inner)
    return Form(element=_visit(right, inner))


def _several(node: dict[str, Any], form: Form) -> Form:
    return Form(element=union(_visit(child, form) for child in node["children"]))


def _named(node: dict[str, Any], form: Form) -> Form:
    return Form(fields={pair["value"]: _visit(pair["children"][0], form) for pair in node["children"]})


def _either(node: dict[str, Any], form: Form) -> Form:
    return union(_visit(child, form) for child in node["children"])


def _index(_: dict[str, Any], form: Form) -> Form:
    return _element(form)


def _itself(_: dict[str, Any], form: Form) -> Form:
    return form


def _other(node: dict[str, Any], form: Form) -> Form:
    """Comparisons, functions, literals: what they name must exist, what they give may be anything."""
    if node["type"] not in ("literal", "expref"):
        for child in node["children"]:
            _visit(child, form)
    return ANYTHING


_VISITORS: dict[str, Callable[[dict[str, Any], Form], Form]] = {
    "field": _field,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "slice": _itself,
    "current": _itself,
    "identity": _itself,
    "flatten": _flatten,
    "projection": _projection,
    "value_projection": _projection,
    "filter_projection": _projection,
    "multi_select_list": _several,
    "multi_select_dict": _named,
    "or_expression": _either,
}


def _walk(form: Form, steps: Sequence[Step], depth: int) -> Iterator[Form]:
    if not steps or form.anything:
        yield form
        return
    if not depth:
        return
    step, rest = steps[0], steps[1:]
    if step is Walk.DEEP:
        yield from _walk(form, rest, depth - 1)
        for child in _children(form):
            yield from _walk(child, steps, depth - 1)
    elif form.element is not None:
        # A name applied to a list looks into every element, with or without `[]`.
        yield from _walk(form.element, rest if step is Walk.EACH else steps, depth - 1)
    elif form.value is not None:
        yield from _walk(form.value, rest, depth - 1)
    else:
        for name, child in (form.fields or {}).items():
            if step == name or (isinstance(step, re.Pattern) and step.fullmatch(name)):
                yield from _walk(child, rest, depth - 1)


def _children(form: Form) -> Iterator[Form]:
    yield from (form.fields or {}).values()
    yield from (each for each in (form.element, form.value) if each is not None)

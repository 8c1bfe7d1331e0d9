"""Request parameters: literals with placeholders, loop variables, values bound from the item."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from collector.clock import iso, to_ms
from collector.errors import Invalid
from collector.model import Json, Window
from collector.procedure import Since
from connectors.aws.prepare import Ready

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")

Values = Mapping[str, Json]


def window_values(since: Since, window: Window) -> dict[str, Json]:
    """Return ``since`` and ``until`` as the source wants them written."""
    return {"since": _written(window.since, since.form), "until": _written(window.until, since.form)}


def fill(value: Json, values: Values) -> Json:
    """Return *value* with every ``{name}`` of *values* filled in; a lone placeholder keeps the value's type."""
    if isinstance(value, str):
        lone = PLACEHOLDER.fullmatch(value)
        if lone and lone[1] in values:
            return values[lone[1]]
        return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), value)
    if isinstance(value, dict):
        return {name: fill(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [fill(each, values) for each in value]
    return value


def parameters(ready: Ready, values: Values, item: Json = None) -> dict[str, Json]:
    """Return the request parameters of *ready* for *item*. Raises `Invalid` when the item lacks a value to bind."""
    params = {name: fill(value, values) for name, value in ready.spec.params.items()}
    params.update({name: values[name] for name in ready.loop_variables})
    for name, expression in ready.bind:
        params[name] = _bound(ready, name, expression.search(item))
    for name in ready.inferred:
        params[name] = _bound(ready, name, item.get(name) if isinstance(item, dict) else None)
    return params


def place(params: dict[str, Json], path: str, value: Json) -> None:
    """Set *value* at *path* (``Filters[0].Values``) in *params*, making the structures on the way that are missing."""
    *way, last = [step for step in re.split(r"[.\[\]]+", path) if step]
    target: Any = params
    for step in way:
        target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
    target[last] = value


def _bound(ready: Ready, name: str, value: Json) -> Json:
    # Null is no answer to "of which one?": without the parameter the call would speak of another item, or of all.
    if value is None:
        raise Invalid(f"{ready.name}: the item has no value for {name}")
    return value


def _written(at: Any, form: str) -> Json:
    if form == "datetime":
        return at
    if form == "iso":
        return iso(at)
    return to_ms(at) if form == "epoch_ms" else to_ms(at) // 1000

"""Request parameters: literals with placeholders, loop variables, values bound from the item."""

from __future__ import annotations

from collector.errors import Invalid
from collector.model import Json
from collector.procedures.values import Values, fill
from connectors.aws.prepare import Ready


def parameters(ready: Ready, values: Values, item: Json = None) -> dict[str, Json]:
    """Return the request parameters of *ready* for *item*. Raises `Invalid` when the item lacks a value to bind."""
    params = {name: fill(value, values) for name, value in ready.spec.params.items()}
    params.update({name: values[name] for name in ready.loop_variables})
    for name, expression in ready.bind:
        params[name] = _bound(ready, name, expression.search(item))
    for name in ready.inferred:
        params[name] = _bound(ready, name, item.get(name) if isinstance(item, dict) else None)
    return params


def _bound(ready: Ready, name: str, value: Json) -> Json:
    # Null is no answer to "of which one?": without the parameter the call would speak of another item, or of all.
    if value is None:
        raise Invalid(f"{ready.name}: the item has no value for {name}")
    return value

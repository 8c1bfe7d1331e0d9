"""Values that are known before a request is made, and the placeholders that take them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from collector.clock import iso, to_ms
from collector.model import Json, Window
from collector.procedure import Since

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


def place(params: dict[str, Json], path: str, value: Json) -> None:
    """Set *value* at *path* (``Filters[0].Values``) in *params*, making the structures on the way that are missing."""
    *way, last = [step for step in re.split(r"[.\[\]]+", path) if step]
    target: Any = params
    for step in way:
        target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
    target[last] = value


def texts(value: Json) -> Iterator[str]:
    """Yield every string in *value*, however deep; the names of fields are not among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def placeholders(value: Json) -> list[str]:
    """Return the names of the placeholders in *value*, in order."""
    return [name for text in texts(value) for name in PLACEHOLDER.findall(text)]


def _written(at: datetime, form: str) -> Json:
    if form == "datetime":
        return at
    if form == "iso":
        return iso(at)
    return to_ms(at) if form == "epoch_ms" else to_ms(at) // 1000

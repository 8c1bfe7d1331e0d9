"""How a kind is read, for a person to check: the parts that are the same whatever the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collector.model import Json
from collector.procedures.ready import R, ReadyKind

Shown = dict[str, Json]


def document(ready: ReadyKind[R], grants: Sequence[str], shown: Callable[[R], Shown]) -> Json:
    """Return *ready* as JSON: its calls in the order of execution, each with what *shown* tells, and what it needs."""
    kind = ready.kind
    calls = [
        *(_call(loop.call, shown, "for", var=loop.spec.var) for loop in ready.loops if loop.call),
        *([_call(ready.poll[0], shown, "poll", until=ready.poll[1].text)] if ready.poll else []),
        *(_call(root, shown, "list") for root in ready.roots),
        *(_call(each.call, shown, "batch", ids=each.spec.ids, match=each.match.text) for each in ready.batches),
        *(_call(each, shown, "each") for each in ready.each),
    ]
    whole = {
        "kind": kind.name,
        "title": kind.title,
        "scope": kind.scope,
        "every": kind.every,
        "key": kind.key or "(one item)",
        "for": {loop.spec.var: loop.spec.values or (loop.call.name if loop.call else []) for loop in ready.loops},
        "calls": calls,
        "since": kind.since.model_dump() if kind.since else None,
        "volatile": kind.volatile,
        "redact": kind.redact,
        "never": kind.never,
        "grants": list(grants),
    }
    return {name: value for name, value in whole.items() if value or name in ("calls", "grants")}


def _call(call: R, shown: Callable[[R], Shown], part: str, **more: Json) -> Json:
    spec = call.spec
    own = shown(call)
    whole = {
        "op": call.name,
        "as": part,
        **more,
        "params": spec.params,
        "bind": own.pop("bind", None) or {name: found.text for name, found in call.bind},
        "items": call.items.text if call.items else None,
        "paging": own.pop("paging", ""),
        "pick": spec.pick,
        "into": spec.into,
        "if": spec.when,
        "at": spec.at,
        "absent": spec.absent,
        "gone": spec.gone,
        "not_enabled": spec.not_enabled,
        **own,
    }
    return {name: value for name, value in whole.items() if value}

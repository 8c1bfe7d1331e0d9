"""What is inferred for a kind, for a person to check: every call with its paging, items, bindings and grant."""

from __future__ import annotations

from collector.model import Json
from collector.procedure import Kind
from connectors.aws.policy import grants_of
from connectors.aws.prepare import Ready, prepare


def explain(kind: Kind) -> Json:
    """Return *kind* as it is read, as JSON. Raises `ConfigError` when it cannot be read."""
    ready = prepare(kind)
    calls = [
        *(_call(loop.call, "for", var=loop.spec.var) for loop in ready.loops if loop.call),
        *([_call(ready.poll[0], "poll", until=ready.poll[1].text)] if ready.poll else []),
        *(_call(root, "list") for root in ready.roots),
        *(_call(each.call, "batch", ids=each.spec.ids, match=each.match.text) for each in ready.batches),
        *(_call(each, "each") for each in ready.each),
    ]
    loops = {loop.spec.var: loop.spec.values or (loop.call.name if loop.call else []) for loop in ready.loops}
    document = {
        "kind": kind.name,
        "title": kind.title,
        "scope": kind.scope,
        "every": kind.every,
        "key": kind.key or "(one item)",
        "for": loops,
        "calls": calls,
        "since": kind.since.model_dump() if kind.since else None,
        "volatile": kind.volatile,
        "redact": kind.redact,
        "never": kind.never,
        "grants": list(grants_of(kind)),
    }
    return {name: value for name, value in document.items() if value or name in ("calls", "grants")}


def _call(ready: Ready, part: str, **more: Json) -> Json:
    spec = ready.spec
    bindings = {name: "{" + name + "}" for name in ready.loop_variables}
    bindings |= {name: expression.text for name, expression in ready.bind}
    bindings |= {name: name for name in ready.inferred}
    document = {
        "op": ready.name,
        "as": part,
        **more,
        "params": spec.params,
        "bind": bindings,
        "items": ready.items.text if ready.items else None,
        "paging": _paging(ready),
        "pick": spec.pick,
        "into": spec.into,
        "if": spec.when,
        "at": spec.at,
        "absent": spec.absent,
        "gone": spec.gone,
        "not_enabled": spec.not_enabled,
        "grant": ready.action,
    }
    return {name: value for name, value in document.items() if value}


def _paging(ready: Ready) -> str:
    paging = ready.operation.paging
    if ready.items is None or paging is None:
        return ""
    return f"{paging.style}: {', '.join(paging.tokens_out)} -> {', '.join(paging.tokens_in)}"

"""What is inferred for a kind, for a person to check: every call with its paging, items, bindings and grant."""

from __future__ import annotations

from collector.model import Json
from collector.procedure import Kind
from collector.procedures.explaining import document
from connectors.aws.policy import grants_of
from connectors.aws.prepare import Ready, prepare


def explain(kind: Kind) -> Json:
    """Return *kind* as it is read, as JSON. Raises `ConfigError` when it cannot be read."""
    return document(prepare(kind), grants_of(kind), _shown)


def _shown(ready: Ready) -> dict[str, Json]:
    bindings = {name: "{" + name + "}" for name in ready.loop_variables}
    bindings |= {name: expression.text for name, expression in ready.bind}
    bindings |= {name: name for name in ready.inferred}
    return {"bind": bindings, "paging": _paging(ready), "grant": ready.action}


def _paging(ready: Ready) -> str:
    paging = ready.operation.paging
    if ready.items is None or paging is None:
        return ""
    return f"{paging.style}: {', '.join(paging.tokens_out)} -> {', '.join(paging.tokens_in)}"

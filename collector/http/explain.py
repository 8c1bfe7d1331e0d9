"""How a kind is read over HTTP, for a person to check: every call with its host, paging, items and grants."""

from __future__ import annotations

from collections.abc import Sequence

from collector.http.api import Api
from collector.http.prepare import Ready, prepare
from collector.model import Json
from collector.procedure import Kind
from collector.procedures.explaining import document


def explain(kind: Kind, api: Api, grants: Sequence[str]) -> Json:
    """Return *kind* as it is read, as JSON. Raises `ConfigError` when it cannot be read."""
    return document(prepare(kind, api), grants, lambda call: _shown(call, api))


def _shown(call: Ready, api: Api) -> dict[str, Json]:
    spec, paging = call.spec, call.paging
    known = {name: value for name, value in paging.model_dump(exclude_defaults=True).items() if name != "style"}
    told = ", ".join(f"{name} {value}" for name, value in known.items())
    return {
        "paging": f"{paging.style}: {told}".rstrip(": ") if call.items else "",
        "host": api.hosts[call.operation.host],
        "query": dict(call.operation.query) or spec.query,
        "body": spec.body,
        "headers": spec.headers,
        "grants": list(call.grants),
    }

"""A kind made ready to be read: operations looked up, expressions compiled, what the spec leaves out inferred."""

from __future__ import annotations

from dataclasses import dataclass, replace

from collector.errors import ConfigError
from collector.procedure import Batch, Call, Kind
from collector.procedures import ready as shared
from collector.procedures.expressions import Expression, expression
from connectors.aws.model import Operation, operation


@dataclass(frozen=True, kw_only=True)
class Ready(shared.Ready):
    """One declared call of an operation that *action* permits; *inferred* parameters are fields of the item."""

    operation: Operation
    action: str
    tokens: tuple[Expression, ...] = ()
    more: Expression | None = None
    inferred: tuple[str, ...] = ()
    loop_variables: tuple[str, ...] = ()


ReadyBatch = shared.ReadyBatch[Ready]
ReadyLoop = shared.ReadyLoop[Ready]
ReadyKind = shared.ReadyKind[Ready]


def prepare(kind: Kind) -> ReadyKind:
    """Return *kind* ready to be read.

    Raises `ConfigError` naming the kind when an operation is unknown or no read, an expression does not compile, or
    the list of a root call can neither be found nor inferred.
    """
    try:
        return _prepare(kind)
    except ConfigError as error:
        raise ConfigError(f"{kind.name}: {error.message}", hint=error.hint()) from error


def _prepare(kind: Kind) -> ReadyKind:
    service = kind.service or _first_service(kind)
    return shared.assembled(
        kind,
        plain=lambda call, known: _ready(call, service, known),
        listing=lambda call, known: _listing(call, service, known),
        detail=lambda call, known: _detail(call, service, known),
        batch=lambda call, known: _batch(call, service, known),
    )


def _first_service(kind: Kind) -> str:
    return next((call.op.rpartition(".")[0] for call in kind.calls if "." in call.op), "")


def _ready(call: Call, service: str, loop_variables: tuple[str, ...]) -> Ready:
    found = operation(call.op if "." in call.op else f"{service}.{call.op}")
    if not found.is_read:
        raise ConfigError(f"{found.name} is not a read: no procedure may call it")
    bound = tuple(name for name in loop_variables if name in found.members and name not in {*call.params, *call.bind})
    return Ready(
        spec=call,
        name=found.name,
        operation=found,
        action=found.action,
        inferred=tuple(name for name in found.required if name not in {*call.params, *call.bind, *bound}),
        loop_variables=bound,
        **shared.compiled(call),
    )


def _listing(call: Call, service: str, loop_variables: tuple[str, ...]) -> Ready:
    ready = _ready(call, service, loop_variables)
    text = call.items or _only_list(ready.operation)
    if text is None:
        lists = ", ".join(ready.operation.results) or "none"
        raise ConfigError(f"{ready.name}: which list holds the items? Declare `items` (lists in the answer: {lists})")
    paging = ready.operation.paging
    if paging is None:
        return replace(ready, items=expression(text))
    return replace(
        ready,
        items=expression(text),
        tokens=tuple(expression(token) for token in paging.tokens_out),
        more=expression(paging.more) if paging.more else None,
    )


def _detail(call: Call, service: str, loop_variables: tuple[str, ...]) -> Ready:
    ready = _ready(call, service, loop_variables)
    pages = ready.operation.paging is not None and call.pick is None and _only_list(ready.operation) is not None
    return _listing(call, service, loop_variables) if call.items or pages else ready


def _batch(batch: Batch, service: str, loop_variables: tuple[str, ...]) -> Ready:
    ready = _listing(batch, service, loop_variables)
    filled = batch.ids.partition(".")[0].partition("[")[0]
    return replace(ready, inferred=tuple(name for name in ready.inferred if name != filled))


def _only_list(operation: Operation) -> str | None:
    return operation.results[0] if len(operation.results) == 1 else None

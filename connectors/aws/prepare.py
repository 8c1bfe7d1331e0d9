"""A kind made ready to be read: operations looked up, expressions compiled, what the spec leaves out inferred."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from collector.errors import ConfigError, Invalid
from collector.model import Json
from collector.procedure import Batch, Call, Kind, Loop
from connectors.aws.model import Operation, operation


@dataclass(frozen=True)
class Expression:
    """A compiled JMESPath expression; *text* is how the spec writes it."""

    text: str
    compiled: Any = field(repr=False, compare=False)

    def search(self, value: Json) -> Json:
        """Return what it finds in *value*. Raises `Invalid` when the value has types it cannot work on."""
        try:
            return self.compiled.search(value)
        except JMESPathError as error:
            raise Invalid(f"{self.text!r} does not fit the answer: {error}") from error


@dataclass(frozen=True)
class Ready:
    """One declared call, ready to be made. With *items* its answers are lists, drained page by page."""

    spec: Call
    operation: Operation
    action: str
    items: Expression | None = None
    tokens: tuple[Expression, ...] = ()
    more: Expression | None = None
    bind: tuple[tuple[str, Expression], ...] = ()
    inferred: tuple[str, ...] = ()
    pick: Expression | None = None
    when: Expression | None = None
    at: Expression | None = None
    put: tuple[tuple[str, Expression], ...] = ()
    loop_variables: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The operation's name: ``kms.ListKeys``."""
        return self.operation.name


@dataclass(frozen=True)
class ReadyBatch:
    """A batch call with the expressions that tie answers to items."""

    call: Ready
    spec: Batch
    id: Expression
    match: Expression


@dataclass(frozen=True)
class ReadyLoop:
    """A loop with the call that lists its values, if one does."""

    spec: Loop
    call: Ready | None


@dataclass(frozen=True)
class ReadyKind:
    """A kind with every call ready, in the parts of the procedure."""

    kind: Kind
    loops: tuple[ReadyLoop, ...]
    poll: tuple[Ready, Expression] | None
    roots: tuple[Ready, ...]
    batches: tuple[ReadyBatch, ...]
    each: tuple[Ready, ...]

    @property
    def calls(self) -> list[Ready]:
        """Every call, in the order of execution."""
        loops = [loop.call for loop in self.loops if loop.call]
        poll = [self.poll[0]] if self.poll else []
        return [*loops, *poll, *self.roots, *(batch.call for batch in self.batches), *self.each]


def expression(text: str) -> Expression:
    """Return *text* compiled. Raises `ConfigError` when it is not JMESPath."""
    try:
        return Expression(text, jmespath.compile(text))
    except JMESPathError as error:
        raise ConfigError(f"not a JMESPath expression: {text!r}: {str(error).splitlines()[0]}") from error


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
    known: tuple[str, ...] = ()
    loops = []
    for loop in kind.loops:
        call = _listing(loop.call, service, known) if loop.call else None
        loops.append(ReadyLoop(loop, call))
        known = (*known, loop.var)
    poll = (_ready(kind.poll.call, service, known), expression(kind.poll.until)) if kind.poll else None
    return ReadyKind(
        kind,
        tuple(loops),
        poll,
        tuple(_listing(call, service, known) for call in kind.list_),
        tuple(_batch(batch, service, known) for batch in kind.batch),
        tuple(_detail(call, service, known) for call in kind.each),
    )


def _first_service(kind: Kind) -> str:
    return next((call.op.rpartition(".")[0] for call in kind.calls if "." in call.op), "")


def _ready(call: Call, service: str, loop_variables: tuple[str, ...]) -> Ready:
    found = operation(call.op if "." in call.op else f"{service}.{call.op}")
    if not found.is_read:
        raise ConfigError(f"{found.name} is not a read: no procedure may call it")
    bound = tuple(name for name in loop_variables if name in found.members and name not in {*call.params, *call.bind})
    return Ready(
        call,
        found,
        found.action,
        bind=tuple((name, expression(text)) for name, text in call.bind.items()),
        inferred=tuple(name for name in found.required if name not in {*call.params, *call.bind, *bound}),
        pick=expression(call.pick) if call.pick else None,
        when=expression(call.when) if call.when else None,
        at=expression(call.at) if call.at else None,
        put=tuple((name, expression(text)) for name, text in call.put.items()),
        loop_variables=bound,
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


def _batch(batch: Batch, service: str, loop_variables: tuple[str, ...]) -> ReadyBatch:
    ready = _listing(batch, service, loop_variables)
    filled = batch.ids.partition(".")[0].partition("[")[0]
    ready = replace(ready, inferred=tuple(name for name in ready.inferred if name != filled))
    return ReadyBatch(ready, batch, expression(batch.id), expression(batch.match))


def _only_list(operation: Operation) -> str | None:
    return operation.results[0] if len(operation.results) == 1 else None

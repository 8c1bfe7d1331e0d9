"""A kind made ready to be read: expressions compiled, and the parts of the procedure in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from collector.connector import Reading
from collector.errors import Truncated
from collector.model import Json
from collector.procedure import Batch, Call, Kind, Loop
from collector.procedures.expressions import Expression, expression
from collector.procedures.values import Values


class Absent(Exception):
    """The source said by a declared code that there is none."""


class Gone(Exception):
    """The source said by a declared code that the item was deleted since it was listed."""


def cut_off(name: str) -> Truncated:
    """Return the error for a list of the call *name* of which a later page is said not to be there.

    Such a word means that there is no list, and there is one.
    """
    return Truncated(f"{name} ended in the middle: a later page is not there; the list is not complete")


@dataclass(frozen=True, kw_only=True)
class Ready:
    """One declared call, ready to be made. With *items* its answers are lists, drained page by page.

    *name* is what it is called in ledgers and messages; it never holds a value of an item. An engine adds its own.
    """

    spec: Call
    name: str
    items: Expression | None = None
    bind: tuple[tuple[str, Expression], ...] = ()
    pick: Expression | None = None
    when: Expression | None = None
    at: Expression | None = None
    put: tuple[tuple[str, Expression], ...] = ()


R = TypeVar("R", bound=Ready)
R_contra = TypeVar("R_contra", bound=Ready, contravariant=True)


@dataclass(frozen=True)
class ReadyBatch(Generic[R]):
    """A batch call with the expressions that tie answers to items."""

    call: R
    spec: Batch
    id: Expression
    match: Expression


@dataclass(frozen=True)
class ReadyLoop(Generic[R]):
    """A loop with the call that lists its values, if one does."""

    spec: Loop
    call: R | None


@dataclass(frozen=True)
class ReadyKind(Generic[R]):
    """A kind with every call ready, in the parts of the procedure."""

    kind: Kind
    loops: tuple[ReadyLoop[R], ...]
    poll: tuple[R, Expression] | None
    roots: tuple[R, ...]
    batches: tuple[ReadyBatch[R], ...]
    each: tuple[R, ...]

    @property
    def calls(self) -> list[R]:
        """Every call, in the order of execution."""
        loops = [loop.call for loop in self.loops if loop.call]
        poll = [self.poll[0]] if self.poll else []
        return [*loops, *poll, *self.roots, *(batch.call for batch in self.batches), *self.each]


class Asking(Protocol[R_contra]):
    """What an engine brings: how requests are written and made. Used by many threads at once.

    Each method raises a `ReadError` when the answer is not whole, `Absent` or `Gone` for a code the call declares.
    """

    def parameters(self, call: R_contra, values: Values, item: Json = None, ids: list[Json] | None = None) -> Any:
        """Return what `items` and `single` take: the request of *call* for *item*, or for the *ids* of a batch."""

    def items(self, call: R_contra, params: Any, at: str, reading: Reading) -> Iterator[tuple[Json, Json]]:
        """Yield every item with the page it came in; ends only when the source said that there is no more."""

    def single(self, call: R_contra, params: Any, at: str, reading: Reading) -> Json:
        """Return the one answer of a call that is not a listing."""


def compiled(call: Call) -> dict[str, Any]:
    """Return the expressions that every engine takes as the spec has them, by the names of `Ready`'s fields."""
    return {
        "bind": tuple((name, expression(text)) for name, text in call.bind.items()),
        "pick": expression(call.pick) if call.pick else None,
        "when": expression(call.when) if call.when else None,
        "at": expression(call.at) if call.at else None,
        "put": tuple((name, expression(text)) for name, text in call.put.items()),
    }


def assembled(
    kind: Kind,
    *,
    plain: Callable[[Call, tuple[str, ...]], R],
    listing: Callable[[Call, tuple[str, ...]], R],
    detail: Callable[[Call, tuple[str, ...]], R],
    batch: Callable[[Batch, tuple[str, ...]], R],
) -> ReadyKind[R]:
    """Return *kind* with every call made ready by its function, which is told the loop variables known by then."""
    known: tuple[str, ...] = ()
    loops = []
    for loop in kind.loops:
        loops.append(ReadyLoop(loop, listing(loop.call, known) if loop.call else None))
        known = (*known, loop.var)
    return ReadyKind(
        kind,
        tuple(loops),
        (plain(kind.poll.call, known), expression(kind.poll.until)) if kind.poll else None,
        tuple(listing(call, known) for call in kind.list_),
        tuple(ReadyBatch(batch(each, known), each, expression(each.id), expression(each.match)) for each in kind.batch),
        tuple(detail(call, known) for call in kind.each),
    )

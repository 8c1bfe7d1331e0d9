"""What is wrong with a kind that is read over HTTP, as far as it can be seen without the vendor's description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.connector import Problem
from collector.errors import ConfigError
from collector.http.api import Api
from collector.http.prepare import Ready, ReadyKind, names_in, prepare
from collector.procedure import Kind
from collector.procedures.expressions import expression

Finding = tuple[str, str]  # place in the spec, what is wrong there


def lint(kind: Kind, api: Api, levels: Sequence[str], placeholders: Sequence[str] = ()) -> list[Problem]:
    """Return every problem of *kind*. *placeholders* are what the session's scopes give beside *levels*.

    An empty list is no proof that the vendor will agree: which fields an answer has is not known here.
    """
    try:
        ready = prepare(kind, api)
        findings = [*_kind(kind, levels), *_Calls(ready, {*levels, *placeholders, "account", "scope"}).findings()]
    except ConfigError as error:
        return [Problem(kind.name, "calls", error.message)]
    return [Problem(kind.name, place, message) for place, message in findings]


def _kind(kind: Kind, levels: Sequence[str]) -> Iterator[Finding]:
    if kind.scope not in levels:
        yield "scope", f"{kind.scope!r} is no level of this connector: {', '.join(levels)}"
    if kind.list_ and not kind.key:
        yield "key", "items that are listed need a key"
    elif kind.key and not kind.list_:
        yield "key", "a kind without `list` is one item and has no key"
    elif kind.key:
        expression(kind.key)
    if not kind.list_ and not kind.each:
        yield "calls", "nothing is asked"
    if not kind.grants and not all(call.grants for call in kind.calls):
        yield "grants", "name the permissions it needs: with HTTP none can be inferred"
    if kind.since:
        expression(kind.since.field)
    if kind.since and kind.since.form == "datetime":
        yield "since.form", "JSON has no times: write 'iso', 'epoch_s' or 'epoch_ms'"


@dataclass
class _Calls:
    ready: ReadyKind
    known: set[str]

    def findings(self) -> Iterator[Finding]:
        ready = self.ready
        if ready.kind.since:
            self.known |= {"since", "until"}
        for loop in ready.loops:
            if loop.call:
                yield from self._root(loop.call)
            elif not loop.spec.values:
                yield "for", f"{loop.spec.var} has neither values nor a call"
            self.known.add(loop.spec.var)
        if ready.poll:
            yield from self._before(ready.poll[0])
        for root in ready.roots:
            yield from self._root(root)
        for batch in ready.batches:
            yield from self._detail(batch.call, dependent=True)
            if batch.spec.many and not batch.spec.into:
                yield batch.call.name, "several answers per item need `into`"
        for call in ready.each:
            yield from self._detail(call)
        written = {name for call in ready.calls for name in names_in(call)}
        if ready.kind.since and "since" not in written:
            yield "since", "no call passes {since}: the window would not reach the source"

    def _root(self, call: Ready) -> Iterator[Finding]:
        yield from self._before(call)
        for name in ("pick", "into", "when", "gone", "bind"):
            if getattr(call.spec, name):
                yield call.name, f"`{'if' if name == 'when' else name}` is for details"

    def _before(self, call: Ready) -> Iterator[Finding]:
        for name in names_in(call):
            if name.removeprefix("+").partition(".")[0] not in self.known:
                yield call.name, f"nothing gives a value to {{{name}}}"

    def _detail(self, call: Ready, *, dependent: bool = False) -> Iterator[Finding]:
        spec = call.spec
        free = [name for name in names_in(call) if name.removeprefix("+").partition(".")[0] not in self.known]
        if self.ready.roots and not free and not call.bind and not dependent:
            yield call.name, "does not depend on the item: name one of its fields in the address, or by `bind`"
        if not self.ready.roots:
            yield from self._before(call)
        if (spec.absent or (spec.items and not dependent)) and not spec.into:
            yield call.name, "`absent` codes and listed details need `into`"
        if spec.items and spec.pick:
            yield call.name, "`items` and `pick` exclude each other"

"""A kind made ready to be read over HTTP: operations parsed, expressions compiled, paging resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from collector.errors import ConfigError
from collector.http.api import Api
from collector.http.template import PLACEHOLDER, Operation, operation, placeholders
from collector.procedure import Batch, Call, Kind, Paging
from collector.procedures import ready as shared
from collector.procedures.expressions import Expression, expression
from collector.procedures.values import Values

# A definition begins the document or follows another's end; comments go to the end of their line.
_WRITES = re.compile(r"(?:\A|\})(?:\s|#.*+)*+(?:mutation|subscription)\b")
_READS = re.compile(r"(?:\s|#.*+)*+(?:query\b|fragment\b|\{)")
_WINDOW = re.compile(r"\{(since|until)\}")


@dataclass(frozen=True, kw_only=True)
class Ready(shared.Ready):
    """One declared call over HTTP. *places* are names that are bound into the address or the body, not the query."""

    operation: Operation
    paging: Paging
    next: Expression | None = None
    more: Expression | None = None
    total: Expression | None = None
    places: frozenset[str] = frozenset()
    grants: tuple[str, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether the answer itself is what is decoded (a CSV report), not JSON that holds it."""
        return bool(self.spec.decode) and self.items is not None and self.items.text == "@"


ReadyKind = shared.ReadyKind[Ready]


def prepare(kind: Kind, api: Api) -> ReadyKind:
    """Return *kind* ready to be read. Raises `ConfigError` naming the kind for what can never be asked.

    That is an operation that is malformed, goes to an undeclared host or is no read, an expression that does not
    compile, a list without `items`, and paging that lacks what it needs.
    """

    def listing(call: Call, known: tuple[str, ...]) -> Ready:  # noqa: ARG001
        return _listing(call, kind, api)

    def detail(call: Call, known: tuple[str, ...]) -> Ready:  # noqa: ARG001
        return _listing(call, kind, api) if call.items else _single(call, kind, api)

    def batch(call: Batch, known: tuple[str, ...]) -> Ready:  # noqa: ARG001
        return _listing(call, kind, api)

    def plain(call: Call, known: tuple[str, ...]) -> Ready:  # noqa: ARG001
        return _single(call, kind, api)

    try:
        return shared.assembled(kind, plain=plain, listing=listing, detail=detail, batch=batch)
    except ConfigError as error:
        raise ConfigError(f"{kind.name}: {error.message}", hint=error.hint()) from error


def resolved(call: Call, api: Api) -> Paging:
    """Return how the list of *call* continues: its own paging, what it leaves open taken from the default."""
    own = call.paging
    if own is None:
        return api.paging
    if own.style:
        return own
    return api.paging.model_copy(update=own.model_dump(exclude_defaults=True))


def in_window(call: Ready, values: Values) -> Ready:
    """Return *call* with ``{since}`` and ``{until}`` of *values* written into `items` and `more`, where they stand.

    Only these two: every other value is the source's and could end the text that it stands in.
    """

    def written(found: Expression | None) -> Expression | None:
        if found is None or not _WINDOW.search(found.text):
            return found
        return expression(_WINDOW.sub(lambda name: str(values[name[1]]), found.text))

    return replace(call, items=written(call.items), more=written(call.more))


def is_read(found: Operation, api: Api) -> bool:
    """Return whether *found* may be asked: a GET, a GraphQL query, or a POST that the connector declares to read."""
    return found.method == "GET" or found.graphql or any(fnmatchcase(found.name, pattern) for pattern in api.reads)


def _single(call: Call, kind: Kind, api: Api, paging: Paging | None = None) -> Ready:
    found = operation(call.op, api.graphql)
    if found.host not in api.hosts:
        raise ConfigError(f"{call.op}: no host {found.host!r}", hint=f"Hosts: {', '.join(sorted(api.hosts))}.")
    if not is_read(found, api):
        raise ConfigError(f"{found.name} is not a read: no procedure may call it")
    _shape(call, found)
    paging = paging or Paging(style="none")
    written = [found.path, [text for _, text in found.query], call.params, call.body, call.headers]
    return Ready(
        spec=call,
        name=found.name,
        operation=found,
        paging=paging,
        next=expression(paging.next) if paging.next else None,
        more=expression(paging.more) if paging.more else None,
        total=expression(paging.total) if paging.total else None,
        places=frozenset(name.removeprefix("+").partition(".")[0] for name in placeholders(written)),
        grants=tuple(call.grants or kind.grants),
        items=expression(call.items) if call.items else None,
        **shared.compiled(call),
    )


def _shape(call: Call, found: Operation) -> None:
    if found.graphql != bool(call.query):
        raise ConfigError(f"{call.op}: a GRAPHQL operation, and no other, has a `query`")
    if found.graphql and (_WRITES.search(call.query) or not _READS.match(call.query)):
        raise ConfigError(f"{call.op}: the document is not a query")
    if call.body is not None and (found.method != "POST" or found.graphql):
        raise ConfigError(f"{call.op}: only a POST has a `body`")
    if call.paging and not call.items:
        raise ConfigError(f"{call.op}: `paging` is of a list; declare its `items`")
    if call.at:
        raise ConfigError(f"{call.op}: `at` has no meaning over HTTP; write the host before the method")


def _listing(call: Call, kind: Kind, api: Api) -> Ready:
    if not call.items:
        raise ConfigError(f"{call.op}: which list holds the items? Declare `items` ('@' when the answer is the list)")
    paging = resolved(call, api)
    missing = _missing(paging)
    if missing:
        raise ConfigError(f"{call.op}: paging {paging.style!r} needs {missing}")
    return _single(call, kind, api, paging)


_NEEDS = {
    "token": ("next", "param"),
    "cursor": ("next", "more", "param"),
    "next_url": ("next",),
    "offset": ("param", "last"),
    "page": ("param", "last"),
}
_ENDS = {"short": "size", "total": "total", "more": "more"}


def _missing(paging: Paging) -> str:
    needs = [*_NEEDS.get(paging.style, ())]
    if paging.style in ("offset", "page"):
        needs += [_ENDS[paging.last]] if paging.last in _ENDS else []
    return ", ".join(f"`{name}`" for name in needs if not getattr(paging, name))


def names_in(call: Ready) -> list[str]:
    """Return every placeholder of *call*, in what it asks and in its expressions, as written between the braces."""
    spec = call.spec
    found = placeholders([call.operation.path, [text for _, text in call.operation.query]])
    window = [name for each in (call.items, call.more) if each for name in _WINDOW.findall(each.text)]
    return found + placeholders([spec.params, spec.body, spec.headers, spec.set]) + window


__all__ = ["PLACEHOLDER", "Ready", "ReadyKind", "is_read", "names_in", "prepare", "resolved"]

"""GraphQL by the vendor's own schema: the query is judged and executed by graphql-core over what a test seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)

from tests.fakes.described.packed import Packed
from tests.fakes.described.trouble import Trouble
from tests.fakes.described.wire import Ask, FixtureError, NotUnderstood, Refusal

_MOST = 100


class Unanswerable(GraphQLError):
    """The query asks for what nothing was seeded for: the test fails."""


@dataclass(frozen=True)
class Edge:
    """An item of a connection whose edge says something beside the *node*: a member's role."""

    node: Mapping[str, Any]
    about: Mapping[str, Any]


class GraphQl:
    """Answers queries over *roots*, the fields of the schema's Query: values, or functions of all the
    field's arguments (``lambda login, **_: ...``).

    Objects are mappings (with ``__typename`` where the schema has an interface or a union), connections are lists of
    objects or of `Edge`, of which *pages_of* items at most come at a time. A function may raise `refused` to answer
    null with an error beside.

        github.put("POST /graphql", answer=GraphQl(SCHEMA, {"organization": lambda login, **_: orgs[login]}))
    """

    def __init__(self, packed: Packed, roots: Mapping[str, Any], *, pages_of: int = _MOST) -> None:
        self._schema = _schema(packed)
        self._roots, self._most = roots, pages_of
        query = self._schema.query_type
        assert query is not None
        wrong = list(_unknown(self._schema, query, roots, ""))
        if wrong:
            raise FixtureError("; ".join(wrong))

    def __call__(self, ask: Ask) -> dict[str, Any]:
        """Return the answer to the query in the body of *ask*. Raises `NotUnderstood`: the schema does not allow it."""
        document, wrong = _understood(self._schema, ask.body["query"])
        if document is None or wrong:
            raise NotUnderstood(400, "", f"graphql: {wrong}")
        done = execute_sync(
            self._schema,
            document,
            self._roots,
            variable_values=ask.body.get("variables"),
            operation_name=ask.body.get("operationName"),
            field_resolver=self._resolve,
        )
        errors = done.errors or []
        ours = [error for error in errors if not isinstance(error.original_error, _Refused)]
        if ours:
            raise NotUnderstood(500, "", "graphql: " + "; ".join(error.message for error in ours))
        said = [error.formatted | {"type": error.original_error.type} for error in errors]  # type: ignore[union-attr]
        return {"data": done.data, **({"errors": said} if said else {})}

    def _resolve(self, source: Any, info: GraphQLResolveInfo[None], **arguments: Any) -> Any:
        if info.field_name not in source:
            raise Unanswerable(f"nothing was seeded for {info.parent_type.name}.{info.field_name}")
        value = source[info.field_name]
        value = value(**arguments) if callable(value) else value
        if isinstance(value, list) and get_named_type(info.return_type).name.endswith("Connection"):
            return self._connection(value, info, arguments)
        return value

    def _connection(
        self, items: list[Any], info: GraphQLResolveInfo[None], arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        size = arguments.get("first")
        if size is None or not 0 < size <= _MOST:
            raise Unanswerable(f"{info.field_name}: first is {size}, and must be 1 to {_MOST}")
        after = arguments.get("after")
        start = int(after.removeprefix("cursor:")) if after else 0
        stop = min(start + min(size, self._most), len(items))
        edges = [each if isinstance(each, Edge) else Edge(each, {}) for each in items[start:stop]]
        return {
            "nodes": [each.node for each in edges],
            "edges": [
                {**each.about, "node": each.node, "cursor": f"cursor:{n}"} for n, each in enumerate(edges, start + 1)
            ],
            "totalCount": len(items),
            "pageInfo": {
                "hasNextPage": stop < len(items),
                "hasPreviousPage": start > 0,
                "startCursor": f"cursor:{start + 1}",
                "endCursor": f"cursor:{stop}",
            },
        }


class _Refused(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.type = kind


def refused(kind: str = "FORBIDDEN", message: str = "Resource not accessible by integration") -> Exception:
    """Return what a seeded function raises to say null with an error of *kind* beside it."""
    return _Refused(kind, message)


def errors_only(kind: str = "RATE_LIMITED", message: str = "API rate limit exceeded") -> Trouble:
    """Answer 200 with nothing but an error of *kind*, as GraphQL does."""
    body = {"errors": [{"type": kind, "message": message}]}
    return Trouble(kind, refuse=lambda _: Refusal(200, kind, message, body=body))


@cache
def _understood(schema: GraphQLSchema, query: str) -> tuple[DocumentNode | None, str]:
    """Return *query* as the schema understands it, and what is wrong with it: a client asks the same over and over."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, error.message
    return document, "; ".join(error.message for error in validate(schema, document))


@cache
def _schema(packed: Packed) -> GraphQLSchema:
    # The vendor's own schema needs no validation, which would take as long again.
    packed.origin()
    return build_schema(packed.place.read_text(), assume_valid=True, assume_valid_sdl=True, no_location=True)


def _unknown(schema: GraphQLSchema, of: Any, value: Any, path: str) -> Iterator[str]:
    """Yield what is seeded though the schema has no such field; what functions return is found out when it is asked."""
    if isinstance(value, list):
        for item in value:
            yield from _unknown(schema, of, item.node if isinstance(item, Edge) else item, path)
    if not isinstance(value, Mapping):
        return
    if of.name.endswith("Connection"):
        of = get_named_type(of.fields["nodes"].type)
    of = schema.get_type(value.get("__typename", of.name))
    if not isinstance(of, GraphQLObjectType):
        yield f"{path}: __typename is needed, or unknown"
        return
    for name, inner in value.items():
        if name in of.fields:
            yield from _unknown(schema, get_named_type(of.fields[name].type), inner, f"{path}.{name}")
        elif name != "__typename":
            yield f"{path}.{name}: unknown to {of.name}"

"""What a test says the vendor holds: items of a list or a whole answer, judged by the description when it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.fakes.described.allowed import is_allowed
from tests.fakes.described.judge import problems
from tests.fakes.described.operation import Operation
from tests.fakes.described.schema import flattened
from tests.fakes.described.vendor import Vendor
from tests.fakes.described.wire import Ask, FixtureError, Refusal

Items = Sequence[Any] | Mapping[str, Any]
Where = Mapping[str, Callable[[Any, Any], bool]]


@dataclass(frozen=True)
class Fixture:
    """An answer for the requests whose path has the values *bound*.

    *items* is a list, or a mapping where the answer's member is one (Google's aggregated lists), or finds them for a
    request. *where* says for a query parameter which items it leaves: ``{"role": lambda item, value: ...}``.
    """

    bound: Mapping[str, str]
    items: Items | Callable[[Ask], Items] | None = None
    answer: Any = None
    about: Mapping[str, Any] = field(default_factory=dict)
    where: Where = field(default_factory=dict)

    def fits(self, ask: Ask) -> bool:
        """Return whether *ask* is about what this holds."""
        held = {**ask.query, **ask.path}
        return all(str(held.get(name)) == str(value) for name, value in self.bound.items())


def items_member(vendor: Vendor, operation: Operation) -> str:
    """Return the answer's member that is the list of items; empty when the answer is the list itself.

    Raises FixtureError when the description does not show which one it is.
    """
    schema, pager = operation.success(), vendor.pager(operation)
    flat = flattened(schema, operation.resolve)[0] if schema else {}
    if flat.get("type") == "array":
        return ""
    if pager and pager.items in flat.get("properties", {}):
        return pager.items
    lists: list[str] = [
        name
        for name, inner in flat.get("properties", {}).items()
        for member in flattened(inner, operation.resolve)[:1]
        if _is_list_of_things(member, operation) or (name == "items" and "additionalProperties" in member)
    ]
    if "items" in lists:
        return "items"
    if len(lists) != 1:
        raise FixtureError(f"{operation.name}: of {', '.join(lists) or 'no member'} none is plainly the list")
    return lists[0]


def _is_list_of_things(member: Mapping[str, Any], operation: Operation) -> bool:
    if member.get("type") != "array":
        return False
    inner = flattened(member.get("items", {}), operation.resolve)[0]
    return "properties" in inner or inner.get("type") in ("object", "any", None)


def whole(vendor: Vendor, operation: Operation, items: Items, about: Mapping[str, Any]) -> Any:
    """Return the answer of *operation* with *items* in their place and the members *about*."""
    member = items_member(vendor, operation)
    return {**about, member: items} if member else items


def judged(vendor: Vendor, operation: Operation, body: Any, *, paged: bool = False) -> Any:
    """Return *body*, or raise FixtureError when the schema of the answer does not allow it.

    What is *paged* need not have the members that say how it goes on: they come with each page.
    """
    schema = operation.success()
    if isinstance(body, Refusal):
        return body
    if schema is None:
        raise FixtureError(f"{operation.name}: the description gives no answer with content")
    pager = vendor.pager(operation) if paged else None
    later = pager.members() if pager else set()
    wrong = [
        problem
        for problem in problems(body, schema, operation.resolve)
        if not (problem.rule == "unknown" and any(fnmatchcase(problem.path, f"*{extra}") for extra in vendor.extras))
        and not (problem.rule == "required" and problem.path in later)
        and not is_allowed(vendor.name, operation.name, problem)
    ]
    said = sorted({f"{problem.rule}: {problem}" for problem in wrong})
    if not said and operation.referee:
        said = list(filter(None, [operation.referee(body)]))
    if said:
        raise FixtureError(f"{operation.name}: " + "; ".join(said[:10]))
    return body

"""Answers made from the services' own models, for `FakeAws` to play.

Every member of every item is filled; items of one list differ by their number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.aws.model import operation_model
from tests.fakes.aws.refusal import Refusal
from tests.fakes.aws.sample import sample
from tests.fakes.aws.wire import Ask

ACCOUNT = "123456789012"
START = datetime(2026, 3, 1, tzinfo=UTC)
"""Events happen from here on, one a minute."""


def made(service: str, operation: str, path: str, count: int, depth: int = 3, **changes: Any) -> list[Any]:
    """Return *count* items of the list *path* of the operation's answer; *changes* are values or made from a number."""
    answer: Any = operation_model(service, operation).output_shape
    shape = answer.members[path].member
    items = [sample(shape, number, depth=depth) for number in range(count)]
    for number, item in enumerate(items):
        item.update({name: each(number) if callable(each) else each for name, each in changes.items()})
    return items


def whole(service: str, operation: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return an answer with every member filled but the continuation's."""
    answer = dict(sample(operation_model(service, operation).output_shape, number))
    for name in ("NextToken", "nextToken", "Marker"):
        answer.pop(name, None)
    return {**answer, **changes}


def by(parameter: str, answers: Mapping[str, Any], missing: Refusal) -> Callable[[Ask], Any]:
    """Return a fixture that answers for the value of *parameter*, and *missing* for one that is not there."""
    return lambda ask: answers.get(ask.params[parameter], missing)


def at(number: int) -> datetime:
    """Return when event *number* happened."""
    return START + timedelta(minutes=number)

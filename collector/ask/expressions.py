"""Expressions that people type over an item: JMESPath, compiled, or refused with a word on why."""

from __future__ import annotations

from typing import Any

from collector.errors import QueryError


def compiled(expression: str) -> Any:
    """Return *expression*, whose ``search(item)`` gives what it finds. Raises `QueryError` when it is no JMESPath."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        raise QueryError(f"{expression!r} is not a JMESPath expression: {error}", hint="E.g. Tags[].Key") from None

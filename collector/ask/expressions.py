"""Expressions that people type over an item: JMESPath, compiled, or refused with a word on why."""

from __future__ import annotations

from typing import Any

from collector.errors import QueryError
from collector.model import Json

_LONGEST = 1_000
# What the library raises besides its own errors: a step of 0, values that do not compare, more brackets than it bears.
_ALSO = (ValueError, TypeError, OverflowError, RecursionError)


class Expression:
    """One expression; *text* is as typed."""

    def __init__(self, text: str, found: Any) -> None:
        self.text = text
        self._found = found

    def search(self, item: Json) -> Json:
        """Return what the expression finds in *item*. Raises `QueryError` when it cannot be asked of such an item."""
        from jmespath.exceptions import JMESPathError

        try:
            return self._found.search(item)
        except (JMESPathError, *_ALSO) as error:
            raise QueryError(
                f"{self.text!r} cannot be asked of every item: {error}",
                hint="Functions take values of certain types: see jmespath.org.",
            ) from None


def compiled(expression: str) -> Expression:
    """Return *expression*. Raises `QueryError` when it is no JMESPath, or too long to be one that a person means."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    if len(expression) > _LONGEST:
        raise QueryError(f"an expression has at most {_LONGEST:,} characters", hint="E.g. Tags[].Key")
    try:
        return Expression(expression, jmespath.compile(expression))
    except (JMESPathError, *_ALSO) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise QueryError(f"{expression!r} is not a JMESPath expression: {said}", hint="E.g. Tags[].Key") from None

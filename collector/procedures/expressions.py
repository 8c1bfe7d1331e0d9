"""JMESPath expressions of specs, compiled once; what does not fit an answer is `Invalid`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from collector.errors import ConfigError, Invalid
from collector.model import Json


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


def expression(text: str) -> Expression:
    """Return *text* compiled. Raises `ConfigError` when it is not JMESPath."""
    try:
        return Expression(text, jmespath.compile(text))
    except JMESPathError as error:
        raise ConfigError(f"not a JMESPath expression: {text!r}: {str(error).splitlines()[0]}") from error

"""What a description says of one operation, whatever format it is written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from tests.fakes.described.schema import Resolve, Schema, flattened


@dataclass(frozen=True)
class Parameter:
    """A parameter in ``path``, ``query`` or ``header``. *comma*: several values come in one, with commas between."""

    name: str
    where: str
    schema: Schema = field(default_factory=dict)
    required: bool = False
    comma: bool = False
    many: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation; *answers* are the schemas of answers with content by HTTP status, *resolve* follows ``$ref``.

    *referee* is a second judge of answers, one that was not written here: it says what is wrong, or nothing.
    """

    name: str
    method: str
    template: str
    parameters: tuple[Parameter, ...]
    answers: Mapping[int, Schema]
    resolve: Resolve = field(repr=False)
    body: Schema | None = None
    body_required: bool = False
    referee: Callable[[Any], str] | None = field(default=None, repr=False)

    def parameter(self, where: str, name: str) -> Parameter | None:
        """Return the parameter *name* in *where*; header names in any case."""
        same = str.lower if where == "header" else str
        return next((each for each in self.parameters if each.where == where and same(each.name) == same(name)), None)

    def success(self) -> Schema | None:
        """Return the schema of the answer that is no error; None when it has no content."""
        return self.answers.get(self.status())

    def status(self) -> int:
        """Return the status of the answer that is no error."""
        return min((status for status in self.answers if status < 300), default=200)

    def members(self) -> Mapping[str, Schema]:
        """Return the members of the answer that is no error; none when it is a list, or nothing."""
        schema = self.success()
        found: Mapping[str, Schema] = flattened(schema, self.resolve)[0].get("properties", {}) if schema else {}
        return found


@dataclass(frozen=True)
class Origin:
    """Where a description came from, and how old it says it is."""

    vendor: str
    title: str
    package: str
    version: str
    revision: str


def matched(
    template: str, path: str, patterns: Mapping[str, str], *, ignore_case: bool = False
) -> dict[str, str] | None:
    """Return the parameters of *template* that *path* gives; None when it is another path.

    *patterns* say what a parameter matches; one without a pattern is a single segment.
    """
    names, regex = _regex(template, tuple(sorted(patterns.items())), ignore_case)
    found = regex.fullmatch(path)
    return {name: found[f"p{number}"] for number, name in enumerate(names)} if found else None


@cache
def _regex(
    template: str, patterns: tuple[tuple[str, str], ...], ignore_case: bool
) -> tuple[list[str], re.Pattern[str]]:
    parts, known = re.split(r"\{\+?([^}]+)\}", template), dict(patterns)
    said = [
        f"(?P<p{number // 2}>{known.get(part, '[^/]+')})" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    ]
    return parts[1::2], re.compile("".join(said), re.IGNORECASE if ignore_case else 0)


class Description(Protocol):
    """A vendor's description, read as far as it is used."""

    def find(self, method: str, path: str, version: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation that *method* and *path* mean, with its path parameters still percent-encoded.

        *version* is the value of ``api-version`` in the query, empty when there is none.
        """

    def named(self, name: str) -> Operation:
        """Return the operation *name*. Raises KeyError when the description has none."""

    def origins(self) -> list[Origin]:
        """Return where it came from; a vendor may have several documents."""

"""Every kind the installed connectors declare: finding one, linting them, and what reading them needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from collector.connector import Connector, Problem
from collector.errors import QueryError
from collector.procedure import Kind


@dataclass(frozen=True)
class Declared:
    """A kind and the connector that declares it."""

    connector: Connector
    kind: Kind


def declared(connectors: Mapping[str, Connector]) -> dict[str, Declared]:
    """Return every kind by name, in name order."""
    found = {
        name: Declared(connector, kind) for connector in connectors.values() for name, kind in connector.kinds().items()
    }
    return dict(sorted(found.items()))


def find(connectors: Mapping[str, Connector], name: str) -> Declared:
    """Return the kind *name*. Raises `QueryError` with the nearest names when no connector declares it."""
    known = declared(connectors)
    if name not in known:
        raise unknown_kind(name, known)
    return known[name]


def matching(connectors: Mapping[str, Connector], patterns: Iterable[str], criterion: str = "") -> list[Declared]:
    """Return the kinds whose name matches any of *patterns* (none: all) and that serve *criterion*, in name order.

    Raises `QueryError` for a pattern that matches nothing.
    """
    known = declared(connectors)
    patterns = list(patterns) or ["*"]
    for pattern in patterns:
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in known):
            raise unknown_kind(pattern, known)
    chosen = [each for name, each in known.items() if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return [each for each in chosen if not criterion or criterion in each.kind.criteria]


def lint(connectors: Mapping[str, Connector], patterns: Iterable[str], criteria: Iterable[str]) -> list[Problem]:
    """Return what is wrong with the kinds that match: by the vendor's own model, and criteria that do not exist."""
    known = set(criteria)
    problems: list[Problem] = []
    for each in matching(connectors, patterns):
        problems += each.connector.lint(each.kind)
        problems += [
            Problem(each.kind.name, "criteria", f"there is no criterion {name!r}")
            for name in each.kind.criteria
            if name not in known
        ]
    return problems


def find_connector(connectors: Mapping[str, Connector], name: str) -> Connector:
    """Return the connector *name*. Raises `QueryError` naming what is installed."""
    if name not in connectors:
        raise QueryError(
            f"no connector {name!r} is installed",
            hint=f"Installed: {', '.join(sorted(connectors)) or 'none'}. More come with extras: evidenced[all].",
        )
    return connectors[name]


def unknown_kind(name: str, known: Iterable[str]) -> QueryError:
    """Return the error for a kind, or pattern of kinds, that nobody declares."""
    near = ", ".join(get_close_matches(name, known, n=3))
    return QueryError(f"no kind is called {name!r}", hint=f"Did you mean: {near}?" if near else "See `kinds list`.")

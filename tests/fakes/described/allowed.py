"""The declared exceptions: what vendors answer though their descriptions do not allow it, all in allowed.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from tests.fakes.described.judge import Problem


@dataclass(frozen=True)
class Allowed:
    """Problems of *rule* at *path* in answers of *operation*, and the *reason* why they are none."""

    vendor: str
    operation: str
    path: str
    rule: str
    reason: str


@cache
def exceptions() -> tuple[Allowed, ...]:
    """Return every declared exception."""
    said = tomllib.loads(Path(__file__).with_name("allowed.toml").read_text())
    return tuple(Allowed(**entry) for entry in said.get("allowed", ()))


def is_allowed(vendor: str, operation: str, problem: Problem) -> bool:
    """Return whether *problem* is a declared exception."""
    return any(
        each.vendor == vendor
        and each.rule == problem.rule
        and fnmatchcase(operation, each.operation)
        and fnmatchcase(problem.path, each.path)
        for each in exceptions()
    )

"""Least-privilege policies: from the calls the kinds declare to documents that IAM accepts."""

from __future__ import annotations

import json
from collections.abc import Iterable

from collector.model import Json
from collector.procedure import Kind
from connectors.aws.prepare import prepare

LONGEST = 6_144  # characters of a managed policy; IAM does not count white space
# What the session itself asks for: the regions of the account.
SESSION_GRANTS = ("ec2:DescribeRegions",)


def grants_of(kind: Kind) -> tuple[str, ...]:
    """Return the IAM actions reading *kind* needs, sorted: those it declares, else those of its calls."""
    if kind.grants:
        return tuple(sorted(set(kind.grants)))
    return tuple(sorted({call.action for call in prepare(kind).calls if call.action}))


def documents(kinds: Iterable[Kind]) -> list[Json]:
    """Return policy documents that allow every action *kinds* need and nothing else, each at most `LONGEST` long.

    The same kinds give the same documents, whatever their order.
    """
    actions = sorted({action for kind in kinds for action in grants_of(kind)} | set(SESSION_GRANTS))
    parts: list[list[str]] = [[]]
    for action in actions:
        if size(_document([*parts[-1], action], len(parts))) > LONGEST:
            parts.append([])
        parts[-1].append(action)
    return [_document(part, number) for number, part in enumerate(parts, start=1)]


def size(document: Json) -> int:
    """Return the length IAM counts: characters without white space."""
    return len(json.dumps(document, separators=(",", ":")))


def _document(actions: list[str], number: int) -> Json:
    statement = {"Sid": f"Evidence{number}", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}

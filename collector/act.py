"""What people record at the auditor's desk: acts, each with its document, by whom and when. Data only, no I/O.

An act is never changed. What is in force now (the set of an engagement, the status of a request) is derived from the
acts, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from collector.model import Json


class ActKind(StrEnum):
    """What an act is about; its log leaf is of the kind with the same name."""

    ENGAGEMENT = "engagement"
    POPULATION = "population"
    SAMPLE = "sample"
    RECONCILIATION = "reconciliation"
    UPLOAD = "upload"
    REQUEST = "request"
    REVIEW = "review"
    TOKEN = "token"
    ACCESS = "access"


UNBOUND = frozenset({ActKind.TOKEN, ActKind.ACCESS})
"""Acts that are recorded of a closed engagement too: who was let in, and what was read."""


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act to be recorded by *actor*.

    *engagement* is the id of the engagement it belongs to, None for the act that begins one. *about* is the id of the
    earlier act that it concerns. *data* are the bytes that it brings (a file, the rows of a population), *people* the
    names that it gives: neither is in the document, which holds a digest of the one and numbers of the other.
    """

    kind: ActKind
    document: dict[str, Json]
    actor: str
    engagement: int | None = None
    about: int | None = None
    data: bytes | None = None
    people: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """An act as recorded. *digest* is that of the document, *artifact* that of the bytes it brought.

    *people* are the names of those that the document gives by number; an erased name is empty.
    """

    id: int
    kind: ActKind
    engagement: int
    about: int | None
    document: dict[str, Json]
    digest: bytes
    artifact: bytes | None
    people: tuple[str, ...]
    actor: str
    at: datetime
    leaf: int


Rule = Callable[[Sequence[Act]], None]
"""Is given the acts of the same engagement and kind, behind the write lock, and raises what forbids the new ones."""


def no_rule(_: Sequence[Act]) -> None:
    """Forbid nothing."""

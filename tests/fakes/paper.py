"""A vendor made of paper: a complete connector whose source is a dict that the test edits."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collector.clock import Clock
from collector.connector import Problem, Reading, Settings
from collector.model import Json, Principal, Scope
from collector.procedure import Kind

USERS = Kind.model_validate(
    {
        "name": "paper.users",
        "title": "Users of the paper vendor",
        "list": "GET /users",
        "key": "id",
        "volatile": ["seen"],
        "redact": ["token"],
        "every": "hourly",
        "criteria": ["CC6.1"],
    }
)
ROOMS = Kind.model_validate(
    {
        "name": "paper.rooms",
        "title": "Rooms of each building",
        "scope": "building",
        "list": "GET /rooms",
        "key": "id",
        "every": "daily",
        "criteria": ["CC6.4"],
    }
)
DOORS = Kind.model_validate(
    {
        "name": "paper.doors",
        "title": "Every time a door was opened",
        "list": "GET /doors",
        "key": "id",
        "since": {"field": "at", "overlap": "1h", "horizon": "7d"},
        "every": "hourly",
        "criteria": ["CC7.2"],
    }
)


class Paper:
    """The connector. *world* maps kind, or (kind, scope), to its items, or to an exception to raise.

    *opening* is raised by every attempt to open the source; *gate*, when set, must be opened for reads to go on.
    """

    name = "paper"
    version = "1"
    settings = Settings

    def __init__(self, world: dict[Any, Any] | None = None) -> None:
        self.world: dict[Any, Any] = world or {}
        self.buildings = [Scope("site", "account"), Scope("north", "building"), Scope("south", "building")]
        self.opening: Exception | None = None
        self.asking: Exception | None = None
        self.gate: threading.Event | None = None
        self.windows: list[Any] = []
        self.reads = 0
        self.opened = 0
        self.closed = 0

    def kinds(self) -> Mapping[str, Kind]:
        return {kind.name: kind for kind in (USERS, ROOMS, DOORS)}

    def levels(self) -> Sequence[str]:
        return ("account", "building")

    def open(self, source: str, settings: Any, clock: Clock) -> PaperSession:
        if self.opening is not None:
            raise self.opening
        self.opened += 1
        return PaperSession(self)

    def grants(self, kind: Kind) -> tuple[str, ...]:
        return (kind.name.replace(".", ":read_"),)

    def policy(self, kinds: Sequence[Kind]) -> list[Json]:
        return [{"allow": sorted(grant for kind in kinds for grant in self.grants(kind))}]

    def explain(self, kind: Kind) -> Json:
        return {"calls": [call.op for call in kind.calls]}

    def lint(self, kind: Kind) -> list[Problem]:
        return []


class PaperSession:
    """One opened paper source."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    def principal(self) -> Principal:
        if self._paper.asking is not None:
            raise self._paper.asking
        return Principal("paper:reader", "site-1")

    def scopes(self) -> list[Scope]:
        return list(self._paper.buildings)

    def read(self, kind: Kind, scope: Scope, reading: Reading) -> Iterator[dict[str, Json]]:
        self._paper.reads += 1
        self._paper.windows.append(reading.window)
        items = self._paper.world.get((kind.name, scope.name), self._paper.world.get(kind.name, []))
        operation = kind.calls[0].op
        for number, item in enumerate([items] if isinstance(items, Exception) else items):
            if self._paper.gate is not None:
                self._paper.gate.wait(10)
            reading.check()
            if isinstance(item, Exception):
                raise item
            reading.calls.answered(operation, request_id=f"r-{number}", date=reading.clock.now())
            reading.calls.listed(operation, 1)
            yield copy.deepcopy(item)

    def close(self) -> None:
        self._paper.closed += 1

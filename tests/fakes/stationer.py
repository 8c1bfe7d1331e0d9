"""A vendor of paper with branches: a connector with settings of its own, three scope levels and an optional kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from collector.connector import Settings
from collector.procedure import Kind
from tests.fakes.paper import Paper


def _kind(name: str, scope: str, every: str, **rest: object) -> Kind:
    spec = {"name": name, "title": f"All of {name}", "scope": scope, "list": "GET /", "key": "id", "every": every}
    return Kind.model_validate(spec | rest)


KINDS = {
    kind.name: kind
    for kind in (
        _kind("stationer.accounts.users", "account", "daily", criteria=["CC6.2", "CC6.1"]),
        _kind("stationer.accounts.policy", "account", "weekly"),
        _kind("stationer.shelves.pens", "branch", "daily"),
        _kind("stationer.shelves.ink", "branch", "6h"),
        _kind("stationer.shelves.visits", "branch", "hourly", since={"field": "at"}),
        _kind("stationer.group.owners", "group", "monthly"),
        _kind("stationer.shelves.dust", "branch", "daily", optional=True),
    )
}


class Delegation(BaseModel):
    """A table within a source's table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    session: str = "evidenced"


class StationerSettings(Settings):
    """Settings as a connector's author writes them."""

    branch: str = Field(default="", pattern="^[a-z]*$")
    token: str = Field(default="", description="By reference.")
    rates: dict[str, float] = Field(default={})
    delegation: Delegation | None = None


class Stationer(Paper):
    """The connector, under any name: a configuration that names it is all that is asked of it."""

    settings = StationerSettings

    def __init__(self, name: str = "stationer", kinds: Mapping[str, Kind] = KINDS) -> None:
        super().__init__()
        self.name = name
        self.version = "1.0"
        self._kinds = dict(kinds)

    def kinds(self) -> Mapping[str, Kind]:
        return self._kinds

    def levels(self) -> Sequence[str]:
        return ("group", "account", "branch")

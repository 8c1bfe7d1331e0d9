"""A connector whose kinds are read over HTTP: the contract fulfilled, but for what only the vendor's package knows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from collector import __version__
from collector.clock import Clock
from collector.connector import Problem, Session, Settings
from collector.http import explain, lint
from collector.http.api import Api, HttpSettings
from collector.http.auth import Authorizer
from collector.http.kept import Kept
from collector.http.opening import Opening
from collector.http.prepare import resolved
from collector.http.session import HttpSession
from collector.model import Json
from collector.procedure import Call, Kind, load_kinds
from collector.procedures.buckets import Buckets


class HttpConnector(ABC):
    """See `collector.connector.Connector`. One object a process: sessions of a source share its token buckets.

    A subclass names itself (*name*, *version*), its *api*, *settings*, scope *level_names* (widest first), the *folder*
    of its kinds (every ``*.toml`` but ``connector.toml``) and the further *placeholders* that its session's `values`
    fill; it makes the authorizer and the session.
    """

    name: str
    version: str = __version__
    api: Api
    settings: type[Settings] = HttpSettings
    level_names: tuple[str, ...]
    folder: Path
    placeholders: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._buckets = Buckets(self.api.rates)
        self._kept = Kept(self.api.limits.kept_bytes)

    @abstractmethod
    def authorizer(self, settings: Any, clock: Clock) -> Authorizer:
        """Return what puts the credentials of *settings* on requests; nothing is asked yet. Raises `ConfigError`."""

    @abstractmethod
    def session(self, opening: Opening) -> HttpSession:
        """Return the connector's own session."""

    def documents(self, grants: Sequence[str]) -> list[Json]:
        """Return the policy documents that give *grants* (sorted, each once) in the vendor's own form."""
        return [{"grants": list(grants)}]

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        files = [path for path in sorted(self.folder.glob("*.toml")) if path.name != "connector.toml"]
        return {name: with_paging(kind, self.api) for path in files for name, kind in load_kinds(path).items()}

    def kinds(self) -> Mapping[str, Kind]:
        """See `collector.connector.Connector.kinds`. Lists have the default paging written in: the digest covers it."""
        return self._kinds

    def levels(self) -> Sequence[str]:
        """See `collector.connector.Connector.levels`."""
        return self.level_names

    def open(self, source: str, settings: Any, clock: Clock) -> Session:
        """See `collector.connector.Connector.open`."""
        authorizer = self.authorizer(settings, clock)
        agent = f"evidenced/{self.version}"
        return self.session(Opening(source, settings, clock, self.api, authorizer, self._buckets, self._kept, agent))

    def grants(self, kind: Kind) -> tuple[str, ...]:
        """Return the permissions that the kind and its calls declare."""
        return grants_of(kind)

    def policy(self, kinds: Sequence[Kind]) -> list[Json]:
        """Return the documents for all that *kinds* need, whatever their order."""
        return self.documents(sorted({grant for kind in kinds for grant in grants_of(kind)}))

    def explain(self, kind: Kind) -> Json:
        """See `collector.http.explain.explain`."""
        return explain.explain(kind, self.api, grants_of(kind))

    def lint(self, kind: Kind) -> list[Problem]:
        """See `collector.http.lint.lint`."""
        return lint.lint(kind, self.api, self.level_names, self.placeholders)


def grants_of(kind: Kind) -> tuple[str, ...]:
    """Return the permissions that *kind* and its calls declare, sorted."""
    return tuple(sorted({*kind.grants, *(grant for call in kind.calls for grant in call.grants)}))


def with_paging(kind: Kind, api: Api) -> Kind:
    """Return *kind* with the paging of every list written out, so that its digest says how it was read."""

    def written(call: Any) -> Any:
        return (
            call.model_copy(update={"paging": resolved(call, api)}) if isinstance(call, Call) and call.items else call
        )

    loops = [loop.model_copy(update={"call": written(loop.call)}) for loop in kind.loops]
    return kind.model_copy(
        update={
            "loops": loops,
            "list_": [written(call) for call in kind.list_],
            "batch": [written(call) for call in kind.batch],
            "each": [written(call) for call in kind.each],
        }
    )

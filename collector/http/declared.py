"""A connector that is one TOML file and no Python: a package's folder with ``[connector]`` and kinds in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from collector.clock import Clock
from collector.errors import ConfigError, Invalid
from collector.http.auth import Authorizer
from collector.http.connector import HttpConnector, with_paging
from collector.http.declaration import TABLE, Declaration
from collector.http.declared_auth import authorizer
from collector.http.declared_settings import SETTING, plain, settings_class, written
from collector.http.opening import Opening
from collector.http.session import HttpSession
from collector.model import Json, Principal, Scope
from collector.procedure import Call, Kind, kinds_of, read_tables
from collector.procedures.expressions import expression


class DeclaredConnector(HttpConnector):
    """The connector that *declared* describes, with *kinds*. See `collector.http.declaration.Declaration`."""

    def __init__(self, declared: Declaration, kinds: Mapping[str, Kind]) -> None:
        self.declared = declared
        self.name = declared.name
        self.api = declared.api
        self.settings = settings_class(declared)
        self.level_names = tuple(scopes.level for scopes in declared.scopes)
        own = [name for name, setting in declared.settings.items() if not setting.secret]
        self.placeholders = (*own, *(name for scopes in declared.scopes for name in scopes.values))
        self._declared_kinds = {name: with_paging(kind, declared.api) for name, kind in kinds.items()}
        super().__init__()

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        return self._declared_kinds

    def authorizer(self, settings: Any, clock: Clock) -> Authorizer:
        """See `HttpConnector.authorizer`."""
        return authorizer(self.declared, settings, clock)

    def session(self, opening: Opening) -> HttpSession:
        """See `HttpConnector.session`."""
        return DeclaredSession(opening, self.declared)


class DeclaredSession(HttpSession):
    """Asks who and where by the declared calls. Settings that are no secrets are placeholders everywhere."""

    def __init__(self, opening: Opening, declared: Declaration) -> None:
        super().__init__(opening)
        self._declared = declared
        self._own = plain(declared, opening.settings)

    def identify(self) -> Principal:
        """See `HttpSession.identify`."""
        who = self._declared.principal
        answer = self.ask(who.op, **self._own) if who.op else None
        return Principal(self._said(who.id, answer), self._said(who.account, answer))

    def find_scopes(self) -> list[Scope]:
        """See `HttpSession.find_scopes`."""
        return [scope for scope, _ in self._found]

    def values(self, scope: Scope) -> Mapping[str, Json]:
        """See `HttpSession.values`."""
        if not any(scopes.values for scopes in self._declared.scopes if scopes.level == scope.level):
            return self._own
        return {**self._own, **next((values for found, values in self._found if found == scope), {})}

    @cached_property
    def _found(self) -> list[tuple[Scope, dict[str, Json]]]:
        found: list[tuple[Scope, dict[str, Json]]] = []
        for scopes in self._declared.scopes:
            if not scopes.op:
                found.append((Scope(written(scopes.name, self._own), scopes.level), {}))
                continue
            call = Call(op=scopes.op, items=scopes.items, paging=scopes.paging)
            for item in self.ask_list(call, **self._own):
                values = {name: expression(text).search(item) for name, text in scopes.values.items()}
                found.append((Scope(_text(scopes.name, item), scopes.level), values))
        return found

    def _said(self, text: str, answer: Json) -> str:
        return (
            written(text, self._own) if SETTING.search(text) or not self._declared.principal.op else _text(text, answer)
        )


def _text(text: str, value: Json) -> str:
    """Return the name that the expression *text* finds in *value*. Raises `Invalid` when it finds none."""
    found = expression(text).search(value)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise Invalid(f"the answer has no name at {text!r}")
    return str(found)


def declared(folder: Path) -> DeclaredConnector:
    """Return the connector that the TOML files in *folder* declare. Raises `ConfigError` naming file and field."""
    connector: Declaration | None = None
    kinds: dict[str, Kind] = {}
    for path in sorted(folder.glob("*.toml")):
        tables = read_tables(path)
        if TABLE in tables:
            if connector is not None:
                raise ConfigError(f"{path}: [{TABLE}] stands in another file of {folder.name} as well")
            connector = _declaration(path, tables.pop(TABLE))
        kinds |= kinds_of(path, tables)
    if connector is None:
        raise ConfigError(f"{folder}: no TOML file has a table [{TABLE}]")
    return DeclaredConnector(connector, kinds)


def _declaration(path: Path, table: Json) -> Declaration:
    try:
        return Declaration.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (TABLE, *first["loc"]))
        raise ConfigError(f"{path}: [{place}]: {first['msg']}") from error

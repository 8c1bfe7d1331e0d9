"""One source opened for reading over HTTP. A connector says who we are and which scopes there are."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from collector.connector import Reading
from collector.errors import ConfigError
from collector.http.api import addresses
from collector.http.asking import Asking
from collector.http.opening import Opening
from collector.http.prepare import prepare
from collector.http.requester import Requester
from collector.http.transport import Transport
from collector.model import Json, Principal, Scope
from collector.procedure import Call, Kind
from collector.procedures.engine import Engine

_NO_LIMIT = float("inf")


class HttpSession(ABC):
    """See `collector.connector.Session`; a connector adds `identify`, `find_scopes` and, if it must, `values`."""

    def __init__(self, opening: Opening) -> None:
        settings = opening.settings
        self.api = opening.api
        self.settings = settings
        self._clock = opening.clock
        connections = settings.detail_concurrency + settings.concurrency
        self._transport = Transport(
            opening.user_agent, connections, settings.connect_timeout_s, settings.read_timeout_s
        )
        self._requester = Requester(opening, addresses(opening.api, settings), self._transport)
        self._pool = ThreadPoolExecutor(settings.detail_concurrency, thread_name_prefix=f"detail-{opening.source}")
        self._lock = threading.Lock()
        self._principal: Principal | None = None

    @abstractmethod
    def identify(self) -> Principal:
        """Ask the source who we are, with `ask`."""

    @abstractmethod
    def find_scopes(self) -> list[Scope]:
        """Return every scope of the source, asked with `ask` or `ask_list`, or fixed by the settings."""

    def values(self, scope: Scope) -> Mapping[str, Json]:  # noqa: ARG002
        """Return what placeholders may name in *scope* beside its level, ``scope`` and ``account``."""
        return {}

    def principal(self) -> Principal:
        """See `collector.connector.Session.principal`; asked once."""
        with self._lock:
            if self._principal is None:
                self._principal = self.identify()
                self._requester.principal = self._principal.id
            return self._principal

    def scopes(self) -> list[Scope]:
        """See `collector.connector.Session.scopes`."""
        return self.find_scopes()

    def read(self, kind: Kind, scope: Scope, reading: Reading) -> Iterator[dict[str, Json]]:
        """See `collector.connector.Session.read`."""
        ready = prepare(kind, self.api)
        if kind.scope != scope.level:
            raise ConfigError(f"{kind.name} is read per {kind.scope}, not in {scope.name} ({scope.level})")
        start = {
            "account": self.principal().account,
            "scope": scope.name,
            scope.level: scope.name,
            **self.values(scope),
        }
        width = 2 * self.settings.detail_concurrency
        yield from Engine(Asking(self._requester), self._pool, width, ready, start, scope.name, reading).items()

    def ask(self, call: str | Call, **values: Json) -> Json:
        """Return the answer to one *call* outside any run (who we are), its placeholders filled with *values*."""
        ready = prepare(_kind_of(call, each=True), self.api).each[0]
        asking = Asking(self._requester)
        return asking.single(ready, asking.parameters(ready, values), "", self._reading())

    def ask_list(self, call: Call, **values: Json) -> list[Json]:
        """Return every item that *call* lists outside any run (which scopes there are); all pages, or it raises."""
        ready = prepare(_kind_of(call, each=False), self.api).roots[0]
        asking = Asking(self._requester)
        return [item for item, _ in asking.items(ready, asking.parameters(ready, values), "", self._reading())]

    def close(self) -> None:
        """See `collector.connector.Session.close`."""
        self._pool.shutdown(cancel_futures=True)
        self._transport.close()

    def _reading(self) -> Reading:
        return Reading(self._clock, _NO_LIMIT)


def _kind_of(call: str | Call, *, each: bool) -> Kind:
    declared = Call(op=call) if isinstance(call, str) else call
    return Kind.model_validate({"name": "http.asked", "title": "asked once", "each" if each else "list": [declared]})

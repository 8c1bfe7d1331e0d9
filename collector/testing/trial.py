"""A connector in a world: what the daemon would record of it, reading by reading."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import TracebackType

from collector.clock import Clock
from collector.collect import Task, collect
from collector.connector import Connector, Session
from collector.model import Artifact, Head, Observation, Principal, Provenance, Subject, Trigger
from collector.procedure import Kind
from collector.testing.clock import HurriedClock
from collector.testing.world import World

_LIMIT = timedelta(minutes=10)
_SHA256 = "sha256:" + "0" * 64


class Trial:
    """Reads kinds of *connector* from *world* as the daemon does; as a context manager it closes its sessions."""

    def __init__(self, connector: Connector, world: World, clock: Clock | None = None) -> None:
        self.connector = connector
        self.world = world
        self._clock = clock or HurriedClock()
        self._sessions: dict[str, Session] = {}
        self.staged: list[Artifact] = []

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for session in self._sessions.values():
            session.close()

    def read(self, kind: Kind) -> Observation:
        """Return what comes of reading *kind*, by a store that holds nothing of it. *staged* has what went ahead."""
        scope = self.world.scope(kind)
        subject = Subject(f"{self.connector.name}:trial", kind.name, scope.name)
        provenance = Provenance(self.connector.name, self.connector.version, "0", _SHA256, _SHA256, 1)
        self.staged = []
        return collect(
            self._opened,
            Task(subject, kind, scope, self._clock.now(), Trigger.SCHEDULE, provenance),
            Head(subject),
            clock=self._clock,
            limit=_LIMIT,
            stage=self.staged.extend,
            stopping=threading.Event(),
        )

    def session(self) -> Session:
        """Return the session with the world's present settings; equal ones share it."""
        given = dict(self.world.settings())
        name = repr(sorted(given.items()))
        if name not in self._sessions:
            settings = self.connector.settings.model_validate(given)
            self._sessions[name] = self.connector.open(f"{self.connector.name}:trial", settings, self._clock)
        return self._sessions[name]

    def _opened(self) -> tuple[Session, Principal]:
        session = self.session()
        return session, session.principal()

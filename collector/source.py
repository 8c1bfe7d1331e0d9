"""One configured account of a connector, and opening it once for many runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from collector.clock import Clock
from collector.connector import Connector, Session, Settings
from collector.model import Principal


@dataclass(frozen=True)
class Source:
    """One configured account of a connector, ready to be opened."""

    name: str
    connector: Connector
    settings: Settings


Visit = Callable[[], tuple[Session, Principal]]


@contextmanager
def opened(source: Source, clock: Clock) -> Iterator[tuple[Session, Principal]]:
    """Open *source*, ask who we are, and close it in the end. Raises what the connector raises."""
    session: Session = source.connector.open(source.name, source.settings, clock)
    try:
        yield session, session.principal()
    finally:
        session.close()


@contextmanager
def visit(source: Source, clock: Clock) -> Iterator[Visit]:
    """Open *source* once for many runs: the callable gives session and principal, or raises why there is none.

    The failure to open is kept and raised to every run, so that each is recorded with the reason and none is read
    under an unknown principal.
    """
    with ThreadPoolExecutor(1, thread_name_prefix=f"open-{source.name}") as pool:
        session = pool.submit(source.connector.open, source.name, source.settings, clock)
        principal = pool.submit(lambda: session.result().principal())
        try:
            yield lambda: (session.result(), principal.result())
        finally:
            if session.exception() is None:
                session.result().close()

"""One configured account of a connector, and opening it once for many runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from collector.clock import Clock
from collector.connector import Connector, Session, Settings
from collector.errors import Misconfigured
from collector.model import Principal


@dataclass(frozen=True)
class Source:
    """One configured account of a connector, ready to be opened."""

    name: str
    connector: Connector
    settings: Settings


Visit = Callable[[], tuple[Session, Principal]]


def require_account(known: str, principal: Principal) -> None:
    """Raise `Misconfigured` when *principal* is at another account than the *known* one (empty: not known yet).

    What another account holds would read as if everything of the first had been removed.
    """
    if known and principal.account != known:
        raise Misconfigured(
            f"the source answers as {principal.id or 'nobody'} in account {principal.account or 'unknown'}; "
            f"its evidence is of account {known}",
            hint="Correct the credentials, or give the other account a source of its own.",
        )


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

"""Open a store: connect, bring an older one up to date, make a new one where asked to."""

from __future__ import annotations

from collector.clock import Clock
from collector.store.connection import Database, parse_url
from collector.store.schema import prepare
from collector.store.store import Store


def open_store(url: str, *, clock: Clock, create: bool = True) -> Store:
    """Return the store at *url* (``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``), ready for use.

    An older store is brought up to date; an empty or missing database becomes a store when *create*. Raises
    `StoreError` for a database that is missing, unreachable, not ours, read-only, full or of a newer version.
    """
    database = Database(parse_url(url))
    try:
        return Store(database, clock, prepare(database, clock, create=create))
    except BaseException:
        database.close()
        raise

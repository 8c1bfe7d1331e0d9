"""Whether a daemon runs on a store: it holds a lock for as long as it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.errors import BusyError

if TYPE_CHECKING:
    from collector.store import Store

DAEMON_LOCK = "daemon"


def running(store: Store) -> bool:
    """Return whether a daemon holds *store* now."""
    try:
        with store.lock(DAEMON_LOCK):
            return False
    except BusyError:
        return True

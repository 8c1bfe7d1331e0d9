"""Opening what a command needs: the configuration, the store, the name of who asks."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from collector.errors import ConfigError, QueryError

if TYPE_CHECKING:
    from collector.config import Config
    from collector.connector import Connector
    from collector.engagement import Terms
    from collector.model import Period, Subject
    from collector.store import Store

DEFAULT_CONFIG = "evidenced.toml"


def config_path(option: Path | None) -> Path:
    """Return the configuration file: *option*, else ``$EVIDENCED_CONFIG``, else ``./evidenced.toml``."""
    return option or Path(os.environ.get("EVIDENCED_CONFIG") or DEFAULT_CONFIG)


def load(option: Path | None) -> tuple[Config, Mapping[str, Connector]]:
    """Return the configuration, sources and all, and every installed connector. Raises `ConfigError`."""
    from collector.config import load_config
    from collector.installed import connectors
    from collector.logs import configure_logs

    path = _existing(option)
    # Whatever reads or connects may log; only the daemon's own log is a story, here it is an error or nothing.
    configure_logs("error", "console")
    known = connectors()
    return load_config(path, known), known


def load_ours(option: Path | None) -> Config:
    """Return the configuration without its sources, which is all that a question to the store needs.

    Raises `ConfigError`. Loads no connector and so no cloud's SDK.
    """
    from collector.config import load_settings

    return load_settings(_existing(option))


def _existing(option: Path | None) -> Path:
    path = config_path(option)
    if not path.exists():
        raise ConfigError(
            f"{path}: there is no such configuration",
            hint="Write one with `evidenced init`, or name it: --config FILE, or $EVIDENCED_CONFIG.",
        )
    return path


@contextmanager
def opened(config: Config, *, create: bool = False) -> Iterator[Store]:
    """Open the store of *config*, and close it at the end. Raises `StoreError`."""
    from collector.clock import SystemClock
    from collector.encryption import keyring
    from collector.store import open_store

    store = open_store(config.store.url, clock=SystemClock(), create=create)
    store.sealing.keys.use(keyring(config.encryption))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened_store(option: Path | None) -> Iterator[Store]:
    """Open the store that exists where the configuration says, for questions. Raises `ConfigError`, `StoreError`."""
    with opened(load_ours(option)) as store:
        yield store


def require_whole(config: Config, store: Store, *, always: bool = False) -> None:
    """Raise `HistoryError` for a store that is not the one that gave out its checkpoints, before appending to it.

    While a daemon runs nothing is compared, unless *always*: it did that when it started.
    """
    from collector.checkpointing import require_whole as compare
    from collector.daemon import require_whole_alone
    from collector.logs import configure_logs

    # An anchor that does not answer is a warning, and the answer on standard output stays whole.
    configure_logs("warning", "console")
    (compare if always else require_whole_alone)(config, store)


@contextmanager
def recording(option: Path | None) -> Iterator[tuple[Config, Store]]:
    """Open the store that exists where the configuration says, for a command that records something in it.

    Raises `ConfigError`, `StoreError`, and `HistoryError` as `require_whole`.
    """
    settings = load_ours(option)
    with opened(settings) as store:
        require_whole(settings, store)
        yield settings, store


def actor(name: str) -> str:
    """Return who asks: *name*, else this machine's user. Raises `QueryError` when neither is known."""
    if name.strip():
        return name.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise QueryError("this machine does not know who you are", hint="Say so: --as NAME.") from None


def period_of(since: str, until: str, *, days: int = 30) -> Period:
    """Return the period from *since* to *until*, as typed; left out, they are *days* before the end, and now.

    Raises `QueryError` when one is no time, or the end is not after the start.
    """
    from collector.clock import SystemClock, iso, parse_instant
    from collector.model import Period

    end = parse_instant(until) if until else SystemClock().now()
    start = parse_instant(since) if since else end - timedelta(days=days)
    if end <= start:
        raise QueryError(
            f"the period is empty: {iso(start)} is not before {iso(end)}",
            hint="A period includes its start, not its end: for March, --from 2026-03-01 --to 2026-04-01.",
        )
    return Period(start, end)


def asked_period(store: Store, engagement: str, since: str, until: str) -> tuple[Period, Terms | None]:
    """Return the period that is asked about, and the terms of *engagement* if one is named: its period is the default.

    Raises `QueryError` as `period_of`, and when there is no such engagement.
    """
    from collector.ask.engagements import engagement_of
    from collector.clock import iso

    if not engagement:
        return period_of(since, until), None
    terms = engagement_of(store, engagement).terms
    return period_of(since or iso(terms.period.start), until or iso(terms.period.end)), terms


def in_scope_of(store: Store, engagement: str) -> Callable[[Subject], bool]:
    """Return whether a subject is in scope of *engagement*; without one everything is. Raises `QueryError`."""
    from collector.ask.engagements import engagement_of

    return engagement_of(store, engagement).terms.holds if engagement else lambda _: True


def instants(*texts: str) -> tuple[list[datetime], datetime]:
    """Return the instants as typed, and the present. Raises `QueryError` for one that is no time."""
    from collector.clock import SystemClock, parse_instant

    return [parse_instant(text) for text in texts], SystemClock().now()

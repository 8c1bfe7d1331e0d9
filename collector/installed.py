"""The connectors that are installed: by the entry point group ``evidenced.connectors``, a stranger's as ours."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from collector.connector import Connector
from collector.errors import ConfigError


def connectors() -> dict[str, Connector]:
    """Return every installed connector by name.

    An entry point names the connector object of a package (``acme = "acme_evidence:connector"``), or a package that is
    nothing but TOML (``acme = "acme_evidence"``). Raises `ConfigError` when one cannot be loaded.
    """
    found: dict[str, Connector] = {}
    for point in entry_points(group="evidenced.connectors"):
        try:
            loaded = point.load()
        except ImportError as error:
            raise ConfigError(
                f"connector {point.name!r} cannot be loaded: {error}",
                hint=f"Install what it needs: pip install 'evidenced[{point.name}]'.",
            ) from error
        found[point.name] = _declared(loaded) if isinstance(loaded, ModuleType) else loaded
    return found


def _declared(package: ModuleType) -> Connector:
    from collector.http.declared import declared

    # A package without code may be spread over several folders; one of ours or a stranger's is in the first.
    return declared(Path(next(iter(package.__path__))))

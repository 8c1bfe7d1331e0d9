"""The paper vendor as an installed package: found by entry point, its world in a JSON file that its settings name.

So a process that the test starts, and the test itself, see one world and change it between reads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from collector import errors
from collector.clock import Clock
from collector.connector import Settings
from tests.fakes.paper import Paper, PaperSession


class PaperFileSettings(Settings):
    """Where the world is."""

    world: str = Field(default="world.json", description="JSON: kind -> its items, or {raises, message, hint}.")


class PaperFile(Paper):
    """The connector. The key ``opening`` of the world holds an error that opening the source raises."""

    settings = PaperFileSettings

    def open(self, source: str, settings: Any, clock: Clock) -> PaperSession:
        world = json.loads(Path(settings.world).read_text(encoding="utf-8"))
        self.opening = _error(world["opening"]) if "opening" in world else None
        self.world = {kind: _error(items) if isinstance(items, dict) else items for kind, items in world.items()}
        return super().open(source, settings, clock)


def _error(said: dict[str, str]) -> Exception:
    """Return the error of `collector.errors` that *said* names, or a bug of the vendor's."""
    kind = getattr(errors, said["raises"], None)
    if kind is None:
        return RuntimeError(said["message"])
    error: Exception = kind(said["message"], hint=said.get("hint", ""))
    return error


connector = PaperFile()

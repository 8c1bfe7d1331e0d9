"""The contract of an anchor, and how its files are named: the largest name is the newest checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from collector.errors import ConfigError
from collector.model import Json

_GROUP = "evidenced.anchors"
_NAME = re.compile(r"[0-9]{20}\.note")


class AnchorSettings(BaseModel):
    """What every anchor may set. An anchor type adds its own fields by deriving from this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(description="directory, git, log, s3, or what another package adds.")


class Anchor(Protocol):
    """One place where checkpoints are kept. Used by one thread at a time."""

    def push(self, origin: str, size: int, note: bytes) -> dict[str, Json]:
        """Keep *note*, the checkpoint of the log *origin* at *size*, and return where it is: the receipt.

        What is there already, byte for byte, is left and its receipt returned. Raises `HistoryError` when another
        note is there, `DeliveryError` when the place does not do its part, `ConfigError` when it cannot be used; no
        other error.
        """

    def newest(self, origin: str) -> bytes | None:
        """Return the largest checkpoint of *origin* that is kept; None when there is none or nothing can be read.

        Raises `DeliveryError`, `ConfigError`.
        """


class AnchorType(Protocol):
    """How to open anchors of one type."""

    settings: type[AnchorSettings]

    def open(self, name: str, settings: Any) -> Anchor:
        """Return the anchor *name*. Nothing is touched before its first use. Raises `ConfigError`."""


def anchor_types() -> list[str]:
    """Return the names of the anchor types that are installed."""
    return sorted(point.name for point in entry_points(group=_GROUP))


def anchor_type(name: str) -> AnchorType:
    """Return the installed anchor type *name*; no other is loaded. Raises `ConfigError`."""
    for point in entry_points(group=_GROUP, name=name):
        try:
            found: AnchorType = point.load()
        except ImportError as error:
            raise ConfigError(
                f"the anchor type {name!r} cannot be loaded: {error}", hint="Install what it needs."
            ) from error
        return found
    installed = ", ".join(anchor_types())
    raise ConfigError(f'no anchor type "{name}" is installed; installed: {installed}')


def file_name(size: int) -> str:
    """Return the name of the file that holds the checkpoint of *size* leaves; names sort as sizes do."""
    return f"{size:020}.note"


def newest_name(names: Iterable[str]) -> str | None:
    """Return the one of *names* that holds the largest checkpoint; what is not named like one is passed over."""
    return max(filter(_NAME.fullmatch, names), default=None)

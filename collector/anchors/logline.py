"""The daemon's own log: each checkpoint a line, for whatever gathers the logs. It cannot be read back from here."""

from __future__ import annotations

import structlog

from collector.anchors.contract import Anchor, AnchorSettings
from collector.model import Json


class LogLineAnchor:
    """Writes a line ``checkpoint`` with origin, size and the whole note."""

    def push(self, origin: str, size: int, note: bytes) -> dict[str, Json]:
        """See `Anchor.push`."""
        structlog.get_logger("checkpoints").warning("checkpoint", origin=origin, size=size, note=note.decode("utf-8"))
        return {"log": "checkpoint"}

    def newest(self, origin: str) -> bytes | None:  # noqa: ARG002 - a log line is not read back
        """See `Anchor.newest`."""
        return None


class _Type:
    settings = AnchorSettings

    def open(self, name: str, settings: AnchorSettings) -> Anchor:  # noqa: ARG002 - it has none
        """See `AnchorType.open`."""
        return LogLineAnchor()


anchor_type = _Type()

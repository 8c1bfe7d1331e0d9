"""Structured logs: console for people, JSON lines for machines, secrets removed from both."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

from collector.redact import scrub

Format = Literal["auto", "console", "json"]


def configure_logs(level: str = "info", form: Format = "auto", stream: TextIO | None = None) -> None:
    """Send every log event to *stream* (standard error) at *level* or above.

    *form* ``auto`` is ``console`` on a terminal and ``json`` elsewhere. Libraries' own logs pass at ``warning``.
    """
    out = stream or sys.stderr
    console = form == "console" or (form == "auto" and out.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=out.isatty()) if console else structlog.processors.JSONRenderer()
    )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_empty,
    ]
    # A traceback is rendered before secrets are removed: an exception's text may quote a request.
    last: list[Any] = [structlog.processors.format_exc_info, _without_secrets, renderer]
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("dispatch", "sweep", "discovery", "daemon", "checkpoints", "verify", "metrics", "web"):
        logging.getLogger(name).setLevel(level.upper())


def _without_empty(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in event.items() if value is not None and value != ""}


def _without_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}

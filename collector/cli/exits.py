"""How a command ends: every error becomes a message, a hint and a documented exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer

from collector import __version__
from collector.errors import (
    BusyError,
    ConfigError,
    DeliveryError,
    EvidencedError,
    HistoryError,
    IntegrityError,
    KeeperError,
    QueryError,
    ReadError,
    StoreError,
)
from collector.words import safe

OK = 0
NOT_IN_ORDER = 1
USAGE = 2
CONFIG = 3
STORE = 4
SOURCE = 5
BUSY = 6
HISTORY = 7
INTERNAL = 70
INTERRUPTED = 130
READER_GONE = 141

MEANINGS = {
    OK: "done, and nothing asked about is wrong",
    NOT_IN_ORDER: "not in order (check, kinds lint, coverage, verify, status)",
    USAGE: "the command line or the question is wrong",
    CONFIG: "the configuration is wrong",
    STORE: "the store cannot be used, or does not match its digests",
    SOURCE: "a source could not be read, or a key's keeper does not sign",
    BUSY: "another process holds the store or the source",
    HISTORY: "the store is behind or beside its own checkpoints",
    INTERNAL: "a defect of evidenced itself",
    INTERRUPTED: "interrupted (Ctrl-C)",
    READER_GONE: "whatever read our output closed it",
}

_CODES: tuple[tuple[type[EvidencedError], int], ...] = (
    (QueryError, USAGE),
    (ConfigError, CONFIG),
    (StoreError, STORE),
    (HistoryError, HISTORY),
    (IntegrityError, STORE),
    (DeliveryError, SOURCE),
    (KeeperError, SOURCE),
    (ReadError, SOURCE),
    (BusyError, BUSY),
)

# Some releases of typer carry their own click and some import it; this is the door that is public in all of them.
_UsageError: type[typer.BadParameter] = typer.BadParameter.__bases__[0]


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; only `SystemExit` may escape, from a signal handler."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character still gets the answer.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        from collector.cli.app import app

        result = typer.main.get_command(app).main(
            list(arguments) or ["--help"], prog_name="evidenced", standalone_mode=False
        )
    except _UsageError as error:
        return _usage(error)
    except EvidencedError as error:
        return _explained(error)
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a defect is told in one line, detail in a file
        return _defect(error)
    if result == INTERRUPTED:
        return _say("interrupted", INTERRUPTED)
    return result if isinstance(result, int) else OK


def _say(text: str, code: int) -> int:
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except BrokenPipeError:
        pass  # nobody is left to tell
    return code


def _usage(error: typer.BadParameter) -> int:
    context = error.ctx
    hint = f"\nhint: see `{context.command_path} --help`." if context else ""
    return _say(f"error: {safe(error.format_message())}{hint}", USAGE)


def _explained(error: EvidencedError) -> int:
    if os.environ.get("EVIDENCED_DEBUG"):
        traceback.print_exception(error)
    hint = f"\nhint: {_lines(error.hint())}" if error.hint() else ""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), INTERNAL)
    return _say(f"error: {_lines(error.message)}{hint}", code)


def _lines(text: str) -> str:
    # Lines after the first are set in: a message that quotes a source cannot pass for one of ours.
    return "\n  ".join(safe(line) for line in text.splitlines())


def _defect(error: Exception) -> int:
    if os.environ.get("EVIDENCED_DEBUG"):
        traceback.print_exception(error)
    return _say(
        f"error: a defect in evidenced {__version__}: {type(error).__name__}; {_write_detail(error)}\n"
        "hint: nothing recorded was changed by this; please report it with that detail. "
        "EVIDENCED_DEBUG=1 shows it here.",
        INTERNAL,
    )


def _write_detail(error: Exception) -> str:
    """Write the traceback of *error*, secrets removed, where only this user can read it; return where that is."""
    from collector.redact import scrub

    try:
        handle, name = tempfile.mkstemp(prefix="evidenced-error-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(scrub("".join(traceback.format_exception(error))))
    except OSError as problem:
        return f"its detail could not be written ({problem.strerror})"
    return f"its detail is in {Path(name)}"

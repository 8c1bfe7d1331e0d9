"""Showing answers: text that cannot harm a terminal, tables without art, one JSON document.

Evidence is other people's text. Whatever could move the cursor, change colours or reorder letters is shown as an
escape (``\\x1b``, ``\\u202e``), in tables, in messages and, as JSON's own escapes, in JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from collector.errors import QueryError
from collector.words import plain, replaced, safe

if TYPE_CHECKING:
    from collector.export import Progress


def show_json(value: Any) -> None:
    """Write *value* to stdout as one JSON document with sorted keys."""
    text = json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # The only raw newlines of a JSON document are those of its own indentation.
    write("".join(replaced(line, _json_escape) + "\n" for line in text.split("\n")))


def write(text: str) -> None:
    """Write *text* to stdout; when the reader is gone, end quietly with the code a shell gives to SIGPIPE."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at exit and would complain; there it must find something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None


def write_file(path: Path, data: bytes) -> None:
    """Write *data* to the file *path*. Raises `QueryError` when that cannot be done."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise QueryError(f"{path}: cannot be written: {error.strerror}") from error


def note(text: str) -> None:
    """Write a remark to stderr, never the answer."""
    typer.echo(safe(text), err=True)


def progress(text: str) -> None:
    """Write a line of progress to stderr when somebody is watching."""
    if sys.stderr.isatty():
        note(text)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield what shows on stderr, to whoever is watching, what is being done, and how far that is."""
    from rich import progress as rich
    from rich.console import Console
    from rich.markup import escape

    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.TaskProgressColumn())
    there, watched = Console(stderr=True), sys.stderr.isatty()
    with rich.Progress(*columns, console=there, transient=True, disable=not watched) as shown:
        task = shown.add_task("", total=None)

        def tell(what: str, done: int = 0, total: int = 0, /) -> None:
            shown.update(task, description=escape(safe(what)), completed=done, total=total or None)

        yield tell


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1]

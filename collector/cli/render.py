"""Showing answers: text that cannot harm a terminal, tables without art, one JSON document.

Evidence is other people's text. Whatever could move the cursor, change colours or reorder letters is shown as an
escape (``\\x1b``, ``\\u202e``), in tables, in messages and, as JSON's own escapes, in JSON.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

import typer

from collector.clock import iso
from collector.model import Json

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls, marks without width, line separators, bidirectional controls, lone surrogates, tag characters.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ALARM = ("failed", "missed", "denied", "error", "gap")
_UNBOUNDED = 100_000

Cell = Any  # None, str, int, bool, datetime, timedelta, Enum, digest bytes, or a sequence of these


@dataclass(frozen=True)
class Table:
    """Rows under *columns*; *right* names the columns of figures, which stand at the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: Sequence[str] = ()


Part = str | Table  # a string is one line


def safe(text: str) -> str:
    """Return *text* on one line with every character that could deceive or harm a terminal written as an escape."""
    return _UNSAFE.sub(lambda found: _escape(found.group()), text)


def span(length: timedelta | None) -> str:
    """Return *length* as people say it, in its two largest units: ``2 d 3 h``, ``5 min``, ``0.2 s``; ``-`` for None."""
    if length is None:
        return "-"
    seconds = abs(length).total_seconds()
    sign = "-" if length < timedelta() else ""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds the tenths matter
        return f"{sign}{seconds:.1f} s"
    left = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return sign + " ".join(parts[:2])


def size(octets: int) -> str:
    """Return a number of bytes as people say it: ``812 B``, ``27.0 MB``."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - SI units
            return f"{octets} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def plural(count: int, word: str) -> str:
    """Return ``1 gap``, ``2 gaps``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word.removesuffix('y')}{_ending(word)}"


def plain(value: Any) -> Json:  # noqa: PLR0911 - one line a type
    """Return *value* as JSON: times RFC 3339 in UTC, lengths in seconds, digests ``sha256:...``, records as objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return "sha256:" + value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value


def show_json(value: Any) -> None:
    """Write *value* to stdout as one JSON document with sorted keys."""
    text = json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    harmless = _UNSAFE.sub(lambda found: _json_escape(found.group()), text)
    write(harmless + "\n")


def show(*parts: Part) -> None:
    """Write lines and tables to stdout, fitted to the terminal; when piped, no line is wrapped and none coloured."""
    console = _console()
    with console.capture() as capture:
        for part in parts:
            _print(console, part)
    write("".join(line.rstrip() + "\n" for line in capture.get().split("\n")[:-1]))


def write(text: str) -> None:
    """Write *text* to stdout; when the reader is gone, end quietly with the code a shell gives to SIGPIPE."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at exit and would complain; there it must find something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None


def note(text: str) -> None:
    """Write one line to stderr: progress and remarks, never the answer."""
    typer.echo(safe(text), err=True)


def text_of(value: Cell) -> str:  # noqa: PLR0911 - one line a type
    """Return how a cell reads."""
    if value is None or value in ("", ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, bytes):
        return f"sha256:{value.hex()[:12]}…"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(text_of(each) for each in value) or "-"
    return safe(str(value))


def _console() -> Console:
    from rich.console import Console

    fitted = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if fitted else _UNBOUNDED, markup=False, highlight=False, emoji=False)


def _print(console: Console, part: Part) -> None:
    from rich.text import Text

    if isinstance(part, str):
        console.print(Text(safe(part)))
        return
    console.print(_rich_table(part) if part.rows else Text("(none)"))


def _rich_table(table: Table) -> Any:
    from rich.table import Table as RichTable
    from rich.text import Text

    made = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in table.columns:
        made.add_column(Text(name), justify="right" if name in table.right else "left", overflow="fold")
    for row in table.rows:
        cells = [text_of(each) for each in row]
        made.add_row(*(Text(each, style="red" if each.startswith(_ALARM) else "") for each in cells))
    return made


def _escape(character: str) -> str:
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004 - the three widths of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _json_escape(character: str) -> str:
    # The only raw newlines in a JSON document are those of its own indentation.
    return "\n" if character == "\n" else json.dumps(character)[1:-1]


def _ending(word: str) -> str:
    return "ies" if word.endswith("y") else "s"


def lines(pairs: Iterable[tuple[str, Cell]]) -> list[Part]:
    """Return *pairs* as aligned ``name  value`` lines."""
    pairs = list(pairs)
    width = max((len(name) for name, _ in pairs), default=0)
    return [f"{name:<{width}}  {text_of(value)}" for name, value in pairs]


def outline(value: Json, indent: str) -> Iterator[Part]:
    """Return a JSON value as indented lines, the way people write an outline."""
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, dict | list) and each and not _short(each):
                yield f"{indent}{name}"
                yield from outline(each, indent + "  ")
            else:
                yield f"{indent}{name}: {_inline(each)}"
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict | list) and each and not _short(each):
                first, *rest = outline(each, indent + "  ")
                yield f"{indent}- {str(first).lstrip()}"
                yield from rest
            else:
                yield f"{indent}- {_inline(each)}"
    else:
        yield f"{indent}{_inline(value)}"


def _short(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, str | int) for each in value) and len(_inline(value)) < 60  # noqa: PLR2004


def _inline(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "[]"
    return json.dumps(value, ensure_ascii=False)

"""Lines and tables: fitted to a terminal; when piped, one line a row, nothing wrapped and nothing coloured."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from collector.cli.render import write
from collector.clock import iso
from collector.model import Json
from collector.words import safe, span

if TYPE_CHECKING:
    from rich.console import Console

Cell = Any  # None, str, bool, int, datetime, timedelta, digest bytes, or a sequence of these

_ALARM = ("failed", "missed", "error")
_BETWEEN = 2
_INDENT = 2
_READABLE = 24
_UNBOUNDED = 100_000


@dataclass(frozen=True)
class Table:
    """Rows under *columns*; *right* names the columns of figures, which stand at the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: Sequence[str] = ()


Part = str | Table  # a string is one line; its leading spaces are kept when it is wrapped


def show(*parts: Part) -> None:
    """Write lines and tables to stdout."""
    console = _console()
    with console.capture() as capture:
        for part in parts:
            for line in _table(console, part) if isinstance(part, Table) else _line(console, part):
                console.print(line)
    write("".join(line.rstrip() + "\n" for line in capture.get().split("\n")[:-1]))


def lines(pairs: Iterable[tuple[str, Cell]]) -> list[Part]:
    """Return *pairs* as aligned ``name  value`` lines."""
    pairs = list(pairs)
    width = max((len(name) for name, _ in pairs), default=0)
    return [f"{name:<{width}}  {text_of(value)}" for name, value in pairs]


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


def outline(value: Json, indent: str = "") -> Iterator[Part]:
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


def _console() -> Console:
    from rich.console import Console

    fitted = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = None if fitted else _UNBOUNDED
    if os.environ.get("NO_COLOR"):
        # rich would still write bold; whoever asks for no colour wants no escapes.
        return Console(width=width, color_system=None, markup=False, highlight=False, emoji=False)
    return Console(width=width, markup=False, highlight=False, emoji=False)


def _line(console: Console, line: str) -> Iterator[Any]:
    from rich.text import Text

    indent = len(line) - len(line.lstrip(" "))
    hanging = indent + _INDENT
    text = Text(safe(line.lstrip(" ")))
    for number, part in enumerate(text.wrap(console, max(console.width - hanging, _READABLE)) or [text]):
        yield Text(" " * (hanging if number else indent)) + part


def _table(console: Console, table: Table) -> Iterator[Any]:
    """Yield the lines of a table; columns that do not fit beside the others stand on a further line of each row."""
    from rich.cells import cell_len
    from rich.text import Text

    if not table.rows:
        yield Text("(none)")
        return
    texts = [[text_of(cell) for cell in row] for row in table.rows]
    widths = [max(cell_len(text) for text in column) for column in zip(table.columns, *texts, strict=True)]
    groups = _fitted(widths, console.width)
    for row, style in [(list(table.columns), "bold"), *((row, "") for row in texts)]:
        for number, group in enumerate(groups):
            line = Text(" " * _INDENT if number else "")
            for place in group:
                right = table.columns[place] in table.right
                line.append(_padded(row[place], widths[place], right=right), style or _style(row[place]))
            yield from _hung(console, line, len(line) - widths[group[-1]] - _BETWEEN)


def _fitted(widths: Sequence[int], width: int) -> list[list[int]]:
    """Return which columns stand together on a line, in order; the last of a line may be left to be wrapped."""
    groups: list[list[int]] = [[]]
    used = 0
    for place, each in enumerate(widths):
        last = place == len(widths) - 1
        fits = used + each <= width or (last and width - used >= max(_READABLE, each // 3))
        if groups[-1] and not fits:
            groups.append([])
            used = _INDENT
        groups[-1].append(place)
        used += each + _BETWEEN
    return groups


def _hung(console: Console, line: Any, hanging: int) -> Iterator[Any]:
    from rich.text import Text

    line.rstrip()
    if line.cell_len <= console.width:
        yield line
        return
    head, tail = line[:hanging], line[hanging:]
    for number, part in enumerate(tail.wrap(console, max(console.width - hanging, _READABLE))):
        yield (Text(" " * hanging) if number else head) + part


def _padded(text: str, width: int, *, right: bool) -> str:
    from rich.cells import cell_len

    space = " " * (width - cell_len(text))
    return (space + text if right else text + space) + " " * _BETWEEN


def _style(text: str) -> str:
    return "red" if text.startswith(_ALARM) else ""

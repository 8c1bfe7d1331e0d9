"""On which line of a TOML text a key is: the standard parser does not say, and an error message must."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Place = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[Place, int]:
    """Return the 1-based line of every table, key and list element of *text*, by its place: ``("plan", "jitter")``.

    *text* must be valid TOML (`tomllib` has read it); list elements and tables of an array are counted from 0.
    """
    return _Scanner(text).document()


def line_of(lines: Mapping[Place, int], place: Place) -> int | None:
    """Return the line of *place* or of the nearest thing around it that is written down; None for the whole file."""
    return next((lines[place[:size]] for size in range(len(place), 0, -1) if place[:size] in lines), None)


def show_place(place: Place) -> str:
    """Return *place* as it would be written: ``sources."aws:prod".kinds[2]``."""
    shown = ""
    for part in place:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            written = part if _BARE.fullmatch(part) else f'"{part}"'
            shown += f".{written}" if shown else written
    return shown


class _Scanner:
    """One pass over a valid text. Only positions are of interest, so values are skipped, not read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._tables: dict[Place, int] = {}
        self._lines: dict[Place, int] = {}

    def document(self) -> dict[Place, int]:
        table: Place = ()
        while self._blank() < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Place:
        line = self._line()
        array = self._text.startswith("[[", self._at)
        self._at += 1 + array
        keys = self._keys()
        self._at += 1 + array
        table: Place = ()
        for key in keys[:-1]:
            self._note((*table, key), line)
            table = self._latest((*table, key))
        table = (*table, keys[-1])
        if array:
            number = self._tables.get(table, 0)
            self._tables[table] = number + 1
            self._note(table, line)
            table = (*table, number)
        else:
            table = self._latest(table)
        self._note(table, line)
        return table

    def _latest(self, table: Place) -> Place:
        return (*table, self._tables[table] - 1) if table in self._tables else table

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = table
        for key in self._keys():
            place = (*place, key)
            self._note(place, line)
        self._at += 1  # the equals sign, on which _keys stops
        self._value(place)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._blank()
            quoted = self._text[self._at] in "\"'"
            match = (_STRING if quoted else _BARE).match(self._text, self._at)
            assert match is not None, "not valid TOML"
            keys.append(tomllib.loads(f"key = {match[0]}")["key"] if quoted else match[0])
            self._at = match.end()
            self._blank()
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, place: Place) -> None:
        self._blank()
        opening = self._text[self._at]
        if opening == "[":
            self._list(place)
        elif opening == "{":
            self._inline(place)
        else:
            match = (_STRING if opening in "\"'" else _SCALAR).match(self._text, self._at)
            assert match is not None, "not valid TOML"
            self._at = match.end()

    def _list(self, place: Place) -> None:
        number = 0
        while self._more("]"):
            self._note((*place, number), self._line())
            self._value((*place, number))
            number += 1

    def _inline(self, place: Place) -> None:
        while self._more("}"):
            self._pair(place)

    def _more(self, closing: str) -> bool:
        """Step over the opening bracket or a comma; False, and past it, at *closing*."""
        if self._text[self._blank()] != closing:
            self._at += 1
            if self._text[self._blank()] != closing:
                return True
        self._at += 1
        return False

    def _blank(self) -> int:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at

    def _line(self) -> int:
        return bisect_right(self._breaks, self._at - 1) + 1

    def _note(self, place: Place, line: int) -> None:
        self._lines.setdefault(place, line)

"""A big JSON description in parts: what a test does not use is never parsed.

The parts of an OpenAPI document are its path items and its components, rows of a SQLite file below the virtual
environment. `write` is called when the tests are installed, reading is safe from any thread and process.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(sys.prefix) / "share" / "descriptions"


class NotInstalled(Exception):
    """A description that ``python -m tests.fakes.described.install`` has not put in its place."""


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write *document*, an OpenAPI 3 object, in parts to *path*."""
    parts: dict[tuple[str, str], Any] = {("info", ""): document["info"]}
    parts |= {("path", template): item for template, item in document["paths"].items()}
    for section, entries in document.get("components", {}).items():
        parts |= {("component", f"{section}/{name}"): entry for name, entry in entries.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    with sqlite3.connect(unfinished) as connection:
        connection.execute("CREATE TABLE part (section TEXT, name TEXT, json TEXT, PRIMARY KEY (section, name))")
        rows = [(section, name, json.dumps(value)) for (section, name), value in parts.items()]
        connection.executemany("INSERT INTO part VALUES (?, ?, ?)", rows)
    connection.close()
    unfinished.replace(path)


class Shelf:
    """The parts of one description, each read at most once per process."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise NotInstalled(f"{path.name} is not in {path.parent}: run make .venv/.test")
        self._path = path
        self.part = lru_cache(maxsize=None)(self._part)

    def _part(self, section: str, name: str = "") -> Any:
        """Return the part *name* of *section*. Raises KeyError when there is none."""
        rows = self._rows("SELECT json FROM part WHERE section = ? AND name = ?", section, name)
        if not rows:
            raise KeyError(f"{self._path.name}: no {section} {name}")
        return json.loads(rows[0][0])

    def paths(self) -> list[str]:
        """Return every path template."""
        return [name for (name,) in self._rows("SELECT name FROM part WHERE section = 'path'")]

    def _rows(self, statement: str, *values: str) -> list[Any]:
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

"""docs/desk.md names every page of the desk, and no page that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from collector.web.desk import PARTS

PAGE = (Path(__file__).parents[2] / "docs/desk.md").read_text(encoding="utf-8")
WORDS = {"{name}": "ENGAGEMENT", "{digest}": "DIGEST", "{number}": "NUMBER"}


def documented():
    """Return the addresses that the table names; what is said to be below or beside one is one too."""
    for address, said in re.findall(r"^\| `(/[^`]+)` \| (.+) \|$", PAGE, flags=re.MULTILINE):
        yield address
        yield from (address + more for more in re.findall(r"`([./][a-z][a-z./]*)`", said))


def served():
    for part in PARTS:
        for route in part.router.routes:
            path = route.path
            for pattern, word in WORDS.items():
                path = path.replace(pattern, word)
            if "GET" in route.methods:
                yield path.replace("{id}", "RUN" if "/runs/" in path else "ID")


def test_every_page_of_the_desk_is_documented():
    assert sorted(documented()) == sorted(served())

"""docs/desk.md names every page, and no page that is not there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from collector import web

PAGE = (Path(__file__).parents[2] / "docs/desk.md").read_text(encoding="utf-8")
HERE = "/e/ENGAGEMENT"
WORDS = {"{name}": "ENGAGEMENT", "{digest}": "DIGEST", "{number}": "NUMBER", "{kind}": "KIND"}


def documented():
    """Return the addresses that the table names; what is said to be below or beside one is one too."""
    for row, said in re.findall(r"^\| (`/.+?) \| (.+) \|$", PAGE, flags=re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", row)
        yield first
        yield from (HERE + each for each in others)
        yield from (first + more for more in re.findall(r"`([./][a-z][a-z./]*)`", said))


def served():
    """Return the addresses of the pages as the docs write them; the sign-in is described elsewhere."""
    modules = (import_module(f"collector.web.{each.name}") for each in iter_modules(web.__path__))
    routes = (route for each in modules if hasattr(each, "router") for route in each.router.routes)
    for route in routes:
        path = getattr(route, "path", "")
        if not re.match(r"/(e/\{name\}.*|tokens)?$", path) or "GET" not in route.methods:
            continue
        for pattern, word in WORDS.items():
            path = path.replace(pattern, word)
        yield path.replace("{id}", "RUN" if "/runs/" in path else "ID")


def test_every_page_is_documented():
    assert sorted(documented()) == sorted(served())

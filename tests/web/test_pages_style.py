"""The files pages are made of: no script or style within them, no markup out of evidence, colours that can be read."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

from collector.web.pages import FOLDER, STATIC

TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
SCRIPTS = sorted(STATIC.glob("*.js"))
STYLE = (STATIC / "style.css").read_text(encoding="utf-8")
# What is written in which colour on which ground.
GROUNDS = ("ground", "sunken", "raised")
PAIRS = [
    *product(("text", "faint", "accent", "failed", "missed", "excluded"), GROUNDS),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("failed", "failed-soft"),
    ("missed", "missed-soft"),
]


def _themes() -> dict[str, dict[str, str]]:
    """Return the colours of each theme by name; the dark one has what it does not name from the light one."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]
    found = {"light": _colours(light)}
    return found | {"dark": found["light"] | _colours(dark)}


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""
    low, high = sorted(_luminance(each) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("colour", "ground"), PAIRS, ids=lambda each: each)
def test_what_is_written_can_be_read(theme, colour, ground):
    colours = _themes()[theme]
    assert contrast(colours[colour], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("one", "other"), [("failed", "collected"), ("line-strong", "raised"), ("accent", "ground")])
def test_what_is_drawn_can_be_told_apart(theme, one, other):
    colours = _themes()[theme]
    assert contrast(colours[one], colours[other]) >= 3


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda each: each.name)
def test_no_template_takes_anything_for_markup(path):
    assert not re.search(r"\|\s*(?:safe|tojson|striptags|xmlattr|urlize)\b|autoescape|Markup", path.read_text("utf-8"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda each: each.name)
def test_no_module_makes_markup(path):
    assert not re.search(r"Markup\(|from html import|HTMLResponse\(f", path.read_text("utf-8"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda each: each.name)
def test_no_template_has_a_script_or_a_style_of_its_own(path):
    found = _Own()
    found.feed(re.sub(r"\{#.*?#\}|\{%.*?%\}", "", path.read_text("utf-8"), flags=re.DOTALL))
    assert found.own == []


class _Own(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.own: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.own.append(tag)
        self.own += [name for name in names if name == "style" or name.startswith("on")]


def test_the_script_is_small_and_asks_nobody():
    assert [each.name for each in SCRIPTS] == ["script.js"]
    text = SCRIPTS[0].read_text("utf-8")
    assert len(text) < 2_000
    assert not re.search(r"fetch|XMLHttpRequest|innerHTML|eval|import|document\.write", text)


@pytest.mark.parametrize("path", sorted(STATIC.iterdir()), ids=lambda each: each.name)
def test_nothing_is_loaded_from_anywhere_else(path: Path):
    assert not re.search(r"@import|https?://(?!www\.w3\.org/2000/svg)", path.read_text("utf-8"))


def test_every_outcome_has_a_sign_of_its_own_beside_its_colour():
    parts = (FOLDER / "templates" / "parts.html").read_text("utf-8")
    macro = re.search(r"macro sign\(name\).*?endmacro", parts, re.DOTALL)
    assert macro is not None
    drawn = re.findall(r'== "(\w+)" %\}(<.*?)\n', macro[0])
    assert [name for name, _ in drawn] == ["failed", "missed", "excluded", "empty"]
    assert len({shape for _, shape in drawn}) == len(drawn)

"""Where a key is written: the line that an error message names."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.toml_lines import key_lines, line_of, show_place

TEXT = '''# x = 1
a = 1 # b = 2
b.c = """
x = ["1"]
"""""
d = \'\'\'
[not.a.table]\'\'\'
[sources."aws:prod"]   # [other]
kinds = [  # one a line
  "a", # , ]
  'b]', [1,2,
  {x = "}", y.z = [] }],
]
none = []
every = { "aws.*" = "daily", b = {} }
[[rules]]
q = 1
[rules.sub]
z = "\\"]"
[[rules]]
q = 1979-05-27T07:32:00Z
[rules.sub]
w = ""
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("a",), 2),
        (("b", "c"), 3),
        (("d",), 6),
        (("sources", "aws:prod"), 8),
        (("sources", "aws:prod", "kinds"), 9),
        (("sources", "aws:prod", "kinds", 0), 10),
        (("sources", "aws:prod", "kinds", 1), 11),
        (("sources", "aws:prod", "kinds", 2, 0), 11),
        (("sources", "aws:prod", "kinds", 2, 2, "y", "z"), 12),
        (("sources", "aws:prod", "none"), 14),
        (("sources", "aws:prod", "every", "aws.*"), 15),
        (("rules", 0, "q"), 17),
        (("rules", 0, "sub", "z"), 19),
        (("rules", 1), 20),
        (("rules", 1, "sub", "w"), 23),
    ],
)
def test_a_key_is_on_the_line_where_it_is_written(place: tuple[str | int, ...], line: int) -> None:
    assert key_lines(TEXT)[place] == line


def test_every_place_of_a_document_has_a_line() -> None:
    assert set(key_lines(TEXT)) >= set(_places(tomllib.loads(TEXT)))


def test_a_key_that_is_missing_is_sought_in_the_table_it_belongs_to() -> None:
    assert line_of(key_lines(TEXT), ("sources", "aws:prod", "delegation", "role")) == 8
    assert line_of(key_lines(TEXT), ("store", "url")) is None


def test_a_text_with_windows_line_ends_has_the_same_lines() -> None:
    assert key_lines(TEXT.replace("\n", "\r\n")) == key_lines(TEXT)


def test_a_place_is_shown_as_it_would_be_written() -> None:
    assert show_place(("sources", "aws:prod", "kinds", 2)) == 'sources."aws:prod".kinds[2]'


_KEYS = st.text(st.characters(categories=["L", "N"], include_characters=".\"' #=[]{}-_\\"), max_size=8)
_VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text(st.characters(exclude_categories=["C"]), max_size=10)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=6))
def test_each_key_of_any_document_is_found_on_its_line(document: dict[str, Any]) -> None:
    text = "".join(f"\n{_written(key)} = {_written(value)} # {key}=]\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    lines = key_lines(text)
    assert [lines[(key,)] for key in document] == [2 + 2 * number for number in range(len(document))]
    assert set(lines) == set(_places(document))


def _written(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)} = {_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return str(value).lower()


def _places(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in ((*place, key), *_places(each, (*place, key)))]

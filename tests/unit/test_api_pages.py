"""Cursors: whatever items are called, pages together are the list; and a cursor opens nothing but its own question."""

from __future__ import annotations

import pytest
from fastapi import Request, Response
from hypothesis import assume, given
from hypothesis import strategies as st

from collector.api.paging import Page, _page
from collector.errors import QueryError

NAMES = st.text(max_size=20) | st.text(min_size=1, max_size=3).map(lambda text: text * 2_000)


def asked(path="/things", query=""):
    return Request({"type": "http", "path": path, "query_string": query.encode(), "headers": []})


def page(limit, cursor="", **more) -> Page:
    return _page(asked(**more), Response(), limit, cursor)


@given(st.lists(st.tuples(NAMES, st.integers(0, 9)), unique=True, max_size=12), st.integers(1, 5))
def test_pages_together_are_the_list_whatever_its_items_are_called(items, limit):
    items = sorted(items)
    found, cursor = [], ""
    while cursor is not None:
        part, cursor = page(limit, cursor).of(items, lambda each: each)
        assert len(part) <= limit and (cursor is None or len(cursor) <= 4_096)
        found += part
    assert found == items


@given(st.lists(st.text(max_size=5), unique=True, min_size=3), st.text(max_size=5))
def test_what_was_recorded_meanwhile_neither_repeats_nor_hides_what_was_there(items, new):
    items = sorted(items)
    first, cursor = page(2).of(items, lambda each: each)
    later, _ = page(1_000, cursor).of(sorted({*items, new}), lambda each: each)
    assert [each for each in first + later if each != new or new in items] == items


def test_a_cursor_at_an_item_with_a_long_name_that_is_gone_says_to_begin_again():
    items = [letter * 3_000 for letter in "abc"]
    _, cursor = page(1).of(items, lambda each: each)
    with pytest.raises(QueryError, match="no more"):
        page(1, cursor).of(items[1:], lambda each: each)


@pytest.mark.parametrize("other", [{"path": "/others"}, {"query": "kind=x"}])
def test_a_cursor_is_of_its_question_alone(other):
    _, cursor = page(1).of(["a", "b"], lambda each: each)
    with pytest.raises(QueryError, match="not one of this question"):
        page(1, cursor, **other)


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_cursor_that_was_touched_anywhere_is_refused(at, change):
    _, cursor = page(1).of([("source", "kind", "scope", "a"), ("source", "kind", "scope", "b")], lambda each: each)
    place = at % len(cursor)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    touched = letters[(letters.index(cursor[place]) + change) % 64]
    assume(touched != cursor[place] and place < len(cursor) - 1)  # the last letter has bits that stand for nothing
    with pytest.raises(QueryError):
        page(1, cursor[:place] + touched + cursor[place + 1 :])

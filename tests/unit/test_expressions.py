"""Expressions that people type: what they find, or in which words they are refused; never anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.ask.expressions import compiled
from collector.errors import QueryError

ITEM = {"id": "ana", "groups": ["a", "b"], "seen": 1, "nested": {"rights": [{"on": "x"}, {"on": None}]}}
PIECES = (
    "id",
    "groups",
    "seen",
    "nested",
    ".",
    "[",
    "]",
    "[::0]",
    "[?",
    "abs(",
    "sort_by(",
    "&on",
    ")",
    "'x'",
    "`1`",
    "|",
)


@pytest.mark.parametrize(
    ("expression", "found"), [("id", "ana"), ("groups[0]", "a"), ("nested.rights[].on", ["x"]), ("none", None)]
)
def test_an_expression_finds_what_it_names(expression, found):
    assert compiled(expression).search(ITEM) == found


@pytest.mark.parametrize("expression", ["abs(id)", "groups[::0]", "sort_by(nested.rights, &on)", "length(seen)"])
def test_what_cannot_be_asked_of_an_item_is_told_with_the_expression(expression):
    with pytest.raises(QueryError, match="cannot be asked of every item") as told:
        compiled(expression).search(ITEM)
    assert repr(expression) in str(told.value)


@pytest.mark.parametrize("expression", ["[", "a b", "(" * 900, "a" * 1_001, "unknown(id)(", ""])
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(QueryError):
        compiled(expression)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
def test_whatever_is_typed_finds_something_or_is_refused(expression):
    try:
        compiled(expression).search(ITEM)
    except QueryError as refused:
        assert refused.hint()

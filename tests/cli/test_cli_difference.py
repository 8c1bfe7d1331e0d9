"""Which fields differ between two documents."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.canonical import canonical
from collector.difference import FieldChange, differences

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def paths(before, after):
    return [(each.path, each.change) for each in differences(before, after)]


@given(DOCUMENTS, DOCUMENTS)
def test_documents_differ_exactly_when_their_canonical_bytes_do(before, after):
    assert bool(differences(before, after)) == (canonical(before) != canonical(after))


@given(DOCUMENTS, DOCUMENTS)
def test_a_difference_seen_the_other_way_round_has_the_same_paths(before, after):
    assert sorted({each.path for each in differences(before, after)}) == sorted(
        {each.path for each in differences(after, before)}
    )


@given(DOCUMENTS, DOCUMENTS)
def test_comparing_changes_neither_document(before, after):
    kept = copy.deepcopy((before, after))
    differences(before, after)
    assert (before, after) == kept


def test_null_is_not_absence():
    assert differences({"a": None}, {}) == [FieldChange("a", "removed", None, None)]
    assert differences({"a": None}, {"a": 1}) == [FieldChange("a", "changed", None, 1)]


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), ("1", 1), ([], {})])
def test_values_of_another_type_differ_even_where_python_calls_them_equal(before, after):
    assert paths({"a": before}, {"a": after}) == [("a", "changed")]


def test_a_list_tells_what_joined_and_what_left():
    assert differences({"groups": ["a", "b"]}, {"groups": ["b", "c"]}) == [
        FieldChange("groups[]", "removed", before="a"),
        FieldChange("groups[]", "added", after="c"),
    ]


def test_another_order_of_the_same_elements_is_told_as_such():
    assert paths({"a": [1, 2]}, {"a": [2, 1]}) == [("a", "reordered")]


def test_a_changed_object_in_a_list_is_looked_into():
    rules = [{"port": 22, "from": "10.0.0.0/8"}, {"port": 443, "from": "0.0.0.0/0"}]
    after = [{"port": 22, "from": "0.0.0.0/0"}, rules[1]]
    assert paths({"rules": rules}, {"rules": after}) == [("rules[0].from", "changed")]


def test_repeated_elements_are_counted():
    assert paths({"a": [1, 1]}, {"a": [1]}) == [("a[]", "removed")]


def test_a_name_that_could_be_read_as_a_path_is_quoted():
    assert paths({"a.b": 1}, {"a.b": 2}) == [('"a.b"', "changed")]

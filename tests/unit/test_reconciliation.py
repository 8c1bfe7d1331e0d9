"""Reconciling two populations: every item has one place, and the counts add up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import QueryError
from collector.reconciliation import Keyed, key_value, normaliser, reconcile

VALUES = st.one_of(st.none(), st.sampled_from("abcdef"))
SIDES = st.lists(st.tuples(VALUES, st.booleans()), max_size=14)


def side(word, values):
    return [Keyed(f"{word}{number}", value, out) for number, (value, out) in enumerate(values)]


@given(left=SIDES, right=SIDES)
def test_the_counts_of_each_side_add_up_to_its_items(left, right):
    found = reconcile(side("l", left), side("r", right))
    for counts, items in ((found.left, left), (found.right, right)):
        parts = (counts.matched, counts.only, counts.duplicates, counts.without_key, counts.left_out)
        assert counts.items == len(items) == sum(parts)
    assert found.left.matched == found.right.matched == len(found.matched)


@given(left=SIDES, right=SIDES)
def test_every_item_that_was_asked_about_has_exactly_one_place(left, right):
    found = reconcile(side("l", left), side("r", right))
    placed = Counter(found.without_key_left + found.without_key_right)
    for group in (found.matched, found.only_left, found.only_right, found.duplicates):
        for each in group:
            placed.update(each.left + each.right)
    asked = [each.name for each in side("l", left) + side("r", right) if not each.out]
    assert placed == Counter(asked)


@given(left=SIDES, right=SIDES, data=st.data())
def test_the_order_of_items_does_not_matter(left, right, data):
    ours, theirs = side("l", left), side("r", right)
    mixed = data.draw(st.permutations(ours)), data.draw(st.permutations(theirs))
    assert reconcile(*mixed) == reconcile(ours, theirs)


@given(left=SIDES, right=SIDES)
def test_the_sides_mirror_each_other(left, right):
    one, other = (
        reconcile(side("x", left), side("x", right)),
        reconcile(side("x", right), side("x", left)),
    )
    assert (one.left, one.right, one.agree) == (other.right, other.left, other.agree)
    assert [each.value for each in one.only_left] == [each.value for each in other.only_right]


def test_a_key_that_one_side_has_twice_matches_nothing():
    found = reconcile(side("l", [("a", False), ("a", False)]), side("r", [("a", False)]))
    assert found.matched == ()
    assert (found.left.duplicates, found.right.duplicates) == (2, 1)
    assert not found.agree


def test_populations_agree_when_every_item_has_one_counterpart():
    assert reconcile(side("l", [("a", False), ("b", True)]), side("r", [("a", False)])).agree
    assert not reconcile(side("l", [("a", False), (None, False)]), side("r", [("a", False)])).agree


@pytest.mark.parametrize(
    ("names", "text", "value"),
    [
        ("", " Ana ", " Ana "),
        ("lower,trim", " ANA@X.org ", "ana@x.org"),
        ("lower", "STRASSE", normaliser("lower")("straße")),
        ("digits", "E-0042", "0042"),
        ("nfc", "e\u0301", "\u00e9"),
    ],
)
def test_keys_are_normalised_as_asked(names, text, value):
    assert normaliser(names)(text) == value


def test_an_unknown_normaliser_is_refused_with_the_known_ones():
    with pytest.raises(QueryError, match="soundex") as error:
        normaliser("lower,soundex")
    assert "trim" in error.value.hint()


@pytest.mark.parametrize("value", [None, "", "  ", True, [], {"a": 1}])
def test_what_is_no_text_and_no_number_is_no_key(value):
    assert key_value(value, normaliser("trim")) is None


def test_a_number_is_a_key_as_text():
    assert key_value(42, normaliser("")) == "42"

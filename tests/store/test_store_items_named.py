"""Items are found by the beginning of their key, in whatever subject they are, letter for letter."""

from __future__ import annotations

import pytest

from collector.model import Subject

ROOMS = Subject("paper:hq", "paper.rooms", "north")
KEYS = ("ana", "ana.alder", "anb", "Ana", "b", "an\xff", "an\U0010ffff", "", "an_a", "an%a")


@pytest.fixture
def named(store, hand):
    """The store with the keys as users, and one of them as a room too."""
    hand.see({key: {"key": key} for key in KEYS})
    hand.of(ROOMS).see({"ana": {}})
    return store


@pytest.mark.parametrize("beginning", ["an", "ana", "A", "", "an_", "an%", "zz", "an\U0010ffff"])
def test_the_items_are_those_whose_key_begins_so(named, hand, beginning):
    found = named.items_named(beginning, 100)
    expected = [(hand.subject, key) for key in KEYS if key.startswith(beginning)]
    expected += [(ROOMS, "ana")] if "ana".startswith(beginning) else []
    assert sorted(found) == sorted(expected)


def test_they_come_in_the_order_of_their_keys_and_no_more_than_asked(named):
    keys = [key for _, key in named.items_named("an", 3)]
    assert keys == sorted((key for key in [*KEYS, "ana"] if key.startswith("an")), key=str.encode)[:3]


def test_an_item_that_is_gone_is_found_too(named, hand, noon, hour):
    hand.see({"b": {}}, noon + hour)
    assert (hand.subject, "ana.alder") in named.items_named("ana.", 10)

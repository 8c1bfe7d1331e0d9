"""A life that retention shortens: old contents go, and some of them are brought again."""

from __future__ import annotations

from datetime import timedelta

from collector.model import Subject
from collector.store.expiry import Term
from tests.store.conftest import Hand

BOXES = Subject("paper:attic", "paper.boxes", "site")
DAY = timedelta(days=1)


def live_retained(store, at, eraser=None):
    """Leave two tombstones of a range, and two contents brought again; *eraser* is the store as who may erase."""
    hand, eraser = Hand(store, BOXES), eraser or store
    for number in range(3):
        hand.see({"a": {"box": number}, "b": {"box": -1 - number}}, at - (500 - number) * DAY)
    eraser.retaining.at_a_time = 2
    list(eraser.retaining.retain([Term(BOXES.kind, "400d", at - 400 * DAY)], actor="Ana"))
    hand.see({"a": {"box": 0}, "b": {"box": -1}}, at)

"""Reconciling two populations by a key: who is in both, in one alone, twice, or without a key. Pure arithmetic.

Each item of either side has exactly one place, so that the counts of a side add up to its items.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from collector.errors import QueryError
from collector.model import Json

NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "lower": str.casefold,
    "trim": str.strip,
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "digits": lambda text: "".join(each for each in text if each.isdigit()),
}
"""What may be done to keys before they are compared, by name."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """An item of one side: its *name*, and the *value* of its key (None: it has none); *out* when it was not asked."""

    name: str
    value: str | None
    out: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """The items of both sides with one key *value*."""

    value: str
    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """One side in numbers: ``items = matched + only + duplicates + without_key + left_out``."""

    items: int
    matched: int
    only: int
    duplicates: int
    without_key: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How two populations compare.

    A key that one side has more than once is a duplicate, of all items that bear it on either side: which belongs to
    which is for people to tell. Everything is in the order of keys, *without_key* in that of names.
    """

    matched: tuple[Together, ...]
    only_left: tuple[Together, ...]
    only_right: tuple[Together, ...]
    duplicates: tuple[Together, ...]
    without_key_left: tuple[str, ...]
    without_key_right: tuple[str, ...]
    left: Counts
    right: Counts

    @property
    def agree(self) -> bool:
        """Return whether every item of either side that was asked about has exactly one counterpart."""
        return self.left.items - self.left.left_out == self.right.items - self.right.left_out == len(self.matched)


def normaliser(names: str) -> Callable[[str], str]:
    """Return what *names* (``lower,trim``; may be empty) do to a key, one after the other.

    Raises `QueryError` for an unknown one.
    """
    chosen = [each.strip() for each in names.split(",") if each.strip()]
    for name in chosen:
        if name not in NORMALISERS:
            raise QueryError(f"keys cannot be normalised by {name!r}", hint=f"There are: {', '.join(NORMALISERS)}.")

    def normalise(text: str) -> str:
        for name in chosen:
            text = NORMALISERS[name](text)
        return text

    return normalise


def key_value(value: Json, normalise: Callable[[str], str]) -> str | None:
    """Return the key that *value* is, normalised; None for what is no text and no number, or is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return normalise(str(value)) or None


def reconcile(left: Iterable[Keyed], right: Iterable[Keyed]) -> Reconciliation:
    """Return how *left* and *right* compare; items may come in any order."""
    sides = [_Side(left), _Side(right)]
    together = [
        Together(value, *(tuple(sorted(side.by_value.get(value, ()))) for side in sides))
        for value in sorted(sides[0].by_value.keys() | sides[1].by_value.keys())
    ]
    twice = [each for each in together if len(each.left) > 1 or len(each.right) > 1]
    single = [each for each in together if len(each.left) <= 1 and len(each.right) <= 1]
    matched = [each for each in single if each.left and each.right]
    only_left = [each for each in single if not each.right]
    only_right = [each for each in single if not each.left]
    return Reconciliation(
        tuple(matched),
        tuple(only_left),
        tuple(only_right),
        tuple(twice),
        tuple(sorted(sides[0].without)),
        tuple(sorted(sides[1].without)),
        sides[0].counts(len(matched), len(only_left), sum(len(each.left) for each in twice)),
        sides[1].counts(len(matched), len(only_right), sum(len(each.right) for each in twice)),
    )


class _Side:
    def __init__(self, items: Iterable[Keyed]) -> None:
        self.by_value: dict[str, list[str]] = {}
        self.without: list[str] = []
        self._items = self._out = 0
        for item in items:
            self._items += 1
            if item.out:
                self._out += 1
            elif item.value is None:
                self.without.append(item.name)
            else:
                self.by_value.setdefault(item.value, []).append(item.name)

    def counts(self, matched: int, only: int, duplicates: int) -> Counts:
        return Counts(self._items, matched, only, duplicates, len(self.without), self._out)

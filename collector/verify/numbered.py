"""What must be at hand while everything streams by: names by number, in some 40 bytes each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Protocol

from collector.store.evidence import Row

_BYTES = 32


class Names(Protocol):
    """32-byte names by number, at hand or looked up."""

    def get(self, number: int | None) -> bytes | None:
        """Return the name under *number*, or None."""


class Numbered:
    """32-byte names by number; numbers are added in ascending order."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._names = bytearray()

    def add(self, number: int, name: bytes) -> None:
        """Keep *name* under *number*. Raises ValueError for a name that is not of 32 bytes."""
        if len(name) != _BYTES:
            raise ValueError(f"{len(name)} bytes are not a SHA-256")
        self._numbers.append(number)
        self._names += name

    def get(self, number: int | None) -> bytes | None:
        """Return the name under *number*, or None."""
        at = self.place(number)
        return None if at is None else bytes(self._names[at * _BYTES : (at + 1) * _BYTES])

    def place(self, number: int | None) -> int | None:
        """Return which of the numbers *number* is, from 0, or None."""
        if number is None:
            return None
        at = bisect_left(self._numbers, number)
        return at if at < len(self._numbers) and self._numbers[at] == number else None

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers."""
        return iter(self._numbers)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._numbers)


class Grouped:
    """A stream of rows in the order of the columns *key*, taken group by group in about that order.

    What is passed over waits, so that a group asked for late is found; what nobody took is `left`.
    """

    def __init__(self, rows: Iterator[Row], *key: str) -> None:
        self._rows = rows
        self._key = itemgetter(*key)
        self._next = next(rows, None)
        self._waiting: dict[Any, list[Row]] = {}

    def take(self, *key: int) -> Sequence[Row]:
        """Return the rows whose columns are *key*; none the second time."""
        wanted = key if len(key) > 1 else key[0]
        while self._next is not None and (found := self._key(self._next)) <= wanted:
            self._waiting.setdefault(found, []).append(self._next)
            self._next = next(self._rows, None)
        return self._waiting.pop(wanted, ())

    def left(self) -> Iterator[Row]:
        """Yield every row that was not taken."""
        for rows in self._waiting.values():
            yield from rows
        if self._next is not None:
            yield self._next
        yield from self._rows

"""Populations made again from the change rows: roots and counts of every state, and the intervals projected from them.

Memory is that of the largest population, not that of the history.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby

from collector.store.evidence import Evidence, Row
from collector.verify.dictionaries import Dictionaries, ItemNames, Items
from collector.verify.differences import Differences
from collector.verify.numbered import Grouped, Names, Numbered

Step = tuple[bytes, bytes | None]
"""An item's key digest and its new artifact; None when it is gone."""


class PopulationTree:
    """The Merkle tree over (key digest, artifact digest) in key order, kept while the population changes."""

    def __init__(self) -> None:
        self._leaves: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []
        self._levels: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._leaves)

    @property
    def root(self) -> bytes:
        """The root, as `canonical.population_root` gives it."""
        return self._levels[-1][0] if self._leaves else sha256(b"").digest()

    def apply(self, steps: Iterable[Step]) -> None:
        """Take the population to its next state."""
        touched: list[bytes] = []
        moved = False
        for key, artifact in steps:
            touched.append(key)
            there = key in self._leaves
            if artifact is None:
                self._leaves.pop(key, None)
            else:
                self._leaves[key] = sha256(b"\x00" + key + artifact).digest()
            moved = moved or there != (artifact is not None)
        if moved:
            first = bisect_left(self._keys, min(touched))
            self._keys = sorted(self._leaves)
            self._levels[0][first:] = [self._leaves[key] for key in self._keys[first:]]
            self._climb(lambda level: range(first >> level, len(self._levels[level])))
        else:
            places = {bisect_left(self._keys, key) for key in touched if key in self._leaves}
            for place in places:
                self._levels[0][place] = self._leaves[self._keys[place]]
            self._climb(lambda level: {place >> level for place in places})

    def _climb(self, changed: Callable[[int], Iterable[int]]) -> None:
        level = 0
        while len(self._levels[level]) > 1:
            below, level = self._levels[level], level + 1
            if level == len(self._levels):
                self._levels.append([])
            here, size = self._levels[level], (len(below) + 1) // 2
            del here[size:]
            here.extend([b""] * (size - len(here)))
            for place in changed(level):
                pair = below[2 * place : 2 * place + 2]
                here[place] = sha256(b"\x01" + pair[0] + pair[1]).digest() if len(pair) > 1 else pair[0]
        del self._levels[level + 1 :]


def check_states(
    evidence: Evidence, contents: Numbered, items: Items, known: Dictionaries, differences: Differences
) -> None:
    """Compare the count and root of every state of a population with those that its changes make.

    Of an event kind, a state's root is over the items of one window: the sweep's leaf commits to it.
    """
    steps = Grouped(evidence.changes_by_subject(), "subject", "state")
    states = evidence.rows("population_state", "subject", "id")
    for number, group in groupby(states, key=lambda row: row["subject"]):
        tree, before = PopulationTree(), None
        for state in group:
            with differences.at("population_state", state["id"]):
                known.subject(number)
                tree.apply(_steps(steps.take(number, state["id"]), contents, items, number))
                _check_state(state, tree, before)
            before = state
    for row in steps.left():
        differences.add("change", f"{row['state']}/{row['item']}", "its state is not there")


def _check_state(state: Row, tree: PopulationTree, before: Row | None) -> None:
    if before and (state["at"] < before["at"] or state["sweep"] < before["sweep"]):
        raise ValueError(f"it is dated before state {before['id']}, which it follows")
    if state["since"] is not None:
        return
    if len(tree) != state["count"]:
        raise ValueError(f"its changes make {len(tree)} items, not {state['count']}")
    if tree.root != state["root"]:
        raise ValueError("its root is not that of the items that its changes make")


def _steps(rows: Sequence[Row], contents: Numbered, items: Items, subject: int) -> list[Step]:
    return [(key_of(row, items, subject), artifact_of(row, contents)) for row in rows]


def key_of(row: Row, items: ItemNames, subject: int) -> bytes:
    """Return the key digest of the item that a `change` row names. Raises ValueError unless it is the subject's."""
    key = items.keys.get(row["item"])
    if key is None:
        raise ValueError(f"it changes item {row['item']}, which is not there")
    if items.subject(row["item"]) != subject:
        raise ValueError(f"it changes item {row['item']}, which is of subject {items.subject(row['item'])}")
    return key


def artifact_of(row: Row, contents: Names) -> bytes | None:
    """Return the digest of the artifact that a `change` row names, None when the item is gone. Raises ValueError."""
    name = contents.get(row["artifact"])
    if name is None and row["artifact"] is not None:
        raise ValueError(f"an item becomes artifact {row['artifact']}, which is not there")
    return name


def check_items(evidence: Evidence, items: Items, differences: Differences) -> None:
    """Follow every item through its changes, and compare the intervals that they make with the projection."""
    versions = Grouped(_counted(evidence.rows("item_version", "item", "state"), differences, "item_version"), "item")
    changes = _counted(evidence.changes_by_item(), differences, "change")
    unseen = _Unseen(items.keys, differences)
    for number, group in groupby(changes, key=lambda row: row["item"]):
        unseen.pass_by(number)
        made = list(_intervals(group, differences))
        stored = versions.take(number)
        if [_plain(row) for row in stored] != made:
            _compare(number, made, stored, differences)
    unseen.pass_by(None)
    for row in versions.left():
        differences.add("item_version", _name(row), "no change made it")


class _Unseen:
    """Goes along the items in order and notes those that no change names."""

    def __init__(self, numbers: Iterable[int], differences: Differences) -> None:
        self._numbers = iter(numbers)
        self._differences = differences
        self._next = next(self._numbers, None)

    def pass_by(self, upto: int | None) -> None:
        while self._next is not None and (upto is None or self._next <= upto):
            if self._next != upto:
                self._differences.add("item", self._next, "no change names it")
            self._next = next(self._numbers, None)


Interval = tuple[int, int, int, int | None, int]  # subject, state, since, until, artifact


def _intervals(changes: Iterable[Row], differences: Differences) -> Iterator[Interval]:
    was: int | None = None
    opened: tuple[int, int, int] | None = None
    for row in changes:
        if row["before"] != was:
            said = "it was not there" if was is None else f"it was artifact {was}"
            differences.add("change", f"{row['state']}/{row['item']}", f"before it, {said}, not {row['before']}")
        if row["subject"] is None:
            differences.add("change", f"{row['state']}/{row['item']}", "its state is not there")
            continue
        if opened is not None and was is not None:
            yield (*opened, row["at"], was)
        was = row["artifact"]
        opened = (row["subject"], row["state"], row["at"])
    if opened is not None and was is not None:
        yield (*opened, None, was)


def _plain(row: Row) -> Interval:
    return row["subject"], row["state"], row["since"], row["until"], row["artifact"]


def _name(row: Row) -> str:
    return f"{row['subject']}/{row['item']}/{row['state']}"


def _compare(item: int, made: Sequence[Interval], stored: Sequence[Row], differences: Differences) -> None:
    expected = {each[1]: each for each in made}
    for row in stored:
        interval = expected.pop(row["state"], None)
        if interval is None:
            differences.add("item_version", _name(row), "no change made it")
        elif interval != _plain(row):
            differences.add("item_version", _name(row), "it is not the interval that the changes make")
    for subject, state, *_ in expected.values():
        differences.add("item_version", f"{subject}/{item}/{state}", "the changes make it, and it is not there")


def _counted(rows: Iterable[Row], differences: Differences, table: str) -> Iterator[Row]:
    for row in rows:
        differences.rows[table] += 1
        yield row

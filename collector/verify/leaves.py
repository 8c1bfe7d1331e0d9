"""Every leaf against its row and every row against its leaf, in the order of the log: nothing extra, nothing absent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

from collector.clock import from_ms, iso
from collector.errors import IntegrityError
from collector.log import tree
from collector.log.leaf import LeafContent, LeafKind, decode_leaf
from collector.log.packing import unpack_leaf
from collector.model import Json
from collector.store.evidence import Evidence, Row, leaf_tables, row_key
from collector.verify.commitments import Commitments
from collector.verify.dictionaries import GAPLESS
from collector.verify.differences import Differences, Verdict

WITHOUT_ROW = frozenset({LeafKind.GENESIS, LeafKind.VERIFY})
_PLACE = re.compile(r"log (leaf|nodes?|head)(?: of level)? ?([^ :]*)[^:]*: (.*)", re.DOTALL)
_TABLES = {"leaf": "log_leaf", "node": "log_node", "nodes": "log_node", "head": "log_head"}


@dataclass(frozen=True, slots=True)
class Claim:
    """That the first *size* leaves have *root*, as row *row* of *table* says."""

    table: str
    row: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row and the leaf that it names."""

    leaf: int
    table: str
    row: Row


def check_tree(evidence: Evidence, differences: Differences) -> None:
    """Recompute the tree. The first place in which it differs is noted, unless something was noted there already."""
    for head in evidence.rows("log_head"):
        differences.rows["log_head"] += 1
        if head["id"] != 1:
            differences.add("log_head", head["id"], "it is not the one row of the head")
    differences.rows["log_node"] += sum(1 for _ in evidence.rows("log_node"))
    try:
        evidence.check_log()
    except IntegrityError as error:
        found = _PLACE.fullmatch(error.message)
        table, row, what = (_TABLES[found[1]], found[2], found[3]) if found else ("log_head", "1", error.message)
        if not any((each.table, each.row) == (table, row) for each in differences.found):
            differences.add(table, row, what)


def check_leaves(
    evidence: Evidence,
    commitments: Commitments,
    claims: Sequence[Claim],
    differences: Differences,
) -> None:
    """Compare each leaf with the row that it commits to, and *claims* about earlier roots with the leaves."""
    roots = _Roots(claims, differences)
    rows = _Ahead(
        merge(*(_placed(evidence, table, differences) for table in leaf_tables()), key=lambda each: each.leaf)
    )
    before: LeafContent | None = None
    for row in evidence.rows("log_leaf"):
        differences.rows["log_leaf"] += 1
        index = row["idx"]
        mine = rows.upto(index, differences)
        with differences.at("log_leaf", index):
            content = decode_leaf(roots.add(row["bytes"]))
            _compare_columns(row, content)
            _compare_times(index, content, before, differences)
            before = content
            _require_verified(index, content, evidence)
            _compare(index, content, mine, commitments, differences)
    for extra in rows.left():
        differences.add(extra.table, row_key(extra.table, extra.row), f"it names leaf {extra.leaf}, which is not there")
    roots.close()
    commitments.left()


def _placed(evidence: Evidence, table: str, differences: Differences) -> Iterator[_Placed]:
    number, last = GAPLESS.get(table), 0
    for row in evidence.rows(table, "leaf"):
        differences.rows[table] += 1
        if number is not None:
            if row[number] != last + 1:
                said = f"{number} {row[number]} comes after {last} in the log: a row is not in place"
                differences.add(table, row_key(table, row), said)
            last = row[number]
        yield _Placed(row["leaf"], table, row)


class _Ahead:
    """The rows in the order of the leaves that they name."""

    def __init__(self, rows: Iterator[_Placed]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def upto(self, index: int, differences: Differences) -> list[_Placed]:
        """Return the rows that name leaf *index*; those that name an earlier one had none to name."""
        mine = []
        while self._next is not None and self._next.leaf <= index:
            each = self._next
            if each.leaf == index:
                mine.append(each)
            else:
                name = row_key(each.table, each.row)
                differences.add(each.table, name, f"it names leaf {each.leaf}, which is not there")
            self._next = next(self._rows, None)
        return mine

    def left(self) -> Iterator[_Placed]:
        """Yield the rows that name leaves after the last."""
        if self._next is not None:
            yield self._next
        yield from self._rows


def _compare(
    index: int, content: LeafContent, rows: Sequence[_Placed], commitments: Commitments, differences: Differences
) -> None:
    if content.kind in WITHOUT_ROW:
        for each in rows:
            differences.add(each.table, row_key(each.table, each.row), f"it names leaf {index}, which is of no row")
        return
    if not rows:
        differences.add("log_leaf", index, f"the row that it commits to is not there ({_brief(content)})")
    for number, each in enumerate(rows):
        name = row_key(each.table, each.row)
        with differences.at(each.table, name):
            kind, said = commitments.of(each.table, each.row)
            if number:
                differences.add(each.table, name, f"leaf {index} is another row's already")
            _compare_said(index, content, each, (kind, said), differences)


_SINCE = {LeafKind.TOMBSTONE: "erased"}


def _compare_said(
    index: int, content: LeafContent, placed: _Placed, made: tuple[LeafKind, dict[str, Json]], differences: Differences
) -> None:
    kind, said = made
    # Leaves of an early version say less; that they do is itself in the log, so nobody can make a later one say less.
    said = {each: value for each, value in said.items() if each in content.payload or each != _SINCE.get(kind)}
    name = row_key(placed.table, placed.row)
    at = placed.row["recorded"] if "recorded" in placed.row else placed.row["at"]
    wrong = [
        each for each in sorted(said.keys() | content.payload.keys()) if said.get(each) != content.payload.get(each)
    ]
    wrong += ["kind"] if kind is not content.kind else []
    wrong += ["at"] if at != content.at_ms else []
    if wrong:
        differences.add(placed.table, name, f"leaf {index} says otherwise: {', '.join(wrong)}")


def _compare_columns(row: Row, content: LeafContent) -> None:
    if row["kind"] != content.kind.value or row["at"] != content.at_ms:
        raise ValueError(
            f"its columns say {row['kind']} at {row['at']}, its bytes {content.kind.value} at {content.at_ms}"
        )
    if (content.kind is LeafKind.GENESIS) != (row["idx"] == 0):
        raise ValueError(f"a {content.kind.value} leaf cannot stand here")


def _compare_times(index: int, content: LeafContent, before: LeafContent | None, differences: Differences) -> None:
    if before is not None and content.at_ms < before.at_ms:
        behind = iso(from_ms(content.at_ms)), iso(from_ms(before.at_ms))
        differences.remark(f"leaf {index} is of {behind[0]}, the one before it of {behind[1]}: the clock was set back")


def _require_verified(index: int, content: LeafContent, evidence: Evidence) -> None:
    """Raise ValueError when a `verify` leaf says of an intact log what the log never was."""
    said = content.payload
    if content.kind is not LeafKind.VERIFY or said["verdict"] != Verdict.INTACT.value:
        return
    if not 0 <= said["size"] <= index or evidence.root_at(said["size"]).hex() != said["root"]:
        raise ValueError(f"it says that {said['size']} leaves with another root were verified")


def _brief(content: LeafContent) -> str:
    number = next((f" {value}" for name, value in content.payload.items() if name == content.kind.value), "")
    return f"{content.kind.value}{number}"


class _Roots:
    """The roots that the log had, for whoever claimed one."""

    def __init__(self, claims: Sequence[Claim], differences: Differences) -> None:
        self._claims = sorted(claims, key=lambda each: each.size)
        self._differences = differences
        self._size = 0
        self._peaks: list[bytes] = []
        self._settle()

    def add(self, stored: bytes) -> bytes:
        """Take the next leaf as *stored*, and return its bytes. Raises `IntegrityError`, as `unpack_leaf`."""
        data = stored
        try:
            data = unpack_leaf(stored)
        finally:  # what cannot be unpacked stands here all the same, and has another root
            if self._claims:  # without one the roots are nobody's; the head's own is `check_tree`'s
                _, self._peaks = tree.append(self._size, self._peaks, tree.leaf_hash(data))
            self._size += 1
            self._settle()
        return data

    def close(self) -> None:
        """Note the claims about leaves that are not there."""
        for each in self._claims:
            self._differences.add(each.table, each.row, f"it covers {each.size} leaves; the log has {self._size}")

    def _settle(self) -> None:
        while self._claims and self._claims[0].size <= self._size:
            each = self._claims.pop(0)
            if each.size == self._size and each.root != tree.root(self._peaks):
                self._differences.add(each.table, each.row, f"it has another root for the first {each.size} leaves")

"""Time stamps: every stored token against the note that it is over, and every leaf against the times that they prove.

A token says that its checkpoint was there at a time that neither we nor the database's administrator chose. So whatever
the checkpoint covers is no newer; and whatever comes after the token in the log is no older.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from collector.clock import from_ms, iso
from collector.errors import ConfigError, IntegrityError
from collector.store.evidence import Evidence, Row, row_key
from collector.tokens import CLOCKS_APART, Roots, read_token, token_trouble, untimely
from collector.verify.differences import Differences


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose time stamps are believed: those signed under the roots of their own authority, or under any of *roots*."""

    authorities: Mapping[str, Roots] = field(default_factory=dict)
    roots: tuple[Roots, ...] = ()

    def of(self, authority: str) -> list[Roots]:
        """Return the roots that the tokens of *authority* may be signed under."""
        own = self.authorities.get(authority)
        return [*self.roots, own] if own else list(self.roots)


NOBODY = Trust()
UNKNOWN = "no root certificate of it is known here"


@dataclass(frozen=True, slots=True)
class Stamped:
    """What became of the *tokens* (how many) of an *authority*: how many are *trusted*, signed as is known here.

    *why* tells why not all of them are: no roots are known, or openssl was needed and is not there.
    """

    authority: str
    tokens: int
    trusted: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """That *authority* stamped the head *at*, by its clock; *trusted* when it is signed under a root that is known."""

    authority: str
    at: datetime
    trusted: bool


@dataclass(frozen=True, slots=True)
class Proven:
    """That the first *size* leaves were there *at* that time, as a token in *row* says, recorded by leaf *leaf*."""

    row: str
    size: int
    leaf: int
    at: datetime


class Times:
    """Between which times a leaf can have been recorded, by what was *proven*; both ends open where nothing was."""

    def __init__(self, proven: Iterable[Proven]) -> None:
        by_leaf = sorted(proven, key=lambda each: each.leaf)
        by_size = sorted(by_leaf, key=lambda each: each.size)
        self._leaves = [each.leaf for each in by_leaf]
        self._latest = list(accumulate(by_leaf, _later))
        self._sizes = [each.size for each in by_size]
        self._soonest = list(accumulate(reversed(by_size), _sooner))[::-1]

    def trouble(self, index: int, at: datetime) -> tuple[str, str] | None:
        """Return the row of the token by which leaf *index* cannot be of the time *at*, and why; None when it can."""
        before = bisect_left(self._leaves, index)
        if before and at < self._latest[before - 1].at - CLOCKS_APART:
            known = self._latest[before - 1]
            return known.row, f"leaf {index} is of {iso(at)}, and comes after this token, of {iso(known.at)}"
        covered = bisect_right(self._sizes, index)
        if covered < len(self._sizes) and at > self._soonest[covered].at + CLOCKS_APART:
            known = self._soonest[covered]
            return known.row, f"leaf {index} is of {iso(at)}, and what covers it was stamped at {iso(known.at)}"
        return None


def _later(one: Proven, two: Proven) -> Proven:
    return two if two.at > one.at else one


def _sooner(one: Proven, two: Proven) -> Proven:
    return two if two.at < one.at else one


def check_tokens(evidence: Evidence, trust: Trust, differences: Differences) -> tuple[Stamped, ...]:
    """Compare every token with its note and its time; return what became of them, by authority.

    One whose authority *trust* knows no root of is read, and not trusted.
    """
    found: dict[str, Stamped] = {}
    proven: list[Proven] = []
    for row in evidence.rows("checkpoint_token", "leaf"):
        name = row["authority"]
        roots = trust.of(name)
        before = found.get(name, Stamped(name, 0, 0, "" if roots else UNKNOWN))
        why = before.why
        said: list[Proven] = []
        try:
            with differences.at("checkpoint_token", row_key("checkpoint_token", row)):
                said = [_proven(evidence, row, roots)]
        except _Unread as error:
            why = str(error)
        counts = said if roots else []
        found[name] = Stamped(name, before.tokens + 1, before.trusted + len(counts), why)
        proven += counts
    if proven:
        _compare_leaves(evidence, Times(proven), differences)
    return tuple(found[name] for name in sorted(found))


def read_stamp(authority: str, data: bytes, note: bytes, leaf_at: datetime, trust: Trust) -> Stamp:
    """Return what the token *data* of *authority* says of *note*, a head over a leaf that says it is of *leaf_at*.

    Raises `IntegrityError` when it does not hold, `ConfigError` when it takes openssl to read it and there is none.
    """
    roots, token = trust.of(authority), read_token(data)
    trouble = token_trouble(token, note, roots)
    if trouble or token is None:
        raise IntegrityError(f"the token of {authority} does not hold: {trouble}")
    if leaf_at > token.at + CLOCKS_APART:
        said = f"the leaf is of {iso(leaf_at)}, and {authority} saw its head at {iso(token.at)}"
        raise IntegrityError(f"its times contradict each other: {said}")
    return Stamp(authority, token.at, bool(roots))


class _Unread(Exception):
    """What it takes to read the token is not there; that says nothing of the token."""


def _proven(evidence: Evidence, row: Row, roots: Sequence[Roots]) -> Proven:
    """Return what the token in *row* proves. Raises `IntegrityError` when none, `_Unread` when nobody can tell."""
    checkpoint = evidence.one("checkpoint", id=row["checkpoint"])
    if checkpoint is None:
        raise IntegrityError(f"it is of checkpoint {row['checkpoint']}, which is not there")
    try:
        token = read_token(row["token"])
        trouble = token_trouble(token, checkpoint["note"], roots)
    except ConfigError as error:
        raise _Unread(error.message) from error
    if trouble or token is None:
        raise IntegrityError(trouble)
    if late := untimely(token, from_ms(checkpoint["at"]), from_ms(row["at"])):
        raise IntegrityError(late)
    return Proven(row_key("checkpoint_token", row), checkpoint["size"], row["leaf"], token.at)


def _compare_leaves(evidence: Evidence, times: Times, differences: Differences) -> None:
    for row in evidence.rows("log_leaf"):
        with differences.at("log_leaf", row["idx"]):
            if trouble := times.trouble(row["idx"], from_ms(row["at"])):
                differences.add("checkpoint_token", *trouble)

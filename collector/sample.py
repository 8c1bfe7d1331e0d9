"""Samples: which items or dates of a frozen population an examiner looks at. Pure, and reproducible by anybody.

Every draw is decided by SHA-256 over a stated seed and an item's id, as docs/samples.md specifies: there is no random
number generator whose version would matter, and nobody can steer the draw once seed and population are stated.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from collector.errors import QueryError


class Method(StrEnum):
    """How a sample is drawn."""

    RANDOM = "random"
    SYSTEMATIC = "systematic"
    STRATIFIED = "stratified"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum: its *name*, how many it has, and how many of them are drawn."""

    name: str
    of: int
    drawn: int


EVERY = ("daily", "weekly", "monthly")
_SIZE = re.compile(r"(\d{1,9})(%?)")
_WHOLE = 100


def rank(seed: str, name: str) -> str:
    """Return the hex SHA-256 over *seed*, a NUL and *name*, all UTF-8: what is drawn first has the lowest."""
    return hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest()


def checked_seed(seed: str) -> str:
    """Return *seed*. Raises `QueryError` for one that is empty, or that others could not type again."""
    if not seed.strip() or seed != seed.strip() or not seed.isprintable():
        raise QueryError(
            f"a seed is text that others can type again, not {seed!r}",
            hint="Agree on one in public beforehand: a date and a headline, a lottery draw.",
        )
    return seed


def size_of(text: str, among: int) -> int:
    """Return how many *text* asks for of *among*: a number, or a share like ``10%`` (rounded up).

    Raises `QueryError` for anything else.
    """
    found = _SIZE.fullmatch(text.strip())
    number = int(found[1]) if found else 0
    if not found or not number or (found[2] and number > _WHOLE):
        raise QueryError(f"{text!r} is no size of a sample", hint="Write a number, 25, or a share, 10%.")
    return -(-among * number // _WHOLE) if found[2] else number


def random_sample(ids: Iterable[str], size: int, seed: str) -> list[str]:
    """Return the *size* of *ids* with the lowest ranks, lowest first; all of them when there are no more."""
    lowest = heapq.nsmallest(size, ((rank(seed, each), each) for each in ids))
    return [each for _, each in lowest]


def systematic_sample(ordered: Sequence[str], size: int, seed: str) -> list[str]:
    """Return *size* of *ordered*, at even distances from a start that the seed decides, in their order.

    Of N ids, the i-th drawn (from 0) is at ``(r + i * N) // size``, where r is the rank of ``start`` modulo N.
    """
    among, size = len(ordered), min(size, len(ordered))
    if not size:
        return []
    start = int(rank(seed, "start"), 16) % among
    return [ordered[(start + number * among) // size] for number in range(size)]


def allotment(sizes: Mapping[str, int], size: int, minimum: int) -> list[Stratum]:
    """Return how many are drawn of each stratum, by name; *sizes* says how many it has.

    Each gets *minimum* (or all it has); the rest goes by what is left in each, proportionally, by largest remainder (of
    equal ones the larger stratum, then the name). Raises `QueryError` when the minima alone are more than *size*.
    """
    given = {name: min(minimum, of) for name, of in sizes.items()}
    rest = min(size, sum(sizes.values())) - sum(given.values())
    if rest < 0:
        raise QueryError(
            f"{len(sizes)} strata with at least {minimum} of each are more than {size}",
            hint="Draw more, or lower the minimum.",
        )
    left = {name: of - given[name] for name, of in sizes.items()}
    among = sum(left.values()) or 1
    shares = {name: divmod(rest * of, among) for name, of in left.items()}
    over = rest - sum(share for share, _ in shares.values())
    by_remainder = sorted(sizes, key=lambda name: (-shares[name][1], -sizes[name], name))
    extra = set(by_remainder[:over])
    return [Stratum(name, sizes[name], given[name] + shares[name][0] + (name in extra)) for name in sorted(sizes)]


def stratified_sample(
    strata: Iterable[tuple[str, str]], size: int, seed: str, minimum: int = 1
) -> tuple[list[str], list[Stratum]]:
    """Return *size* of the ids in *strata* (id, stratum), and how they were allotted.

    By stratum, and in each the lowest ranks, lowest first. Raises `QueryError` as `allotment`.
    """
    labelled = list(strata)
    made = allotment(Counter(name for _, name in labelled), size, minimum)
    ids: dict[str, list[str]] = {each.name: [] for each in made}
    for each, name in labelled:
        ids[name].append(each)
    return [each for stratum in made for each in random_sample(ids[stratum.name], stratum.drawn, seed)], made


def date_label(day: str, every: str) -> str:
    """Return what *day* (ISO) belongs to: itself, its ISO week (``2026-W11``) or its month (``2026-03``).

    Raises `QueryError` when *every* is none of daily, weekly, monthly.
    """
    if every == "daily":
        return day
    if every == "weekly":
        year, week, _ = date.fromisoformat(day).isocalendar()
        return f"{year}-W{week:02}"
    if every == "monthly":
        return day[:7]
    raise QueryError(f"dates are drawn daily, weekly or monthly, not {every!r}")


def dates_sample(days: Iterable[str], every: str, size: int, seed: str) -> list[str]:
    """Return *size* of the days, weeks or months (*every*) that have one of *days*, in their order."""
    labels = {date_label(day, every) for day in days}
    return sorted(random_sample(labels, size, seed))

"""How records and lengths are put into words, the same in commands, pages and files. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from collector.model import Detail, Outcome, Reason


class _Outcome(Protocol):
    @property
    def outcome(self) -> Outcome: ...
    @property
    def detail(self) -> Detail | None: ...
    @property
    def reason(self) -> Reason | None: ...


def came_of(record: _Outcome) -> str:
    """Return the outcome of a run or slot in a word or two: ``unchanged``, ``failed: denied``, ``missed``."""
    if record.outcome is Outcome.COLLECTED:
        return str(record.detail or record.outcome)
    return f"{record.outcome}: {record.reason}" if record.reason else str(record.outcome)


def span(length: timedelta | None) -> str:
    """Return *length* as people say it, in its two largest units: ``2 d 3 h``, ``5 min``, ``0.2 s``; ``-`` for None."""
    if length is None:
        return "-"
    seconds = abs(length).total_seconds()
    sign = "-" if length < timedelta() else ""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds the tenths matter
        return f"{sign}{seconds:.1f} s"
    left = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return sign + " ".join(parts[:2])

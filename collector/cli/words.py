"""How records are put into words, the same in every command."""

from __future__ import annotations

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

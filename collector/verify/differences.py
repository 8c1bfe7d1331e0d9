"""What a verification comes to: differences, each at its place, and a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from collector.errors import EvidencedError

_MOST = 1000


class Verdict(StrEnum):
    """Whether everything that was compared agrees."""

    INTACT = "intact"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """*what* does not agree with the rest of the evidence, in *row* (its primary key) of *table*."""

    table: str
    row: str
    what: str


@dataclass
class Differences:
    """Differences as they are found: the first thousand by name, all of them by *count*.

    *remarks* are what a reader should know and what alters nothing, such as a clock that was set back.
    """

    found: list[Difference] = field(default_factory=list)
    count: int = 0
    remarks: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, table: str, row: object, what: str) -> None:
        """Note that *what* differs in *row* of *table*."""
        self.count += 1
        if len(self.found) < _MOST:
            self.found.append(Difference(table, str(row), what))

    def remark(self, text: str) -> None:
        """Note *text*; it alters nothing."""
        if len(self.remarks) < _MOST:
            self.remarks.append(text)

    @contextmanager
    def at(self, table: str, row: object) -> Iterator[None]:
        """Note what is raised over contents that cannot be read as a difference of *row* of *table*."""
        try:
            yield
        except (EvidencedError, ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError) as error:
            said = error.message if isinstance(error, EvidencedError) else f"{type(error).__name__}: {error}"
            self.add(table, row, said)

    @property
    def verdict(self) -> Verdict:
        """Altered as soon as there is one difference."""
        return Verdict.ALTERED if self.count else Verdict.INTACT

"""A period as a calendar of weeks: a cell for each day that shows how it went, by colour and by shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.platypus import Flowable

from collector.export.days import Level, Week
from collector.export.pdf import BAD, GOOD, INK, LINE, MUTED, PAPER, PLAIN, QUIET, SOME, WIDTH

WEEKS = 53
_DAYS = ("Mon", "", "Wed", "", "Fri", "", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LEFT, _TOP = 22.0, 11.0
_FILLS = {Level.NONE: PAPER, Level.FULL: GOOD, Level.PART: SOME, Level.LOST: BAD, Level.EXCLUDED: QUIET}


class Strip(Flowable):
    """At most `WEEKS` *several* weeks, side by side."""

    def __init__(self, several: Sequence[Week]) -> None:
        super().__init__()
        self._weeks = several
        self._cell = (WIDTH - _LEFT) / WEEKS

    def wrap(self, width: float, _: float) -> tuple[float, float]:
        """See `Flowable.wrap`."""
        return width, _TOP + 7 * self._cell + 4

    def draw(self) -> None:
        """See `Flowable.draw`."""
        self.canv.setLineWidth(0.4)
        self.canv.setFont(PLAIN, 5.5)
        self.canv.setFillColor(MUTED)
        for row, name in enumerate(_DAYS):
            self.canv.drawString(0, self._bottom(row) + 2, name)
        before, at = 0, 0.0
        for column, week in enumerate(self._weeks):
            x = _LEFT + column * self._cell
            last = week.days[-1][0]
            if last.month != before and x >= at:
                self.canv.setFillColor(MUTED)
                year = f" {last.year}" if not before or last.month == 1 else ""
                self.canv.drawString(x, 7 * self._cell + 5, f"{_MONTHS[last.month - 1]}{year}")
                before, at = last.month, x + (36 if year else 18)
            for day, level in week.days:
                cell(self.canv, x, self._bottom(day.weekday()), self._cell - 1.3, level)

    def _bottom(self, row: int) -> float:
        return (6 - row) * self._cell + 1


class Legend(Flowable):
    """What each kind of cell means."""

    def wrap(self, width: float, _: float) -> tuple[float, float]:
        """See `Flowable.wrap`."""
        return width, 12

    def draw(self) -> None:
        """See `Flowable.draw`."""
        x = _LEFT
        for level in Level:
            cell(self.canv, x, 2, 7, level)
            self.canv.setFillColor(INK)
            self.canv.setFont(PLAIN, 6.5)
            self.canv.drawString(x + 10, 3, level.value)
            x += 22 + self.canv.stringWidth(level.value, PLAIN, 6.5)


def cell(draw: Any, x: float, y: float, size: float, level: Level) -> None:
    """Draw how a day went, at the left and bottom edges *x*, *y*. In grey the shape alone tells."""
    draw.setLineWidth(0.4)
    draw.setStrokeColor(LINE)
    draw.setFillColor(_FILLS[level])
    draw.rect(x, y, size, size, stroke=level is Level.NONE, fill=1)
    draw.setFillColor(PAPER)
    draw.setStrokeColor(PAPER)
    draw.setLineWidth(0.9)
    if level is Level.PART:
        path = draw.beginPath()
        path.moveTo(x, y + size)
        path.lineTo(x + size * 0.62, y + size)
        path.lineTo(x, y + size * 0.38)
        path.close()
        draw.drawPath(path, stroke=0, fill=1)
    elif level is Level.LOST:
        draw.line(x + size * 0.25, y + size * 0.25, x + size * 0.75, y + size * 0.75)
        draw.line(x + size * 0.25, y + size * 0.75, x + size * 0.75, y + size * 0.25)
    elif level is Level.EXCLUDED:
        draw.line(x + size * 0.2, y + size * 0.5, x + size * 0.8, y + size * 0.5)

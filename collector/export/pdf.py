"""PDFs: pages with a head and "n of m" at the foot, tables, pairs, a calendar; the same content gives the same bytes.

The font is embedded, so that a page looks the same everywhere. It knows Latin letters of every language, Greek and
Cyrillic ones; whatever it cannot show is written as an escape, like what nobody can see: nothing is dropped. No text is
taken for markup.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from font_source_sans_pro import font_files_ttf
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from collector import __version__
from collector.export.verifier import shown

INK, MUTED, LINE = HexColor("#1B2430"), HexColor("#5B6675"), HexColor("#D5DBE3")
BRAND, TINT, PAPER = HexColor("#1F3A5F"), HexColor("#F3F6FA"), HexColor("#FFFFFF")
GOOD, SOME, BAD, QUIET = HexColor("#2E7D5B"), HexColor("#E0A526"), HexColor("#B3362B"), HexColor("#AEB8C4")
PLAIN, BOLD = "SourceSansPro", "SourceSansProBold"
WIDTH = LETTER[0] - 36 * mm
_MARGIN = 18 * mm
_TOP, _FOOT = 20 * mm, 18 * mm
_LONGEST, _LONGEST_CELL, _LONGEST_TITLE = 2_000, 400, 160
_CUT = "\\..."
_ROOM = 34 * mm


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    """Register the fonts, and return what they can show."""
    faces = []
    for name in (PLAIN, BOLD):
        font = TTFont(name, font_files_ttf[name])
        pdfmetrics.registerFont(font)
        faces.append(frozenset(font.face.charToGlyph))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return faces[0] & faces[1]


def legible(text: str, most: int = _LONGEST) -> str:
    """Return *text* as the font can show it: what it cannot, and what nobody sees, as escapes; cut to *most*."""
    letters = _letters()
    made = "".join(each if ord(each) in letters else _escaped(each) for each in shown(text[: most + 1], most))
    return made if len(made) <= most + len(_CUT) else made[:most] + _CUT


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - the widths of Python's escapes


def style(size: float = 8.5, **more: Any) -> ParagraphStyle:
    """Return a style of text of *size* points."""
    usual = {"fontName": PLAIN, "fontSize": size, "leading": size * 1.35, "textColor": INK, "splitLongWords": 1}
    return ParagraphStyle("text", **{**usual, **more})


TEXT, SMALL, FIGURE = style(), style(7), style(7, alignment=2)
_NAME = style(7, textColor=MUTED)
_COLUMN, _FIGURES = style(6.5, fontName=BOLD, textColor=BRAND), style(6.5, fontName=BOLD, textColor=BRAND, alignment=2)
_HEADING = style(12, fontName=BOLD, textColor=BRAND, spaceBefore=12, spaceAfter=5)


def paragraph(text: object, of: ParagraphStyle = TEXT, most: int = _LONGEST) -> Paragraph:
    """Return *text* as a paragraph: text, and never markup. What is longer than *most* is cut: a page must hold it."""
    return Paragraph(escape(legible("" if text is None else str(text), most)), of)


def heading(text: str) -> list[Flowable]:
    """Return a heading, that is in the file's outline too, and has room for some lines below it."""
    return [CondPageBreak(_ROOM), _Heading(text)]


class _Heading(Paragraph):
    def __init__(self, text: str) -> None:
        super().__init__(escape(legible(text)), _HEADING)
        self._title = legible(text)

    def draw(self) -> None:
        """See `Flowable.draw`."""
        name = f"at-{self.canv.getPageNumber()}-{self._title}"
        self.canv.bookmarkPage(name)
        self.canv.addOutlineEntry(self._title, name, 0)
        super().draw()


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], widths: Sequence[float], right: Sequence[str] = ()
) -> Flowable:
    """Return rows under *columns*, which every page repeats, in parts of its width; figures (*right*) stand right.

    A value that is a tuple stands in several lines.
    """
    figures = [each in right for each in columns]
    head = [paragraph(each, _FIGURES if figure else _COLUMN) for each, figure in zip(columns, figures, strict=True)]
    body = [
        [_cell(each, FIGURE if figure else SMALL) for each, figure in zip(row, figures, strict=True)] for row in rows
    ]
    if not body:
        return paragraph("None.", style(8.5, textColor=MUTED))
    parts = sum(widths)
    made = LongTable([head, *body], colWidths=[WIDTH * each / parts for each in widths], repeatRows=1)
    made.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("BACKGROUND", (0, 0), (-1, 0), TINT),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, BRAND),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return made


def _cell(value: object, of: ParagraphStyle) -> list[Paragraph]:
    several = value if isinstance(value, tuple) else (value,)
    return [paragraph(_said(each), of, _LONGEST_CELL // len(several)) for each in several]


def pairs(said: Iterable[tuple[str, object]]) -> Flowable:
    """Return names with their values beside them."""
    rows = [[paragraph(name, _NAME), paragraph(_said(value), style(8))] for name, value in said]
    made = LongTable(rows, colWidths=[WIDTH * 0.19, WIDTH * 0.81])
    made.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return made


def boxed(parts: Sequence[Flowable | Sequence[Flowable]], colour: Color = TINT) -> Flowable:
    """Return *parts* one under the other on a ground of *colour*."""
    made = LongTable([[each] for each in parts], colWidths=[WIDTH])
    made.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), colour),
            ("LINEBEFORE", (0, 0), (0, -1), 2, BRAND),
            ("LEFTPADDING", (0, 0), (-1, -1), 9),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ("TOPPADDING", (0, 0), (-1, 0), 6),
            ("BOTTOMPADDING", (0, -1), (-1, -1), 6),
        ]
    )
    return made


def tiles(figures: Sequence[tuple[str, str]]) -> Flowable:
    """Return a row of *figures*: each a number, and what it counts."""
    number, what = style(15, fontName=BOLD, textColor=BRAND), style(7, textColor=MUTED)
    row = [[paragraph(value, number), paragraph(name, what)] for value, name in figures]
    made = Table([row], colWidths=[WIDTH / len(row)] * len(row))
    made.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), TINT),
            ("LINEAFTER", (0, 0), (-2, -1), 3, PAPER),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 7),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ]
    )
    return made


class Cover(Flowable):
    """A band at the head of the first page: what it is, about what, and a line or two below."""

    def __init__(self, what: str, title: str, below: Sequence[str]) -> None:
        super().__init__()
        self._what = paragraph(what, style(8, fontName=BOLD, textColor=HexColor("#BFD0E6")))
        self._title = paragraph(title, style(19, fontName=BOLD, textColor=PAPER), _LONGEST_TITLE)
        self._below = [paragraph(each, style(8.5, textColor=HexColor("#E6EDF6")), _LONGEST_CELL) for each in below]

    def wrap(self, width: float, _: float) -> tuple[float, float]:
        """See `Flowable.wrap`."""
        self._width = width
        parts = [self._what, self._title, *self._below]
        self._heights = [each.wrap(width - 28, 1_000)[1] for each in parts]
        return width, sum(self._heights) + 40

    def draw(self) -> None:
        """See `Flowable.draw`."""
        height = sum(self._heights) + 32
        self.canv.setFillColor(BRAND)
        self.canv.roundRect(0, 8, self._width, height, 5, stroke=0, fill=1)
        at = height + 8 - 12
        for each, tall in zip([self._what, self._title, *self._below], self._heights, strict=True):
            at -= tall
            each.drawOn(self.canv, 14, at)
            at -= 4 if each is self._title else 1


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself: its *title*, what stands at the *foot* of each page, and *at* when it is of."""

    title: str
    foot: str
    at: datetime


def document(about: About, parts: Sequence[Flowable]) -> bytes:
    """Return the file."""
    made = io.BytesIO()
    title, author = legible(about.title), f"evidenced {__version__}"
    template = BaseDocTemplate(made, pagesize=LETTER, title=title, author=author, invariant=1)
    frame = Frame(_MARGIN, _FOOT, WIDTH, LETTER[1] - _TOP - _FOOT, leftPadding=0, rightPadding=0)
    template.addPageTemplates([PageTemplate("page", [frame], pagesize=LETTER)])
    template.build(list(parts), canvasmaker=_canvas(about))
    return made.getvalue()


def space(points: float) -> Spacer:
    """Return an empty stretch."""
    return Spacer(1, points)


def _canvas(about: About) -> Callable[..., Canvas]:
    return lambda *given, **more: _Numbered(about, *given, **more)


class _Numbered(Canvas):
    """Draws the head and the foot of every page at the end, when it is known how many there are."""

    def __init__(self, about: About, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._about = about
        self._pages: list[dict[str, Any]] = []
        # The file is dated by what it is of. Left alone, its date and its id are the library's or the environment's.
        inner: Any = self._doc  # type: ignore[attr-defined]
        inner.signature = hashlib.sha256()
        stamp = inner._timeStamp
        stamp.YMDhms, stamp.dhh, stamp.dmm = about.at.astimezone(UTC).timetuple()[:6], 0, 0

    def showPage(self) -> None:  # noqa: N802 - the library's name
        """See `Canvas.showPage`."""
        self._pages.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        """See `Canvas.save`."""
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self._margin(number, len(self._pages))
            super().showPage()
        super().save()

    def _margin(self, number: int, of: int) -> None:
        self.setFont(PLAIN, 6.5)
        self.setFillColor(MUTED)
        self.setStrokeColor(LINE)
        self.setLineWidth(0.4)
        left, right = _MARGIN, LETTER[0] - _MARGIN
        if number > 1:
            self.drawString(left, LETTER[1] - 13 * mm, legible(self._about.title, 110))
            self.line(left, LETTER[1] - 15 * mm, right, LETTER[1] - 15 * mm)
        self.line(left, 14 * mm, right, 14 * mm)
        self.drawString(left, 10.5 * mm, legible(self._about.foot, 130))
        self.drawRightString(right, 10.5 * mm, f"{number} of {of}")


def _said(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

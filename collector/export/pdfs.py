"""The door to PDFs: what makes them is an extra, so each is asked for here and says what to install where it is not."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.ask.sheet import Sheet
    from collector.export.facts import Facts
    from collector.verify import Proof


def require_pdf() -> None:
    """Raise `ConfigError` where what makes PDFs is not installed."""
    for name in _missing():
        raise ConfigError(f"making a PDF needs {name}, which is not installed", hint="pip install 'evidenced[pdf]'")


def makes_pdf() -> bool:
    """Return whether what makes PDFs is installed."""
    return not _missing()


def _missing() -> list[str]:
    return [each for each in ("reportlab", "font_source_sans_pro") if find_spec(each) is None]


def summary_pdf(facts: Facts) -> bytes:
    """Return the summary of a bundle as a PDF; the same facts give the same bytes. Raises as `require_pdf`."""
    require_pdf()
    from collector.export.pdf_summary import made

    return made(facts)


def sheet_pdf(sheet: Sheet, proof: Proof) -> bytes:
    """Return the sheet of a run as a PDF, with the *proof* that the run is in the log.

    The same records give the same bytes; the file is dated by when the run was recorded. Raises as `require_pdf`, and
    `IntegrityError` where *proof* is of another run.
    """
    require_pdf()
    from collector.export.pdf_sheet import made

    return made(sheet, proof)

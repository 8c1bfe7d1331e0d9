"""The rows of a request list, from a CSV file or a spreadsheet."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from collector.errors import ConfigError, QueryError
from collector.upload import safe_name

_LARGEST = 20_000_000
_LARGEST_UNPACKED = 200_000_000
_MOST_ROWS = 20_000
_MOST_COLUMNS = 200
# What the reader raises for a broken workbook, wherever in its parts it is broken; bad XML is a SyntaxError.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
    EOFError,
    NotImplementedError,
    OSError,
)


def rows_of(path: PurePath, sheet: str = "", data: bytes | None = None) -> list[Sequence[object]]:
    """Return the rows of cells in *path*, headings first; of a workbook those of *sheet*, else of its first one.

    With *data*, its content, *path* is only what it is called.

    Raises `QueryError` for a file that is neither CSV (UTF-8) nor XLSX, or too large; `ConfigError` where the reader
    of workbooks is not installed.
    """
    name = safe_name(path.name)
    data = data if data is not None else _content(Path(path), name)
    if len(data) > _LARGEST:
        raise QueryError(f"{name}: a request list of more than {_LARGEST // 1_000_000} MB is none")
    return _workbook(data, name, sheet) if data.startswith(b"PK\x03\x04") else _csv(data, name)


def _content(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise QueryError(f"{name}: cannot be read: {error.strerror}") from error


def _csv(data: bytes, name: str) -> list[Sequence[object]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise QueryError(f"{name}: this is neither CSV in UTF-8 nor an XLSX workbook") from None
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    try:
        return [
            row for _, row in zip(range(_MOST_ROWS), csv.reader(io.StringIO(text), delimiter=delimiter), strict=False)
        ]
    except csv.Error as error:
        raise QueryError(f"{name}: not CSV: {error}") from error


def _workbook(data: bytes, name: str, sheet: str) -> list[Sequence[object]]:
    openpyxl = _reader()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
        if unpacked > _LARGEST_UNPACKED:
            raise QueryError(f"{name}: it unpacks to {unpacked // 1_000_000} MB, too much for a request list")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        if sheet and sheet not in book.sheetnames:
            raise QueryError(f"{name}: there is no sheet {sheet!r}", hint=f"There are: {', '.join(book.sheetnames)}.")
        page = book[sheet] if sheet else book.worksheets[0]
        return list(page.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True))
    except QueryError:
        raise
    except Exception as error:
        raise QueryError(f"{name}: not a workbook that can be read: {type(error).__name__}") from error


def _reader() -> Any:
    try:
        import defusedxml  # type: ignore[import-untyped]  # noqa: F401 - openpyxl uses it where it is there
        import openpyxl
    except ImportError as error:
        raise ConfigError(
            f"reading a workbook needs {error.name}, which is not installed",
            hint="pip install 'evidenced[xlsx]', or save the list as CSV.",
        ) from error
    return openpyxl

"""What people send by a form: only from pages of ours, and shown again as typed when something of it is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import Depends, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import AfterValidator

from collector.access import Right
from collector.errors import QueryError, Withheld
from collector.gate import Engaged, Gate, Visit
from collector.tag import Control
from collector.upload import safe_name
from collector.web.pages import page
from collector.web.visiting import Visitor


def sender(request: Request, visit: Visitor, csrf: Annotated[str, Form()] = "") -> Visit:
    """Return the visit of whoever sent a form. Raises `SignedOut`, and `Forged` where no page of ours sent it."""
    gate: Gate = request.app.state.gate
    gate.require_csrf(request, csrf)
    return visit


Sender = Annotated[Visit, Depends(sender)]


def _whole(text: str) -> str:
    # A form may name an encoding of its own, and some give halves of characters, which nothing can store.
    text.encode("utf-8")
    return text


Typed = Annotated[str, Form(), AfterValidator(_whole)]
"""A field of a form."""


def answered(record: Callable[[], str], again: Callable[[QueryError], Response]) -> Response:
    """Send the browser on to the address that *record* returns, or show *again* what was typed, with what is wrong."""
    try:
        return RedirectResponse(record(), HTTPStatus.SEE_OTHER)
    except Withheld:
        raise
    except QueryError as error:
        return again(error)


def form_page(
    request: Request,
    visit: Visit,
    engaged: Engaged,
    template: str,
    right: Right,
    typed: Mapping[str, str],
    error: QueryError | None = None,
    **context: Any,
) -> HTMLResponse:
    """Return a page of *engaged* with a form for those who have *right*: with what was *typed*, and what is wrong.

    In a template ``may`` says whether the visitor is one of them, and whether the engagement takes anything more.
    """
    return page(
        request,
        visit,
        template,
        status_code=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        engagement=engaged.engagement,
        may=visit.principal.may(right) and engaged.engagement.closed is None,
        typed=typed,
        error=error,
        **context,
    )


def to_choose(controls: Iterable[Control]) -> list[tuple[str, str]]:
    """Return the id and title of each of *controls*, once, by id."""
    return sorted({each.id: each.title for each in controls}.items())


@contextmanager
def received(file: UploadFile | None) -> Iterator[Path]:
    """Give the file that was sent, under the name that is recorded, until the block ends.

    Raises `QueryError` when none was chosen.
    """
    if file is None or not file.filename:
        raise QueryError("no file was chosen", hint="Choose one, and send the form again.")
    with TemporaryDirectory(prefix="evidenced-") as folder:
        path = Path(folder) / safe_name(file.filename)
        with path.open("wb") as out:
            shutil.copyfileobj(file.file, out)
        yield path

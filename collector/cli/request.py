"""`evidenced request`: the auditor's request list, answered by what is on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.ask.documents import request_document
from collector.cli.layout import Part, Table, lines, show
from collector.cli.opening import actor, instants, opened_store, recording
from collector.cli.options import (
    ActorOption,
    ConfigOption,
    ForEngagementOption,
    InEngagementOption,
    JsonOption,
)
from collector.cli.render import show_json
from collector.clock import iso
from collector.errors import QueryError
from collector.words import plural

if TYPE_CHECKING:
    from collector.requested import Request
    from collector.store import Store

app = typer.Typer(no_args_is_help=True, help="What the auditor asks for.")

_Id = Annotated[str, typer.Argument(metavar="ID", help="The request, as the list names it.")]
_Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET", help="A kind, a run's id, population:7, sample:9, upload:8, review:3, or sha256:..."
    ),
]
_Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept with it.", show_default=False)]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX, with headings: id, title, criterion, due.")]
_Sheet = Annotated[str, typer.Option("--sheet", metavar="NAME", help="Of a workbook; else its first.")]


@app.command("import")
def import_(
    file: _File,
    engagement: ForEngagementOption,
    sheet: _Sheet = "",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a request list, whole or not at all.

    Bad rows are named by file and row. What is there already, word for word, is
    left as it is.

    \b
    Example: evidenced request import requests.xlsx --engagement soc2-2026
    """
    from collector.ask.requests import import_requests

    with recording(config) as (_, store):
        added, there = import_requests(store, engagement, file, sheet=sheet, actor=actor(by))
    if as_json:
        show_json({"added": added, "already": there})
    else:
        show(f"{plural(added, 'request')} added, {there} there already")


@app.command("list")
def list_(
    engagement: InEngagementOption = "",
    status: Annotated[str, typer.Option("--status", metavar="STATUS", help="Only these.", show_default=False)] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the requests, with where each stands.

    \b
    Example: evidenced request list --engagement soc2-2026 --status open
    """
    from collector.ask.requests import requests
    from collector.requested import Status

    if status and status not in list(Status):
        raise QueryError(f"a request is not {status!r}", hint=f"It is one of: {', '.join(Status)}.")
    _, now = instants()
    with opened_store(config) as store:
        names = {each.id: each.name for each in store.engagements()}
        found = [each for each in requests(store, engagement) if status in ("", each.status)]
    if as_json:
        show_json({"requests": [request_document(each, names) for each in found]})
        return
    rows = [
        [
            each.id,
            names[each.engagement],
            f"{each.status}, overdue" if each.overdue(now.date()) else str(each.status),
            each.due.isoformat() if each.due else None,
            each.criteria,
            len(each.links),
            each.title,
        ]
        for each in found
    ]
    columns = ["request", "engagement", "status", "due", "criteria", "links", "title"]
    show(Table(columns, rows, right=["links"]), "", plural(len(rows), "request"))


@app.command("show")
def show_(
    request: _Id, engagement: InEngagementOption = "", config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Show a request and everything that was done with it.

    \b
    Example: evidenced request show R-17
    """

    from collector.ask.requests import request_of

    with opened_store(config) as store:
        _answer(store, request_of(store, request, engagement), as_json=as_json)


@app.command()
def link(
    request: _Id,
    target: _Target,
    remove: Annotated[bool, typer.Option("--remove", help="It does not answer it after all.")] = False,
    reason: _Note = "",
    engagement: InEngagementOption = "",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Link a request to what answers it.

    \b
    Example: evidenced request link R-17 population:7
    Example: evidenced request link R-17 12-3 --note 'the run before the change'
    """
    from collector.ask.requests import link as record

    def act(store: Store, found: Request) -> Request:
        return record(store, found, target, note=reason, actor=actor(by), remove=remove)

    _done(config, request, engagement, act, as_json=as_json)


@app.command()
def status(
    request: _Id,
    to: Annotated[str, typer.Argument(metavar="STATUS", help="open, answered, returned, accepted or withdrawn.")],
    reason: _Note = "",
    engagement: InEngagementOption = "",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say where a request stands now.

    \b
    Example: evidenced request status R-17 answered
    """
    from collector.ask.requests import set_status

    def act(store: Store, found: Request) -> Request:
        return set_status(store, found, to, note=reason, actor=actor(by))

    _done(config, request, engagement, act, as_json=as_json)


@app.command()
def comment(
    request: _Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is said; kept with the request.")],
    engagement: InEngagementOption = "",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Comment on a request.

    \b
    Example: evidenced request comment R-17 'contractors are in the second'
    """
    from collector.ask.requests import comment as record

    def act(store: Store, found: Request) -> Request:
        return record(store, found, text, actor=actor(by))

    _done(config, request, engagement, act, as_json=as_json)


def _done(
    config: Path | None, name: str, engagement: str, act: Callable[[Store, Request], Request], *, as_json: bool
) -> None:
    """Show the request *name* after *act* was done with it."""
    from collector.ask.requests import request_of

    with recording(config) as (_, store):
        _answer(store, act(store, request_of(store, name, engagement)), as_json=as_json)


def _answer(store: Store, found: Request, *, as_json: bool) -> None:
    names = {each.id: each.name for each in store.engagements()}
    if as_json:
        show_json(request_document(found, names))
    else:
        show(*_shown(found, names))


def _shown(found: Request, names: dict[int, str]) -> Iterator[Part]:
    yield from lines(
        [
            ("request", found.id),
            ("engagement", names[found.engagement]),
            ("title", found.title),
            ("criteria", found.criteria),
            ("due", found.due.isoformat() if found.due else None),
            ("status", str(found.status)),
            ("links", found.links),
        ]
    )
    yield ""
    for each in found.events:
        said = f": {each.note}" if each.note else ""
        yield f"{iso(each.at)}  {each.by or 'an erased name'}  {each.did} {each.what}".rstrip() + said

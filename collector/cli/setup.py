"""`evidenced init` and `evidenced check`: from nothing to sources that answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.exits import NOT_IN_ORDER
from collector.cli.layout import Part, Table, show
from collector.cli.opening import DEFAULT_CONFIG, load
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.render import progress, show_json
from collector.errors import ConfigError
from collector.words import plural

if TYPE_CHECKING:
    from collector.ask.check import KindCheck, SourceCheck


def init(
    path: Annotated[Path, typer.Argument(metavar="[FILE]", help="Where to write it.")] = Path(DEFAULT_CONFIG),
    as_json: JsonOption = False,
) -> None:
    """Write a commented configuration; never overwrite one.

    \b
    Example: evidenced init
    """
    from collector.data import data_path

    text = data_path("config.example.toml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} is there already and was left as it is", hint="Name another file.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", hint="Name another place.") from error
    if as_json:
        show_json({"written": str(path)})
        return
    show(f"Wrote {path}. Name your sources in it, then: evidenced check")


def check(
    source: Annotated[str, typer.Option("--source", metavar="SOURCE", help="Only this source.")] = "",
    every_scope: Annotated[
        bool, typer.Option("--every-scope", help="Sample each kind in every scope, not in the first one only.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every source whether it answers and what it lets us read.

    It says who we are there, and each kind is sampled: one page, and the details of one item. Nothing is stored, and
    no trouble ends the check before everything was asked. Ends with 1 when anything is not in order.

    \b
    Example: evidenced check --source aws:prod
    """
    from collector.ask.check import check as ask
    from collector.clock import SystemClock

    settings, connectors = load(config)
    checks = ask(settings, connectors, SystemClock(), only=source, every_scope=every_scope, progress=progress)
    if as_json:
        show_json({"sources": checks, "in_order": all(each.in_order for each in checks)})
    elif not checks:
        show(f"{settings.path} names no source", 'Add a table such as [sources."NAME:ACCOUNT"].')
    else:
        show(*(part for each in checks for part in _source(each)))
    raise typer.Exit(0 if checks and all(each.in_order for each in checks) else NOT_IN_ORDER)


def _source(found: SourceCheck) -> Iterator[Part]:
    yield f"{found.source} ({found.connector})"
    if found.trouble is not None:
        yield f"  does not answer: {found.trouble.reason}: {found.trouble.message}"
        yield from [f"  {found.trouble.hint}"] if found.trouble.hint else []
        yield ""
        return
    read = [scope.name for scope in found.scopes if not scope.excluded]
    yield f"  answers as  {found.principal.id}" + (f" in {found.principal.account}" if found.principal.account else "")
    yield f"  reads       {plural(len(read), 'scope')}: {', '.join(read)}"
    for scope in found.scopes:
        if scope.excluded:
            yield f"  leaves out  {scope.name}: {scope.excluded}"
    if found.excluded:
        yield f"  leaves out  {', '.join(found.excluded)}: excluded by the configuration"
    yield ""
    yield Table(
        ["kind", "scope", "answer"], [[each.subject.kind, each.subject.scope, _answer(each)] for each in found.kinds]
    )
    yield ""
    yield from _summary(found)


def _answer(found: KindCheck) -> str:
    if found.trouble is not None:
        return f"failed: {found.trouble.reason}"
    return "answers" if found.items else "answers, empty"


def _summary(found: SourceCheck) -> Iterator[Part]:
    troubled = [each for each in found.kinds if each.trouble is not None]
    yield f"{len(found.kinds) - len(troubled)} of {plural(len(found.kinds), 'kind')} can be read"
    for each in troubled:
        assert each.trouble is not None
        yield f"  {each.subject.kind} ({each.subject.scope}): {each.trouble.message}"
        yield f"    needs: {', '.join(each.grants) or '-'}"
        yield from [f"    {each.trouble.hint}"] if each.trouble.hint else []
    if any(each.trouble and each.trouble.reason == "denied" for each in troubled):
        yield f"  All permissions at once: evidenced policy {found.connector} --source {found.source}"
    yield ""

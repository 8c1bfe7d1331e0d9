"""`evidenced export`: an engagement as one file that anybody can check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.layout import Part, lines, show
from collector.cli.opening import load_ours, opened
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.render import progress_bar, show_json
from collector.words import plural, size

if TYPE_CHECKING:
    from collector.export import Made

_NAME = typer.Argument(metavar="ENGAGEMENT", help="What the engagement is called.")
_OUT = typer.Option("--out", "-o", metavar="FILE", help="Where to write the bundle, a zip file.")


def export(
    engagement: Annotated[str, _NAME],
    out: Annotated[Path, _OUT],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an engagement's bundle.

    It holds the raw evidence of the period, every leaf of the log up to the last checkpoint, an index, a summary, and
    the program that checks it all: `evidenced verify FILE`, or `python3 -I verify.py FILE` from within it.

    \b
    Example: evidenced export soc2-2026 -o soc2-2026.zip
    """
    from collector.export import export as write
    from collector.schedule import parse_duration

    settings = load_ours(config)
    with opened(settings) as store, progress_bar() as progress:
        made = write(store, engagement, out, grace=parse_duration(settings.plan.grace), progress=progress)
    if as_json:
        show_json(made)
    else:
        show(*_made(made))


def _made(made: Made) -> Iterator[Part]:
    yield f"{made.file}: {plural(made.files, 'file')}, {size(made.octets)} of evidence"
    head = "under a checkpoint" if made.signed else "which nobody has signed: take a checkpoint and export again"
    yield from lines(
        [
            ("items", f"{plural(made.versions, 'version')} existed in the period"),
            ("log", f"{made.size:,} leaves, {head}"),
            ("later", f"{made.uncovered:,} leaves since are not in it" if made.uncovered else None),
            ("sealed", f"{plural(made.sealed, 'content')} written as stored, never opened" if made.sealed else None),
            ("erased", f"{plural(made.erased, 'content')} named as erased" if made.erased else None),
        ]
    )

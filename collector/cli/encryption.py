"""`evidenced encryption`: the key under which sealed contents are, and its rotation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from collector.cli.exits import NOT_IN_ORDER
from collector.cli.layout import Table, show
from collector.cli.opening import opened_store
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.render import progress, show_json
from collector.words import plural

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Make, show and change the key of what is sealed.

    \b
    Example: evidenced encryption show
    """


@app.command("create-key")
def create_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; never over another file.")],
    as_json: JsonOption = False,
) -> None:
    """Make a key-encryption key in a file for its owner alone.

    Whoever loses it loses everything that is sealed: keep a copy where the store is not.

    \b
    Example: evidenced encryption create-key /etc/evidenced/encryption.key
    """
    from collector.encryption import create_key as create

    made, path = create(file), file.expanduser().absolute()
    if as_json:
        show_json({"file": str(path), "key": made.name})
        return
    show(f"{path}: key {made.name}", f'Name it in the configuration: [encryption] key = "file:{path}"')


@app.command("show")
def show_use(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show under which keys sealed subjects are.

    Exits with 1 when one of the keys is not at hand.

    \b
    Example: evidenced encryption show
    """
    from collector.sealing import NOT_AT_HAND

    with opened_store(config) as store:
        rows = []
        for use in store.rewrapping.uses():
            try:
                store.sealing.keys.ring.named(use.kek)
                rows.append({"key": use.kek, "subjects": use.subjects, "at_hand": True, "why": ""})
            except NOT_AT_HAND as error:
                rows.append({"key": use.kek, "subjects": use.subjects, "at_hand": False, "why": error.message})
    if as_json:
        show_json({"keys": rows})
    else:
        cells = [[each["key"], each["subjects"], "yes" if each["at_hand"] else each["why"]] for each in rows]
        show(Table(["key", "subjects", "at hand"], cells, right=["subjects"]))
    if not all(each["at_hand"] for each in rows):
        raise typer.Exit(NOT_IN_ORDER)


@app.command()
def rewrap(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Wrap everything under the key that is named now.

    To rotate: name the new key in encryption.key and the old one in encryption.previous, let a daemon reload (SIGHUP),
    and run this. Contents are not touched. Interrupted, it goes on where it was. Afterwards the old key may go.

    \b
    Example: evidenced encryption rewrap
    """
    with opened_store(config) as store:
        made = store.rewrapping.rewrap(lambda each: progress(f"{each.source} {each.kind} {each.scope}"))
    if as_json:
        show_json(made)
    else:
        show(f"under {made.kek}: {plural(made.subjects, 'subject')} and {plural(made.secrets, 'secret')} wrapped anew")

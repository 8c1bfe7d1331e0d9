"""`evidenced tag`: claims by people that a run or an artifact supports a control."""

from __future__ import annotations

from typing import Annotated

import typer

from collector.cli.layout import Table, show
from collector.cli.opening import actor, instants, load_ours, opened, opened_store, require_whole
from collector.cli.options import ActorOption, ByDefault, ConfigOption, JsonOption
from collector.cli.render import show_json
from collector.words import plural

app = typer.Typer(cls=ByDefault.of("add"))

_NOTE = typer.Option("--note", metavar="TEXT", help="Why; kept with the claim.")


@app.callback()
def _group() -> None:
    """Claim that a run or an artifact supports a control.

    Claims are dated and withdrawn by a later claim, never edited.

    \b
    Examples: evidenced tag 12-3 --control AC-01 --note 'quarterly review'
              evidenced tag withdraw 5 --note 'wrong quarter'
    """


@app.command()
def add(
    target: Annotated[str, typer.Argument(metavar="RUN|ARTIFACT", help="A run's id, or sha256:... of an artifact.")],
    control: Annotated[str, typer.Option("--control", metavar="ID", help="The control it supports.")],
    reason: Annotated[str, _NOTE],
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tag a run or an artifact with a control; `add` may be left out.

    Ends with 7 on a store that was put back, as the daemon does.

    \b
    Example: evidenced tag 12-3 --control AC-01 --note 'quarterly review'
    """
    from collector.ask.claims import claim
    from collector.tag import load_controls

    settings = load_ours(config)
    with opened(settings) as store:
        require_whole(settings, store)
        number = claim(store, load_controls(settings.controls_path), target, control, note=reason, actor=actor(by))
    if as_json:
        show_json({"tag": number})
    else:
        show(f"Tag {number}: {target} supports {control}")


@app.command()
def withdraw(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `evidenced tag list` shows it.")],
    reason: Annotated[str, _NOTE] = "",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a tag by a later claim; both stay on record.

    \b
    Example: evidenced tag withdraw 5 --note 'wrong quarter'
    """
    from collector.ask.claims import withdrawal

    _, now = instants()
    settings = load_ours(config)
    with opened(settings) as store:
        require_whole(settings, store)
        made = withdrawal(store, number, reason, actor(by), now=now)
    if as_json:
        show_json({"tag": made, "withdraws": number})
    else:
        show(f"Tag {made} withdraws tag {number}")


@app.command("list")
def list_(
    control: Annotated[
        str, typer.Option("--control", metavar="ID", help="Only of this control.", show_default=False)
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Withdrawn ones and withdrawals too.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the tags made by hand that stand.

    \b
    Example: evidenced tag list --control AC-01
    """
    from collector.tag import standing

    _, now = instants()
    with opened_store(config) as store:
        found = [each for each in store.tags() if control in ("", each.control)]
    shown = found if everything else standing(found, now)
    if as_json:
        show_json({"tags": shown})
        return
    rows = [[tag.id, tag.at, tag.control, tag.target, tag.actor, tag.note, tag.withdraws] for tag in shown]
    show(Table(["tag", "at", "control", "target", "by", "note", "withdraws"], rows), "", plural(len(rows), "tag"))

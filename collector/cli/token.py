"""`evidenced token`: who may use the API and sign in to the pages without a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.layout import Table, lines, show
from collector.cli.opening import actor, opened_store, recording
from collector.cli.options import ActorOption, ConfigOption, JsonOption
from collector.cli.render import show_json
from collector.words import plural

if TYPE_CHECKING:
    from datetime import datetime

    from collector.access import Grant
    from collector.store import Store

app = typer.Typer(no_args_is_help=True, help="Who may use the API and the pages.")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Whom it is for; recorded with what they do.")]
_Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="auditor, reader, operator or admin.")]
_Number = Annotated[int, typer.Argument(metavar="NUMBER", help="As `evidenced token list` shows it.", min=1)]
_Only = Annotated[
    str,
    typer.Option(
        "--engagement", metavar="NAME", help="The only engagement it opens; of an auditor needed.", show_default=False
    ),
]


@app.command()
def create(
    name: _Name,
    role: _Role,
    engagement: _Only = "",
    lasts: Annotated[
        str, typer.Option("--lasts", metavar="DURATION", help="How long it is good, at most 400d.")
    ] = "90d",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a token, and print it.

    It is shown this once and kept nowhere; its digest is recorded. An auditor's token opens one engagement and shows
    nothing else.

    \b
    Example: evidenced token create ana@auditors.example \\
                 --role auditor --engagement soc2-2026 --lasts 90d
    """
    from collector.access import Role
    from collector.ask.access import grant
    from collector.cadence import parse_duration
    from collector.clock import SystemClock

    if role not in tuple(Role):
        raise typer.BadParameter(f"{role!r} is not one of {', '.join(Role)}", param_hint="--role")
    now, length = SystemClock().now(), parse_duration(lasts)
    with recording(config) as (_, store):
        made, token = grant(store, name, Role(role), engagement, now=now, lasts=length, actor=actor(by))
        said = _said(store, made, now)
    if as_json:
        show_json({**said, "token": token})
        return
    show(*lines([*_lines(said), ("token", token)]), "", "The token is shown this once. Hand it over as a secret.")


@app.command("list")
def list_tokens(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List every token ever granted.

    \b
    Example: evidenced token list
    """
    from collector.ask.access import granted
    from collector.clock import SystemClock

    now = SystemClock().now()
    with opened_store(config) as store:
        found = [_said(store, each, now) for each in granted(store)]
    if as_json:
        show_json({"tokens": found})
        return
    columns = ["number", "for", "role", "engagement", "is", "expires", "granted", "by"]
    rows = [
        [each["number"], each["name"], each["role"], each["engagement"] or "all"]
        + [each[name] for name in ("state", "expires", "at", "by")]
        for each in found
    ]
    show(Table(columns, rows, right=["number"]), "", plural(len(rows), "token"))


@app.command()
def revoke(number: _Number, by: ActorOption = "", config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Revoke a token.

    From now on it opens nothing, and the sessions that it began are over.

    \b
    Example: evidenced token revoke 12
    """
    from collector.ask.access import revoke as record
    from collector.clock import SystemClock

    with recording(config) as (_, store):
        said = _said(store, record(store, number, actor=actor(by)), SystemClock().now())
    if as_json:
        show_json(said)
    else:
        show(*lines(_lines(said)))


def _said(store: Store, grant: Grant, now: datetime) -> dict[str, Any]:
    """Return what is told of *grant*: its number, for whom, what it opens, and whether it is good at *now*."""
    names = {each.id: each.name for each in store.engagements()}
    state = "revoked" if grant.revoked else "good" if grant.holds(now) else "expired"
    return {
        "number": grant.id,
        "name": grant.name,
        "role": grant.role.value,
        "engagement": None if grant.engagement is None else names[grant.engagement],
        "state": state,
        "expires": grant.expires,
        "revoked": grant.revoked,
        "at": grant.at,
        "by": grant.by,
    }


def _lines(said: dict[str, Any]) -> list[tuple[str, object]]:
    return [
        ("number", said["number"]),
        ("for", said["name"]),
        ("role", said["role"]),
        ("opens", said["engagement"] or "the whole installation"),
        ("is", said["state"]),
        ("expires", said["expires"]),
    ]

"""The arguments that commands share, each explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration; else $EVIDENCED_CONFIG, else ./evidenced.toml.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
SourceOption = Annotated[str, typer.Option("--source", metavar="SOURCE", help="Only this source.", show_default=False)]
ScopeOption = Annotated[str, typer.Option("--scope", metavar="SCOPE", help="Only this scope.", show_default=False)]
KindOption = Annotated[str, typer.Option("--kind", metavar="KIND", help="Only this kind.", show_default=False)]
KindArgument = Annotated[
    str, typer.Argument(metavar="KIND", help="A kind of evidence, e.g. aws.iam.credential_report.")
]
FromOption = Annotated[
    str,
    typer.Option(
        "--from", metavar="TIME", help="Start, included: an ISO date (midnight UTC) or instant.", show_default=False
    ),
]
ToOption = Annotated[
    str,
    typer.Option("--to", metavar="TIME", help="End, not included. Left out: now.", show_default=False),
]
ActorOption = Annotated[
    str,
    typer.Option("--as", metavar="NAME", help="Who asks; left out: the user of this machine.", show_default=False),
]
ServingOption = Annotated[
    str, typer.Option("--control", metavar="ID", help="Only what serves this control.", show_default=False)
]
EngagementOption = Annotated[
    str,
    typer.Option("--engagement", metavar="NAME", help="Of this engagement: its period and scope.", show_default=False),
]
InEngagementOption = Annotated[
    str, typer.Option("--engagement", metavar="NAME", help="Only of this engagement.", show_default=False)
]
ForEngagementOption = Annotated[str, typer.Option("--engagement", metavar="NAME", help="The engagement it is for.")]


def _log_format(value: str) -> str:
    if value not in ("", *_LOG_FORMATS):
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(_LOG_FORMATS)}", param_hint="--log-format")
    return value


_LOG_FORMATS = ("auto", "console", "json")
LogFormatOption = Annotated[
    str,
    typer.Option(
        "--log-format",
        metavar="auto|console|json",
        help="Over the configuration's.",
        show_default=False,
        callback=_log_format,
    ),
]


class ByDefault(TyperGroup):
    """Takes `tag 12-3 ...` as `tag add 12-3 ...`: what follows is an argument of *default* unless it is a command."""

    default = ""

    @classmethod
    def of(cls, default: str) -> type[ByDefault]:
        """Return the group whose command *default* may be left out."""
        return type(f"{cls.__name__}{default.title()}", (cls,), {"default": default})

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """See the class."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

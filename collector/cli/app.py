"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from collector import __version__
from collector.cli import (
    access,
    asking,
    coverage,
    database,
    encryption,
    engagement,
    erase,
    export,
    keys,
    kinds,
    log,
    plan,
    policy,
    population,
    reconcile,
    request,
    retain,
    review,
    running,
    runs,
    sample,
    serve,
    setup,
    snapshot,
    status,
    tag,
    token,
    upload,
    verify,
)
from collector.cli.exits import MEANINGS

_ORDER = (
    "init", "check", "run", "snapshot", "status",
    "coverage", "as-of", "access", "diff", "history", "runs",
    "engagement", "population", "populations", "sample", "reconcile",
    "upload", "uploads", "request", "review", "reviews", "export",
    "serve", "token",
    "kinds", "plan", "policy", "tag",
    "log", "keys", "verify", "proof", "encryption", "erase", "retain", "db",
)  # fmt: skip
_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())


class _InOrder(TyperGroup):
    """Lists the commands in the order in which a user meets them."""

    def list_commands(self, _: typer.Context) -> list[str]:  # type: ignore[override]
        """See the class."""
        return list(_ORDER)


app = typer.Typer(
    name="evidenced",
    cls=_InOrder,
    help="Collect audit evidence on a schedule, and answer what an auditor will ask.\n\n"
    "\b\nStart:   evidenced init, evidenced check, evidenced run\n"
    "Ask:     evidenced coverage --from 2026-01-01 --to 2026-04-01\n"
    "\n"
    "Times are ISO dates (midnight UTC) or instants (2026-03-14T03:00Z); a period includes its start, not its end. "
    "Every answer can be had as one JSON document with --json.",
    epilog=_EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"evidenced {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options before any command."""


app.command("init")(setup.init)
app.command("check")(setup.check)
app.add_typer(running.app, name="run")
app.command("snapshot")(snapshot.snapshot)
app.command("status")(status.status)
app.command("coverage")(coverage.coverage)
app.command("as-of")(asking.as_of)
app.command("access")(access.access)
app.command("diff")(asking.diff)
app.command("history")(asking.history)
app.command("runs")(runs.runs)
app.add_typer(engagement.app, name="engagement")
app.command("population")(population.population)
app.command("populations")(population.populations)
app.add_typer(sample.app, name="sample")
app.command("reconcile")(reconcile.reconcile)
app.command("upload")(upload.upload)
app.command("uploads")(upload.uploads)
app.add_typer(request.app, name="request")
app.command("review")(review.review)
app.command("reviews")(review.reviews)
app.command("export")(export.export)
app.command("serve")(serve.serve)
app.add_typer(token.app, name="token")
app.add_typer(kinds.app, name="kinds")
app.add_typer(plan.app, name="plan")
app.command("policy")(policy.policy)
app.add_typer(tag.app, name="tag")
app.add_typer(log.app, name="log")
app.add_typer(keys.app, name="keys")
app.command("verify")(verify.verify)
app.command("proof")(verify.proof)
app.add_typer(encryption.app, name="encryption")
app.command("erase")(erase.erase)
app.command("retain")(retain.retain)
app.add_typer(database.app, name="db")

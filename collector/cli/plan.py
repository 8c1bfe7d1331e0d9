"""`evidenced plan show`: which kinds are read from where, how often, since when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.layout import Part, Table, show
from collector.cli.opening import load, opened_store
from collector.cli.options import ConfigOption, JsonOption, SourceOption
from collector.cli.render import show_json
from collector.words import plural

if TYPE_CHECKING:
    from collector.ask.plans import Version
    from collector.plan import Plan, PlannedSource

app = typer.Typer()


@app.callback()
def _group() -> None:
    """Show what is read from where, and how often."""


@app.command("show")
def show_plan(
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="As it was in force then; left out: now.", show_default=False)
    ] = "",
    configured: Annotated[
        bool, typer.Option("--configured", help="What the configuration would make of it, instead of what is recorded.")
    ] = False,
    source: SourceOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the plan in force: recorded, dated, never edited.

    \b
    Example: evidenced plan show --at 2026-03-14
    """
    from collector.ask.plans import sources_of

    plan, versions = _plan(config, at, configured)
    sources = sources_of(plan, source)
    if as_json:
        version = None if configured else plan.version
        show_json({"version": version, "valid_from": plan.valid_from, "sources": sources, "versions": versions})
        return
    show(_heading(plan, configured), "")
    for each in sources:
        show(*_source(each))
    if versions:
        show("versions")
        show(Table(["version", "valid from", "changes"], [[v.version, v.valid_from, _words(v)] for v in versions]))


def _plan(config: Path | None, at: str, configured: bool) -> tuple[Plan, list[Version]]:
    from collector.ask.plans import in_force, recorded_plans, versions
    from collector.clock import SystemClock, parse_instant
    from collector.plan import build_plan

    if configured:
        settings, connectors = load(config)
        return build_plan(settings, connectors, {}, {}), []
    when = parse_instant(at) if at else SystemClock().now()
    with opened_store(config) as store:
        plans = recorded_plans(store)
    return in_force(plans, when), versions(plans)


def _heading(plan: Plan, configured: bool) -> str:
    if configured:
        return "As configured; scopes are known once the daemon has asked the sources."
    from collector.clock import iso

    return f"Plan version {plan.version}, valid from {iso(plan.valid_from) if plan.valid_from else 'always'}"


def _source(source: PlannedSource) -> Iterator[Part]:
    account = f", account {source.account}" if source.account else ""
    yield f"{source.name}: {source.connector} {source.connector_version}{account}, {source.timezone}"
    for scope in source.scopes:
        if scope.excluded:
            yield f"  leaves out {scope.name}: {scope.excluded}"
    yield ""
    rows = []
    for kind in source.kinds:
        scopes = [scope.name for scope in source.scopes if scope.level == kind.level and not scope.excluded]
        rows.append([kind.name, kind.cadence, kind.excluded or scopes, kind.criteria])
    yield Table(["kind", "read", "scopes", "criteria"], rows)
    yield plural(sum(not kind.excluded for kind in source.kinds), "kind")
    yield ""


def _words(version: Version) -> str:
    return "; ".join(version.changes)

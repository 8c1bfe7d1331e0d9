"""`evidenced kinds`: what can be collected, how each kind is read, and whether the declarations are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.exits import NOT_IN_ORDER
from collector.cli.layout import Part, Table, lines, outline, show
from collector.cli.options import JsonOption, KindArgument
from collector.cli.render import show_json
from collector.words import plural

if TYPE_CHECKING:
    from collector.ask.kinds import Declared

app = typer.Typer(help="List, explain and lint the kinds of evidence.")

Patterns = Annotated[
    list[str] | None, typer.Argument(metavar="[PATTERN]...", help="Kinds by name or pattern; left out: all.")
]
Criterion = Annotated[
    str, typer.Option("--criterion", metavar="ID", help="Only kinds that serve it.", show_default=False)
]


@app.command("list")
def list_(patterns: Patterns = None, criterion: Criterion = "", as_json: JsonOption = False) -> None:
    """List the kinds that can be collected.

    \b
    Example: evidenced kinds list 'aws.iam.*' --criterion CC6.1
    """
    from collector.ask.kinds import matching
    from collector.installed import connectors

    found = [each.kind for each in matching(connectors(), patterns or [], criterion)]
    if as_json:
        show_json(
            {
                "kinds": [
                    {
                        "name": kind.name,
                        "title": kind.title,
                        "scope": kind.scope,
                        "every": kind.every,
                        "criteria": kind.criteria,
                        "event": kind.since is not None,
                        "procedure": kind.digest,
                    }
                    for kind in found
                ]
            }
        )
        return
    rows = [[kind.name, kind.title, kind.scope, kind.every, kind.criteria] for kind in found]
    show(Table(["kind", "title", "scope", "every", "criteria"], rows), "", plural(len(rows), "kind"))


@app.command()
def explain(kind: KindArgument, as_json: JsonOption = False) -> None:
    """Show how a kind is read.

    That is its procedure, and what is inferred from the vendor's own description.
    The procedure is the query an auditor examines; its digest is in every run made with it.

    \b
    Example: evidenced kinds explain aws.iam.credential_report
    """
    from collector.ask.kinds import find
    from collector.installed import connectors

    found = find(connectors(), kind)
    inferred, grants = found.connector.explain(found.kind), found.connector.grants(found.kind)
    if as_json:
        show_json(_explained(found) | {"inferred": inferred, "grants": grants})
        return
    head = [
        ("kind", kind),
        ("title", found.kind.title),
        ("connector", f"{found.connector.name} {found.connector.version}"),
        ("read", f"{found.kind.every}, once per {found.kind.scope}"),
        ("criteria", found.kind.criteria),
        ("needs", grants),
        ("digest", "sha256:" + found.kind.digest.hex()),
    ]
    show(*lines(head), "", "declared", *outline(found.kind.document(), "  "))
    show("", "inferred", *outline(inferred, "  "))


def _explained(found: Declared) -> dict[str, object]:
    return {
        "kind": found.kind.name,
        "title": found.kind.title,
        "connector": {"name": found.connector.name, "version": found.connector.version},
        "every": found.kind.every,
        "criteria": found.kind.criteria,
        "digest": found.kind.digest,
        "procedure": found.kind.document(),
    }


@app.command()
def lint(patterns: Patterns = None, as_json: JsonOption = False) -> None:
    """Check the declarations of kinds.

    They are held against the vendors' own descriptions. Ends with 1 when something is wrong.

    \b
    Example: evidenced kinds lint 'aws.kms.*'
    """
    from collector.ask.kinds import lint as problems_of
    from collector.ask.kinds import matching
    from collector.criteria import criteria
    from collector.installed import connectors

    known = connectors()
    problems = problems_of(known, patterns or [], criteria())
    checked = len(matching(known, patterns or []))
    if as_json:
        show_json({"checked": checked, "problems": problems})
    else:
        rows = [[each.kind, each.place, each.message] for each in problems]
        table: list[Part] = [Table(["kind", "place", "problem"], rows), ""] if rows else []
        show(*table, f"{plural(checked, 'kind')} checked, {plural(len(problems), 'problem')}")
    raise typer.Exit(NOT_IN_ORDER if problems else 0)

"""`evidenced engagement`: audits, each with its period and what is in scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.ask.documents import engagement_document
from collector.cli.layout import Part, Table, lines, show
from collector.cli.opening import actor, opened_store, recording
from collector.cli.options import ActorOption, ConfigOption, JsonOption
from collector.cli.render import show_json
from collector.clock import iso, parse_instant
from collector.errors import QueryError
from collector.model import Period
from collector.words import plural

if TYPE_CHECKING:
    from collector.engagement import Dated, Engagement, Terms

app = typer.Typer(no_args_is_help=True, help="Audits: a period, and what is in scope.")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="What the engagement is called.")]
_From = Annotated[str, typer.Option("--from", metavar="TIME", help="Type II: start of the period, included.")]
_To = Annotated[str, typer.Option("--to", metavar="TIME", help="Type II: end of the period, not included.")]
_At = Annotated[str, typer.Option("--at", metavar="TIME", help="Type I: the instant.")]


def _many(name: str, what: str) -> Any:
    return typer.Option(name, metavar="ID", help=f"{what} in scope; repeat for several, leave out for all.")


_Criteria = Annotated[list[str] | None, _many("--criterion", "A criterion")]
_Sources = Annotated[list[str] | None, _many("--source", "A source, or a pattern,")]
_Scopes = Annotated[list[str] | None, _many("--scope", "A scope, or a pattern,")]
_Controls = Annotated[list[str] | None, _many("--control", "A control")]
_Auditors = Annotated[
    list[str] | None, typer.Option("--auditor", metavar="NAME", help="Who examines; repeat for several.")
]


@app.command()
def create(
    name: _Name,
    since: _From = "",
    until: _To = "",
    at: _At = "",
    criterion: _Criteria = None,
    source: _Sources = None,
    scope: _Scopes = None,
    control: _Controls = None,
    auditor: _Auditors = None,
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an engagement.

    Type II over a period, or Type I at an instant.

    \b
    Example: evidenced engagement create soc2-2026 --from 2026-01-01 \\
                 --to 2026-07-01 --criterion CC6.1 --source 'aws:*'
    """
    from collector.ask.engagements import create as record
    from collector.engagement import Examination, Terms
    from collector.tag import load_controls

    examination, period = _period(since, until, at)
    terms = Terms(
        Examination(examination),
        period,
        tuple(criterion or ()),
        tuple(source or ()),
        tuple(scope or ()),
        tuple(control or ()),
        tuple(auditor or ()),
    )
    with recording(config) as (settings, store):
        made = record(store, load_controls(settings.controls_path), name, terms, actor=actor(by))
    _answer(made, as_json=as_json)


@app.command()
def amend(
    name: _Name,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; kept with the amendment.")],
    since: _From = "",
    until: _To = "",
    at: _At = "",
    criterion: _Criteria = None,
    source: _Sources = None,
    scope: _Scopes = None,
    control: _Controls = None,
    auditor: _Auditors = None,
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is in scope, from now on.

    What was in scope before stays on record. What is not named stays; a list that is named is
    replaced whole. '--source *' is all of them.

    \b
    Example: evidenced engagement amend soc2-2026 --to 2026-10-01 \\
                 --why 'period extended by the auditor'
    """
    from collector.ask.engagements import amend as record
    from collector.ask.engagements import engagement_of
    from collector.tag import load_controls

    with recording(config) as (settings, store):
        terms = _moved(engagement_of(store, name).terms, since, until, at)
        terms = replace(
            terms,
            criteria=tuple(criterion or terms.criteria),
            sources=tuple(source or terms.sources),
            scopes=tuple(scope or terms.scopes),
            controls=tuple(control or terms.controls),
            auditors=tuple(auditor or terms.auditors),
        )
        controls = load_controls(settings.controls_path)
        made = record(store, controls, name, terms, why=why, actor=actor(by))
    _answer(made, as_json=as_json)


@app.command()
def close(name: _Name, by: ActorOption = "", config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Close an engagement.

    Nothing more is recorded for it; everything can still be asked.

    \b
    Example: evidenced engagement close soc2-2026
    """
    from collector.ask.engagements import close as record

    with recording(config) as (_, store):
        made = record(store, name, actor=actor(by))
    _answer(made, as_json=as_json)


@app.command("list")
def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the engagements, closed ones too.

    \b
    Example: evidenced engagement list
    """
    with opened_store(config) as store:
        found = store.engagements()
    if as_json:
        show_json({"engagements": [engagement_document(each) for each in found]})
        return
    rows = [
        [each.name, f"Type {each.terms.examination}", _span(each.terms), each.closed or "open", len(each.history)]
        for each in found
    ]
    columns = ["engagement", "type", "period", "closed", "terms"]
    show(Table(columns, rows, right=["terms"]), "", plural(len(rows), "engagement"))


@app.command("show")
def show_(name: _Name, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show what is in scope of an engagement, and every amendment.

    \b
    Example: evidenced engagement show soc2-2026
    """
    from collector.ask.engagements import engagement_of

    with opened_store(config) as store:
        found = engagement_of(store, name)
    _answer(found, as_json=as_json)


def _period(since: str, until: str, at: str) -> tuple[str, Period]:
    if at and not (since or until):
        return "I", Period(parse_instant(at), parse_instant(at))
    if at or not (since and until):
        raise QueryError(
            "an engagement is of a period or of an instant",
            hint="Write --from 2026-01-01 --to 2026-07-01 (Type II), or --at 2026-06-30 (Type I).",
        )
    return "II", Period(parse_instant(since), parse_instant(until))


def _moved(terms: Terms, since: str, until: str, at: str) -> Terms:
    from collector.engagement import Examination

    if not (since or until or at):
        return terms
    if terms.examination is Examination.TYPE_II and not at:
        since, until = since or iso(terms.period.start), until or iso(terms.period.end)
    examination, period = _period(since, until, at)
    return replace(terms, examination=Examination(examination), period=period)


def _answer(found: Engagement, *, as_json: bool) -> None:
    if as_json:
        show_json(engagement_document(found))
    else:
        show(*_engagement(found))


def _engagement(found: Engagement) -> Iterator[Part]:
    first = found.history[0]
    yield from lines(
        [
            ("engagement", found.name),
            ("created", f"{iso(first.since)} by {first.by or 'an erased name'}"),
            ("closed", f"{iso(found.closed)} by {found.closed_by}" if found.closed else "open"),
            *_terms(found.terms),
        ]
    )
    for before, each in zip(found.history, found.history[1:], strict=False):
        yield ""
        yield from _amendment(before, each)


def _terms(terms: Terms) -> list[tuple[str, object]]:
    return [
        ("type", terms.examination.value),
        ("period", _span(terms)),
        ("criteria", terms.criteria or "all"),
        ("sources", terms.sources or "all"),
        ("scopes", terms.scopes or "all"),
        ("controls", terms.controls or "all"),
        ("auditors", terms.auditors),
    ]


def _amendment(before: Dated, after: Dated) -> Iterator[Part]:
    yield f"amended {iso(after.since)} by {after.by or 'an erased name'}: {after.why}"
    was = dict(_terms(before.terms))
    changed = [(f"  {name}", (was[name], value)) for name, value in _terms(after.terms) if was[name] != value]
    yield from [f"{name}: {_words(old)} -> {_words(new)}" for name, (old, new) in changed]


def _words(value: object) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)


def _span(terms: Terms) -> str:
    start, end = terms.period.start, terms.period.end
    return iso(start) if terms.examination.value == "I" else f"{iso(start)} to {iso(end)}"

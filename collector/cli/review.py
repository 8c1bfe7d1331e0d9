"""`evidenced review`, `reviews`: what a named person decided on a population or a control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from collector.ask.documents import said_of
from collector.cli.layout import Table, lines, show
from collector.cli.opening import actor, opened_store, period_of, recording
from collector.cli.options import ConfigOption, EngagementOption, InEngagementOption, JsonOption
from collector.cli.render import show_json
from collector.words import plural

if TYPE_CHECKING:
    pass

_Target = Annotated[str, typer.Argument(metavar="POPULATION|CONTROL", help="population:7, or a control's id.")]
_Decision = Annotated[
    str,
    typer.Option("--decision", metavar="WORD", help="approved, exceptions-noted, changes-requested or declined."),
]
_From = Annotated[str, typer.Option("--from", metavar="TIME", help="Of a control: the period; else the engagement's.")]
_To = Annotated[str, typer.Option("--to", metavar="TIME", help="End of that period, not included.")]
_Reviewer = Annotated[
    str, typer.Option("--as", metavar="NAME", help="The reviewer; left out: the user of this machine.")
]


def review(
    target: _Target,
    decision: _Decision,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What was looked at; kept with it.")],
    engagement: EngagementOption = "",
    since: _From = "",
    until: _To = "",
    by: _Reviewer = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a review of a population or a control.

    An access review is one. It records who decided what, and when; nothing follows from it here, and a later review
    replaces nothing.

    \b
    Example: evidenced review population:7 --decision approved \\
                 --note 'every account compared with the list of staff'
    Example: evidenced review AC-02 --engagement soc2-2026 \\
                 --decision exceptions-noted --note 'two late removals'
    """
    from collector.ask.reviews import NewReview
    from collector.ask.reviews import review as record
    from collector.tag import load_controls

    period = period_of(since, until) if since or until else None
    with recording(config) as (settings, store):
        new = NewReview(target, decision, note, engagement, period)
        act = record(store, load_controls(settings.controls_path), new, actor=actor(by))
    if as_json:
        show_json(said_of(act))
        return
    said = act.document
    show(
        *lines(
            [
                ("review", f"review:{act.id}"),
                ("of", said["of"]),
                ("period", f"{said['period']['start']} to {said['period']['end']}"),
                ("decision", said["decision"]),
                ("note", said["note"]),
                ("reviewed", f"{act.at:%Y-%m-%dT%H:%M:%SZ} by {act.actor}"),
            ]
        )
    )


def reviews(engagement: InEngagementOption = "", config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the reviews on record.

    \b
    Example: evidenced reviews --engagement soc2-2026
    """
    from collector.act import ActKind
    from collector.ask.engagements import acts_of

    with opened_store(config) as store:
        found, names = acts_of(store, ActKind.REVIEW, engagement)
    if as_json:
        show_json({"reviews": [{**said_of(each), "engagement": names[each.engagement]} for each in found]})
        return
    rows = [
        [
            f"review:{each.id}",
            names[each.engagement],
            each.document["of"],
            each.document["decision"],
            f"{each.document['period']['start'][:10]} to {each.document['period']['end'][:10]}",
            each.at,
            each.actor,
            each.document["note"],
        ]
        for each in found
    ]
    columns = ["review", "engagement", "of", "decision", "period", "at", "by", "note"]
    show(Table(columns, rows), "", plural(len(rows), "review"))

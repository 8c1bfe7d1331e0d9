"""`evidenced population`, `populations`: what existed over a period, frozen so that it can be sampled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.ask.documents import frozen_document, statement_document
from collector.cli.layout import Part, Table, lines, show
from collector.cli.opening import actor, load_ours, opened, opened_store, require_whole
from collector.cli.options import ActorOption, ConfigOption, EngagementOption, InEngagementOption, JsonOption
from collector.cli.render import show_json, write_file
from collector.errors import QueryError
from collector.model import Json
from collector.words import plural, span

if TYPE_CHECKING:
    from collector.act import Act
    from collector.store import Store

_SHOWN_GAPS = 8
_Target = Annotated[str, typer.Argument(metavar="KIND|POPULATION", help="A kind, or a frozen one: population:7.")]
_Rows = typer.Option("--rows", metavar="FILE", help="Write the rows there, as JSON Lines.", show_default=False)


def population(
    target: _Target,
    engagement: EngagementOption = "",
    freeze: Annotated[bool, typer.Option("--freeze", help="Record it, so that it can be sampled.")] = False,
    rows: Annotated[Path | None, _Rows] = None,
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what existed over an engagement's period.

    Every item that was there at any time, with joiners and leavers; of events, those that happened in it. Beside it
    stands how complete it is: slots, gaps, events lost, totals that the source reported. With --freeze it is recorded.

    \b
    Example: evidenced population aws.iam.credential_report \\
                 --engagement soc2-2026 --freeze
    Example: evidenced population population:7 --rows users.jsonl
    """
    with opened(settings := load_ours(config)) as store:
        if freeze:
            require_whole(settings, store)
        if target.removeprefix("population:").isdigit():
            act: Act | None
            statement, data, act = _frozen(store, target, freeze=freeze)
        else:
            statement, data, act = _asked(store, settings, target, engagement, actor(by) if freeze else None)
    if rows is not None:
        write_file(rows, data)
    if as_json:
        show_json(statement_document(statement, act))
    else:
        show(*_shown(statement, act))


def populations(engagement: InEngagementOption = "", config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the frozen populations.

    \b
    Example: evidenced populations --engagement soc2-2026
    """
    from collector.act import ActKind
    from collector.ask.engagements import acts_of

    with opened_store(config) as store:
        found, names = acts_of(store, ActKind.POPULATION, engagement)
    if as_json:
        show_json({"populations": [frozen_document(act, names[act.engagement]) for act in found]})
        return
    rows = [
        [
            f"population:{act.id}",
            names[act.engagement],
            act.document["kind"],
            act.document["rows"]["count"],
            act.at,
            act.actor,
            f"sha256:{act.document['rows']['sha256']}",
        ]
        for act in found
    ]
    columns = ["population", "engagement", "kind", "items", "frozen", "by", "rows"]
    show(Table(columns, rows, right=["items"]), "", plural(len(rows), "population"))


def _frozen(store: Store, target: str, *, freeze: bool) -> tuple[Json, bytes, Act]:
    from collector.ask.populations import frozen

    if freeze:
        raise QueryError(f"{target} is frozen already", hint="Name a kind to freeze another.")
    act = frozen(store, target)
    return act.document, store.artifact(act.artifact or b""), act


def _asked(store: Store, settings: Json, kind: str, name: str, who: str | None) -> tuple[Json, bytes, Act | None]:
    from collector.ask.engagements import engagement_of
    from collector.ask.populations import freeze, over_period
    from collector.clock import SystemClock
    from collector.schedule import parse_duration

    if not name:
        raise QueryError("a population is of an engagement's period", hint="Name it: --engagement NAME.")
    engagement = engagement_of(store, name)
    grace = parse_duration(settings.plan.grace)
    found = over_period(store, kind, engagement, now=SystemClock().now(), grace=grace)
    return found.statement, found.rows, freeze(store, found, engagement, actor=who) if who else None


def _shown(statement: Json, act: Act | None) -> Iterator[Part]:
    period, items, slots = statement["period"], statement["items"], statement["slots"]
    yield from lines(
        [
            ("kind", statement["kind"]),
            ("period", f"{period['start']} to {period['end']}"),
            ("until", period["until"] if period["until"] != period["end"] else None),
            ("items", f"{statement['rows']['count']:,}"),
            ("joined", items["joined"]),
            ("left", items["left"]),
            ("changed", items["changed"]),
            ("rows", f"sha256:{statement['rows']['sha256']}"),
            ("frozen", f"population:{act.id} at {act.at:%Y-%m-%dT%H:%M:%SZ} by {act.actor}" if act else "no"),
        ]
    )
    yield ""
    due = ("due", "collected", "failed", "missed", "excluded", "gaps")
    yield Table(["slots", *due], [["", *(slots[name] for name in due)]], right=due)
    yield ""
    rows = [
        [
            each["source"],
            each["scope"],
            each["items"] if each["observed"] else None,
            len(each.get("runs", ())),
            each.get("first_observed"),
            ", ".join(f"{name} {total}" for name, total in each.get("reported", {}).items()),
        ]
        for each in statement["subjects"]
    ]
    columns = ["source", "scope", "items", "good runs", "first observed", "totals the source reported"]
    yield Table(columns, rows, right=["items", "good runs"])
    yield from _missing(statement)


def _missing(statement: Json) -> Iterator[Part]:
    unseen = [each for each in statement["subjects"] if not each["observed"]]
    if unseen:
        yield f"{plural(len(unseen), 'scope')} not observed: nothing is known of it, which is not the same as empty"
    if statement["undated"]:
        yield f"{plural(statement['undated'], 'event')} without a time, counted by when it was first read"
    if statement["gaps"]:
        yield ""
        yield f"{plural(len(statement['gaps']), 'gap')}, the longest {span_of(statement['slots']['longest_gap_s'])}:"
    for gap in statement["gaps"][:_SHOWN_GAPS]:
        what = f"{gap['outcome']}: {gap['reason']}" if gap["reason"] else gap["outcome"]
        yield f"  {gap['start']} to {gap['end']}  {gap['source']} {gap['scope']}  {what}, {gap['cause']}"
    if len(statement["gaps"]) > _SHOWN_GAPS:
        yield f"  and {len(statement['gaps']) - _SHOWN_GAPS:,} more; --json has them all"
    for each in statement["lost"]:
        yield f"lost: {each['source']} {each['scope']}, run {each['run']}: {each['message']}"


def span_of(seconds: int) -> str:
    """Return a length in seconds as people say it."""
    from datetime import timedelta

    return span(timedelta(seconds=seconds))

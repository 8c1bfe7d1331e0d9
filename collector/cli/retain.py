"""`evidenced retain`: contents that are older than the configuration says they need be kept, with a tombstone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.layout import Table, show
from collector.cli.opening import actor, load_ours, opened
from collector.cli.options import ActorOption, ConfigOption, JsonOption
from collector.cli.render import note, show_json
from collector.errors import QueryError
from collector.words import plural

if TYPE_CHECKING:
    from collector.config import Config
    from collector.store import Store
    from collector.store.expiry import Term
    from collector.store.retaining import Outlook, Retired

_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would go, as without --yes.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]


def retain(
    dry_run: _DryRun = False,
    yes: _Yes = False,
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase contents that are past their retention.

    How long each kind is kept is said in [retention] of the configuration; what is not said is kept for ever. A
    content goes when only forms had it that ended longer ago, and nothing else names it; all that was valid within
    the period of an open engagement stays. Tombstones in the log say so; digests, runs and leaves stay, and everything
    still verifies. Without --yes it only shows what would go. Interrupted, it goes on the next time.

    \b
    Example: evidenced retain --dry-run
    Example: evidenced retain --yes --as retention
    """
    if dry_run and yes:
        raise QueryError("--dry-run shows and --yes does: say one of them")
    settings = load_ours(config)
    with opened(settings) as store:
        terms = _terms(settings, store)
        outlook = store.retaining.outlook(terms)
        if not as_json:
            show(_shown(outlook))
        made = list(store.retaining.retain(terms, actor=actor(by))) if yes else []
        _told(outlook, made, yes, as_json)


def _terms(settings: Config, store: Store) -> list[Term]:
    """Return the term of every kind that was ever recorded and is not kept for ever."""
    from collector.cadence import parse_duration
    from collector.clock import SystemClock
    from collector.config_retention import lengths_of
    from collector.store.expiry import Term

    now = SystemClock().now()
    kinds = {each.kind for each in store.subjects()}
    lengths = lengths_of(settings.retention, kinds)
    return [Term(kind, length, now - parse_duration(length)) for kind, length in sorted(lengths.items())]


def _shown(outlook: list[Outlook]) -> Table:
    return Table(
        ["kind", "kept", "contents to go", "bytes", "old, kept for"],
        [
            [
                each.kind,
                each.length,
                each.contents,
                each.bytes,
                ", ".join(f"{name}: {count:,}" for name, count in each.kept.items()),
            ]
            for each in outlook
        ],
        right=["contents to go", "bytes"],
    )


def _told(outlook: list[Outlook], made: list[Retired], yes: bool, as_json: bool) -> None:
    if as_json:
        show_json({"erased": yes, "kinds": outlook, "tombstones": made})
        return
    if not outlook:
        note("[retention] names no kind that was ever recorded: everything is kept for ever.")
    elif not yes:
        note(f"Nothing was erased: {plural(sum(each.contents for each in outlook), 'content')} would go. Say --yes.")
    for each in made:
        subject, tombstone = each.subject, each.tombstone
        where = f"{subject.source} {subject.kind} {subject.scope}"
        show(f"{where}: {plural(tombstone.count, 'content')} by tombstone {tombstone.id}, leaf {tombstone.leaf}")
    if any(each.tombstone.lingers for each in made):
        note("a reader keeps the write-ahead log from being emptied: it is overwritten as soon as that ends")

"""`evidenced status`: how the collecting goes right now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from collector.cli.exits import NOT_IN_ORDER
from collector.cli.layout import Part, Table, lines, show
from collector.cli.log import leaves, place_lines
from collector.cli.opening import instants, load_ours, opened
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.render import show_json
from collector.words import came_of, plural, size, span

if TYPE_CHECKING:
    from collector.ask.status import OpenFailure, Status

_LONGEST = 160


def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how the collecting goes right now.

    Whether the daemon runs, when each source was last read, what is due next, and what has not been read well since.
    Ends with 1 when an anchor or authority has no checkpoint younger than checkpoints.late_after.

    \b
    Example: evidenced status
    """
    from collector.ask.status import status as ask

    _, now = instants()
    settings = load_ours(config)
    with opened(settings) as store:
        found = ask(store, now=now, config=settings)
    if as_json:
        show_json(found)
    else:
        show(*_status(found))
    if found.log and any(each.late for each in found.log.places):
        raise typer.Exit(NOT_IN_ORDER)


def _signed(found: Status) -> str:
    if found.log is None or (not found.log.signed and found.log.checkpoint is None):
        return "not signed: evidenced keys create"
    if found.log.checkpoint is None or found.log.checkpoint_at is None:
        return f"{leaves(found.log.size)}, no checkpoint yet"
    age = span(found.at - found.log.checkpoint_at)
    return f"{leaves(found.log.size)}, {found.log.checkpoint:,} of them under a checkpoint {age} ago"


def _status(found: Status) -> Iterator[Part]:
    yield from lines(
        [
            ("daemon", "running" if found.daemon_running else "not running"),
            ("plan", f"version {found.plan_version}" if found.plan_version else "none yet: evidenced run records it"),
            ("store", f"{found.store}, {size(found.size)}"),
            ("log", _signed(found)),
        ]
    )
    if found.waiting_requests:
        yield f"{plural(found.waiting_requests, 'snapshot request')} waiting"
    if found.log and found.log.places:
        yield ""
        yield from place_lines(found.log.places)
    yield ""
    yield Table(
        ["source", "kinds", "scopes", "last read", "outcomes until", "next due"],
        [
            [
                each.source,
                each.kinds,
                each.scopes,
                f"{span(found.at - each.last.finished)} ago" if each.last else "never",
                each.accounted_until,
                f"in {span(each.next_due - found.at)}" if each.next_due else None,
            ]
            for each in found.sources
        ],
        right=["kinds", "scopes"],
    )
    yield ""
    if not found.failures:
        yield "Nothing fails."
        return
    yield from _failures(found)


def _failures(found: Status) -> Iterator[Part]:
    yield "Not read well since they last failed:"
    alike: dict[tuple[str, str, str, bool], list[OpenFailure]] = {}
    for each in found.failures:
        key = (each.subject.source, came_of(each.run), each.run.message, each.last_good is None)
        alike.setdefault(key, []).append(each)
    for (source, outcome, message, never), together in alike.items():
        oldest = min((each.last_good for each in together if each.last_good), default=found.at)
        since = "never read well" if never else f"last good {span(found.at - oldest)} ago"
        yield f"  {source}: {outcome}, {since}: {_short(message)} (evidenced run show {together[0].run.id})"
        yield f"    {_kinds(together)}"


def _kinds(together: list[OpenFailure]) -> str:
    kinds: dict[str, list[str]] = {}
    for each in together:
        kinds.setdefault(each.subject.kind, []).append(each.subject.scope)
    return ", ".join(f"{kind} ({' '.join(scopes)})" for kind, scopes in kinds.items())


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST else message[:_LONGEST] + "…"

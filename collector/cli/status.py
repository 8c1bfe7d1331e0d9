"""`evidenced status`: how the collecting goes right now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collector.cli.opening import instants, opened_store
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.render import Part, Table, lines, plural, show, show_json, size, span
from collector.cli.words import came_of

if TYPE_CHECKING:
    from collector.ask.status import Status


def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how the collecting goes right now.

    Whether the daemon runs, when each source was last read, what is due next, and what has not been read well since.

    \b
    Example: evidenced status
    """
    from collector.ask.status import status as ask

    _, now = instants()
    with opened_store(config) as store:
        found = ask(store, now=now)
    if as_json:
        show_json(found)
    else:
        show(*_status(found))


def _status(found: Status) -> Iterator[Part]:
    yield from lines(
        [
            ("daemon", "running" if found.daemon_running else "not running"),
            ("plan", f"version {found.plan_version}" if found.plan_version else "none yet: evidenced run records it"),
            ("store", f"{found.store}, {size(found.size)}"),
        ]
    )
    if found.waiting_requests:
        yield f"{plural(found.waiting_requests, 'snapshot request')} waiting"
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
    yield f"{plural(len(found.failures), 'kind')} not read well since:"
    for each in found.failures:
        since = f"last good {span(found.at - each.last_good)} ago" if each.last_good else "never read well"
        yield f"  {each.subject.kind} {each.subject.scope} ({each.subject.source}): {came_of(each.run)}, {since}"
        yield f"    {each.run.message}  (evidenced run show {each.run.id})"

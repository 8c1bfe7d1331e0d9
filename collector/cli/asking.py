"""`evidenced as-of`, `diff`, `history`: what was there, what changed, the life of one item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.layout import Part, Table, lines, outline, show
from collector.cli.opening import asked_period, in_scope_of, instants, opened_store
from collector.cli.options import ConfigOption, EngagementOption, JsonOption, KindArgument, ScopeOption, SourceOption
from collector.cli.render import show_json
from collector.clock import iso
from collector.errors import QueryError
from collector.model import Json, Run
from collector.words import plural

if TYPE_CHECKING:
    from collector.difference import FieldChange
    from collector.population import Difference, ItemAt, ItemDifference, Life, PopulationAt
    from collector.store import Store

Columns = dict[str, Any]

_FieldOption = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="EXPR", help="A column: a JMESPath expression over the item; may be repeated."),
]


def as_of(
    kind: KindArgument,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The instant: an ISO date or date-time.")],
    source: SourceOption = "",
    scope: ScopeOption = "",
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="Only this item, whole.", show_default=False)] = "",
    fields: _FieldOption = None,
    engagement: EngagementOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a population as it was at an instant.

    With the run that saw it, and whether the next good run still did.

    \b
    Example: evidenced as-of aws.iam.credential_report --at 2026-03-14 \\
                 --field mfa_active
    """
    from collector.ask.documents import population_document
    from collector.population import as_of as ask

    (when,), now = instants(at)
    columns = _columns(fields)
    with opened_store(config) as store:
        in_scope = in_scope_of(store, engagement)
        every = ask(store, kind, when, now=now, source=source, scope=scope, key=key)
        found = [each for each in every if in_scope(each.subject)]
        if as_json:
            show_json({"kind": kind, "at": when, "populations": [population_document(store, each) for each in found]})
            return
        show(f"{kind} at {iso(when)}", "")
        for each in found:
            show(*population_parts(store, each, when, columns, whole=bool(key)))


def diff(
    kind: KindArgument,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="The earlier instant.")] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="TIME", help="The later instant; left out: now.", show_default=False)
    ] = "",
    source: SourceOption = "",
    scope: ScopeOption = "",
    engagement: EngagementOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what differs between two instants, field by field.

    Of an engagement, left out: from the start of its period to its end, or now.

    \b
    Example: evidenced diff aws.ec2.security_groups \\
                 --from 2026-03-01 --to 2026-04-01
    """
    from collector.population import difference

    _, now = instants()
    if not (since or engagement):
        raise QueryError("a difference is between two instants", hint="Say from when: --from TIME, or --engagement.")
    with opened_store(config) as store:
        period, _ = asked_period(store, engagement, since, until)
        in_scope = in_scope_of(store, engagement)
        end = period.end if until else min(period.end, now)
        every = difference(store, kind, period.start, end, now=now, source=source, scope=scope)
    found = replace(
        every,
        subjects=tuple(each for each in every.subjects if in_scope(each.subject)),
        items=tuple(each for each in every.items if in_scope(each.subject)),
    )
    if as_json:
        show_json(found)
    else:
        show(*_difference(found))


def history(
    kind: KindArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The item's key, as `evidenced as-of` shows it.")],
    source: SourceOption = "",
    scope: ScopeOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every form an item ever had, and when it was seen so.

    \b
    Example: evidenced history aws.iam.credential_report \\
                 arn:aws:iam::111122223333:user/ana
    """
    from collector.population import life

    with opened_store(config) as store:
        found = life(store, kind, key, source=source, scope=scope)
    if as_json:
        show_json({"kind": kind, "key": key, "forms": found})
    else:
        show(f"{kind} {key}", "")
        show(*(part for each in found for part in _form(each)))


def population_parts(
    store: Store, found: PopulationAt, at: datetime, columns: Columns, *, whole: bool
) -> Iterator[Part]:
    """Yield how *found*, the population at *at*, is shown: its *columns* by expression, or each item *whole*."""
    from collector.ask.documents import volatile_of
    from collector.words import span

    yield f"{found.subject.source} {found.subject.scope}"
    if found.run is None:
        yield "  not observed yet at that time: nothing is known, which is not the same as empty"
        yield ""
        return
    yield f"  seen by    run {found.run.id}, {span(at - found.run.finished)} before ({iso(found.run.finished)})"
    if found.next is None:
        yield "  next seen  not yet"
    else:
        changed = sum(not each.still_seen for each in found.items)
        words = "still the same" if not changed else f"{plural(changed, 'item')} no longer so"
        yield f"  next seen  by run {found.next.id} ({iso(found.next.finished)}): {words}"
    if whole:
        for each in found.items:
            yield from _item(store, each, volatile_of(store, found).get(each.key))
    else:
        yield ""
        cells = _values(store, found.items, columns)
        rows = [[each.key, each.since, *values] for each, values in zip(found.items, cells, strict=True)]
        yield Table(["key", "so since", *(columns or ("artifact",))], rows)
    yield ""
    yield plural(len(found.items), "item")
    yield ""


def _item(store: Store, item: ItemAt, volatile: Json) -> Iterator[Part]:
    from collector.population import shown_document

    content, withheld = shown_document(store, item.artifact)
    yield ""
    yield from lines(
        [
            ("  key", item.key),
            ("  so since", item.since),
            ("  until", item.until or "still so"),
            ("  artifact", "sha256:" + item.artifact.hex()),
            ("  withheld", withheld),
        ]
    )
    yield ""
    if not withheld:
        yield from outline(content, "  ")
    if volatile:
        yield ""
        yield "  Fields that vary by themselves, kept once a day (as last kept by then):"
        yield from outline(volatile, "  ")


def _values(store: Store, items: Sequence[ItemAt], columns: Columns) -> Iterator[Sequence[object]]:
    """Yield the cells of each item: what *columns* find in it, or the artifact's name when there are none."""
    from collector.population import shown_documents

    if not columns:
        yield from ([each.artifact] for each in items)
        return
    for content, withheld in shown_documents(store, (each.artifact for each in items)):
        yield [f"({withheld})" if withheld else _short(each.search(content)) for each in columns.values()]


def _columns(expressions: list[str] | None) -> Columns:
    from collector.ask.expressions import compiled

    return {text: compiled(text) for text in expressions or []}


def _difference(found: Difference) -> Iterator[Part]:
    yield f"{found.kind} from {iso(found.start)} to {iso(found.end)}"
    yield ""
    for each in found.subjects:
        place = f"{each.subject.source} {each.subject.scope}"
        if each.before is not None and each.after is not None:
            why = ": not compared, the procedure has named items by another key since" if each.rekeyed else ""
            yield f"{place}: {_seen(each.before)} with {_seen(each.after)}{why}"
        else:
            yield f"{place}: not compared, not observed yet at {iso(found.end if each.after is None else found.start)}"
    yield ""
    for item in found.items:
        yield from _item_difference(item)
    counts = {word: sum(each.change == word for each in found.items) for word in ("added", "removed", "changed")}
    yield ", ".join(f"{count} {word}" for word, count in counts.items())


def _seen(run: Run) -> str:
    return f"run {run.id} ({iso(run.finished)})"


_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def _item_difference(item: ItemDifference) -> Iterator[Part]:
    yield f"{_MARKS[item.change]} {item.key}  ({item.subject.source} {item.subject.scope})"
    yield from _fields(item.fields)


def _fields(changes: tuple[FieldChange, ...]) -> Iterator[Part]:
    for each in changes:
        if each.change == "added":
            yield f"    {each.path}: + {_short(each.after)}"
        elif each.change == "removed":
            yield f"    {each.path}: - {_short(each.before)}"
        elif each.change == "reordered":
            yield f"    {each.path}: the same elements in another order"
        else:
            yield f"    {each.path}: {_short(each.before)} -> {_short(each.after)}"


def _form(form: Life) -> Iterator[Part]:
    ended = f"{form.ending} at {iso(form.ended)}" if form.ended else "is so still"
    yield f"{form.subject.source} {form.subject.scope}"
    yield from lines(
        [
            ("  first seen so", form.first_seen),
            ("  last seen so", form.last_seen),
            ("  then", ended),
            ("  artifact", "sha256:" + form.artifact.hex()),
            ("  withheld", form.withheld),
        ]
    )
    yield from _fields(form.fields)
    yield ""


def _short(value: Json) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)

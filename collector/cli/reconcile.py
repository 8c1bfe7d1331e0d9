"""`evidenced reconcile`: two populations by a key, with counts that add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.exits import NOT_IN_ORDER
from collector.cli.layout import Part, Table, show
from collector.cli.opening import actor, instants, load_ours, opened, require_whole
from collector.cli.options import ActorOption, ConfigOption, JsonOption
from collector.cli.render import show_json

if TYPE_CHECKING:
    from collector.act import Act
    from collector.reconciliation import Reconciliation, Together

_SHOWN = 20


def _side(which: str) -> typer.models.ArgumentInfo:
    argument: typer.models.ArgumentInfo = typer.Argument(
        metavar=which, help="A frozen population (population:7) or a kind."
    )
    return argument


def _over(name: str, what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar="EXPR", help=what, show_default=False)
    return option


def reconcile(
    left: Annotated[str, _side("LEFT")],
    right: Annotated[str, _side("RIGHT")],
    left_key: Annotated[str, _over("--left-key", "JMESPath over an item; else its own key.")] = "",
    right_key: Annotated[str, _over("--right-key", "JMESPath over an item; else its own key.")] = "",
    left_where: Annotated[str, _over("--left-where", "Only items for which this is true.")] = "",
    right_where: Annotated[str, _over("--right-where", "Only items for which this is true.")] = "",
    normalise: Annotated[
        str, typer.Option("--normalise", metavar="LIST", help="lower, trim, nfc, digits.", show_default=False)
    ] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="Of kinds: the instant; else now.", show_default=False)
    ] = "",
    record: Annotated[bool, typer.Option("--record", help="Record it; both must be frozen.")] = False,
    fail: Annotated[bool, typer.Option("--fail-on-difference", help="End with 1 unless all have a match.")] = False,
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reconcile two populations by a key.

    Who is in both, in one alone, twice, or without a key; the counts of each side add up.

    \b
    Example: evidenced reconcile population:7 population:8 \\
                 --left-key email --normalise lower,trim
    """
    from collector.ask.reconciling import Side, reconciled
    from collector.ask.reconciling import record as recorded

    sides = Side(left, left_key, left_where), Side(right, right_key, right_where)
    when, now = instants(*([at] if at else []))
    with opened(settings := load_ours(config)) as store:
        if record:
            require_whole(settings, store)
        found = reconciled(store, *sides, normalise=normalise, at=when[0] if when else now, now=now)
        act = recorded(store, *sides, normalise, found, actor=actor(by)) if record else None
    if as_json:
        show_json({"agree": found.agree, "recorded": act.id if act else None, "reconciliation": found})
    else:
        show(*_shown(left, right, found, act))
    if fail and not found.agree:
        raise typer.Exit(NOT_IN_ORDER)


def _shown(left: str, right: str, found: Reconciliation, act: Act | None) -> Iterator[Part]:
    columns = ("items", "matched", "only here", "duplicates", "without key", "not asked")
    rows = [
        [name, each.items, each.matched, each.only, each.duplicates, each.without_key, each.left_out]
        for name, each in ((left, found.left), (right, found.right))
    ]
    yield Table(["side", *columns], rows, right=columns)
    yield from _some(f"only in {left}", found.only_left)
    yield from _some(f"only in {right}", found.only_right)
    yield from _some("more than once", found.duplicates)
    for name, without in ((left, found.without_key_left), (right, found.without_key_right)):
        if without:
            yield ""
            yield f"without key in {name}: {', '.join(without[:_SHOWN])}"
    if act is not None:
        yield ""
        yield f"Recorded as reconciliation:{act.id}"


def _some(what: str, found: tuple[Together, ...]) -> Iterator[Part]:
    if not found:
        return
    yield ""
    yield f"{what}:"
    yield Table(["key", "left", "right"], [[each.value, each.left, each.right] for each in found[:_SHOWN]])
    if len(found) > _SHOWN:
        yield f"  and {len(found) - _SHOWN:,} more; --json has them all"

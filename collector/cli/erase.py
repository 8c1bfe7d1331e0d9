"""`evidenced erase`: an item of a sealed kind, or a person's name, with a tombstone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.layout import Table, show
from collector.cli.opening import actor, load_ours, opened
from collector.cli.options import ActorOption, ConfigOption, JsonOption, ScopeOption, SourceOption
from collector.cli.render import note, show_json
from collector.clock import iso
from collector.errors import QueryError
from collector.words import plural

if TYPE_CHECKING:
    from collector.store import Erasable, Tombstone

_Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept for ever: name a request.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]


def erase(
    reason: _Reason,
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help="The item's kind.")] = "",
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="Its key, as `evidenced as-of` shows it.")] = "",
    source: SourceOption = "",
    scope: ScopeOption = "",
    actor_name: Annotated[
        str, typer.Option("--actor-name", metavar="NAME", help="A person's name instead.", show_default=False)
    ] = "",
    yes: _Yes = False,
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase an item of a sealed kind, or a person's name.

    Its contents, their keys and its own key go, in every version; a tombstone in the log says that, when, why and by
    whom. Digests, runs and leaves stay, and everything still verifies. What the source still has is read again: erase
    it there first. Backups keep what they hold. Without --yes it only shows what would go.

    \b
    Example: evidenced erase aws.iam.credential_report \\
                 arn:aws:iam::111122223333:user/ana --reason 'request 4711'
    Example: evidenced erase --actor-name 'Ana Li' --reason 'request 4712' --yes
    """
    if bool(actor_name) is bool(kind and key):
        raise QueryError("say what to erase: KIND and KEY, or --actor-name NAME")
    with opened(load_ours(config)) as store:
        if actor_name:
            made = [store.erasing.erase_person(actor_name, reason=reason, actor=actor(by))] if yes else []
            _told(made, f"the name {actor_name}", as_json)
            return
        from collector.population import subjects_of

        subjects = subjects_of(store, kind, source=source, scope=scope)
        found = _erasable(store.erasing.find(subjects, key), kind, key)
        if not as_json:
            show(_found(found))
        made = [store.erasing.erase_item(each, reason=reason, actor=actor(by)) for each in found] if yes else []
        _told(made, f"{plural(sum(each.versions for each in found), 'content')}", as_json, found)


def _erasable(found: list[Erasable], kind: str, key: str) -> list[Erasable]:
    """Return what is left to erase of *found*. Raises `QueryError` for nothing, and for what is in plain."""
    from collector.store.erasing import plain_evidence

    if not found:
        raise QueryError(f"no item {key!r} of {kind} was found", hint=f"`evidenced as-of {kind} --at TIME` lists them.")
    plain = next((each for each in found if each.plain), None)
    if plain is not None:
        raise plain_evidence(plain)
    left = [each for each in found if not each.gone]
    if not left:
        raise QueryError(f"{key} of {kind} is erased already")
    return left


def _found(found: list[Erasable]) -> Table:
    return Table(
        ["source", "scope", "contents", "first seen", "last changed"],
        [
            [each.subject.source, each.subject.scope, each.versions, _time(each.first), _time(each.last)]
            for each in found
        ],
        right=["contents"],
    )


def _time(at: datetime | None) -> str:
    return "" if at is None else iso(at)


def _told(made: list[Tombstone], what: str, as_json: bool, found: list[Erasable] | None = None) -> None:
    if as_json:
        show_json({"erased": bool(made), "tombstones": made, "found": found or []})
        return
    if not made:
        note(f"Nothing was erased yet: {what} would go. Say --yes.")
    for each in made:
        show(f"erased by tombstone {each.id}, leaf {each.leaf}: {plural(each.count, 'content')}")
        if each.lingers:
            note("a reader keeps the write-ahead log from being emptied: it is overwritten as soon as that ends")

"""Tags by hand: a claim is checked against what exists, then appended; it is withdrawn by a later one, never edited."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from collector.errors import QueryError, Withheld
from collector.tag import standing

if TYPE_CHECKING:
    from collector.store import Store
    from collector.tag import ControlSet

_RUN = re.compile(r"(?:run:)?(\d+-\d+)")
_ARTIFACT = re.compile(r"sha256:([0-9a-f]{64})")


def claim(store: Store, controls: ControlSet, target: str, control: str, *, note: str, actor: str) -> int:
    """Record that *target* (a run's id or ``sha256:...``) supports *control*; return the tag's id.

    Raises `QueryError` for a target that is not recorded, a control that is not defined, or an empty note.
    """
    known = sorted({each.id for each in controls.controls})
    if control not in known:
        raise QueryError(f"there is no control {control!r}", hint=f"There are: {', '.join(known) or 'none'}.")
    return store.append_tag(_recorded(store, target), control, _said(note), actor)


def withdrawal(store: Store, number: int, note: str, actor: str, *, now: datetime) -> int:
    """Record that tag *number* no longer holds; return the withdrawing tag's id.

    Raises `QueryError` for a tag that is not recorded or does not stand, or an empty note.
    """
    tags = {each.id: each for each in store.tags()}
    if number not in tags:
        raise QueryError(f"there is no tag {number}", hint="`evidenced tag list` shows those that stand.")
    tag = tags[number]
    if tag.withdraws is not None:
        raise QueryError(f"tag {number} is itself a withdrawal, of tag {tag.withdraws}", hint="Make the claim again.")
    if tag not in standing(tags.values(), now):
        raise QueryError(f"tag {number} is withdrawn already", hint="`evidenced tag list --all` shows by whom.")
    return store.append_tag(tag.target, tag.control, _said(note), actor, withdraws=number)


def _recorded(store: Store, target: str) -> str:
    """Return *target* as tags name it, having made sure that it exists."""
    if run := _RUN.fullmatch(target):
        store.run(run.group(1))
        return f"run:{run.group(1)}"
    if artifact := _ARTIFACT.fullmatch(target):
        with suppress(Withheld):  # it is there, and what it holds is not asked
            store.artifact(bytes.fromhex(artifact.group(1)))
        return target
    raise QueryError(
        f"{target!r} is neither a run nor an artifact", hint="Write a run's id (12-3) or sha256: and 64 hex digits."
    )


def _said(note: str) -> str:
    if not note.strip():
        raise QueryError("a claim needs a note", hint="Say why: --note TEXT.")
    return note.strip()

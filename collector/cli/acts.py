"""How an act at the auditor's desk is given as JSON, the same in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.act import Act
    from collector.model import Json


def said_of(act: Act) -> dict[str, Json]:
    """Return the id of *act* under the name of its kind, when, by whom, its leaf, and what its document says."""
    document = {name: value for name, value in act.document.items() if name != "form"}
    return {act.kind.value: act.id, "at": act.at, "by": act.actor, "leaf": act.leaf, **document}

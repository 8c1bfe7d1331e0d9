"""The sheet of one run: what an auditor needs to accept it as evidence (design 6)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.errors import QueryError
from collector.model import Json, Run, SnapshotRequest
from collector.tag import Tag, standing

if TYPE_CHECKING:
    from datetime import datetime

    from collector.store import Store


@dataclass(frozen=True, slots=True)
class Sheet:
    """A run with what it refers to.

    *procedure* is the query as declared, and *settings* those of the source; each is None when only its digest is
    recorded (as an early version did for a run by hand before there was a plan). *request* says who asked and why, for
    an ad hoc run. *tags* are the claims about the run, by hand, that stand.
    """

    run: Run
    procedure: Json
    settings: Json
    request: SnapshotRequest | None
    tags: tuple[Tag, ...]


def sheet_of(store: Store, name: str, *, now: datetime) -> Sheet:
    """Return the sheet of the run *name*. Raises `QueryError` when there is none."""
    name = name.removeprefix("run:")
    run = store.run(name)
    tags = standing(store.tags(target=f"run:{name}"), now)
    return Sheet(
        run,
        _document(store, run.provenance.procedure),
        _document(store, run.provenance.config),
        store.request_of(name),
        tuple(tags),
    )


def _document(store: Store, named: str) -> Json:
    """Return the document that *named* (``sha256:...``) names; None when it is not recorded: the digest is shown."""
    name = named.removeprefix("sha256:")
    if not re.fullmatch("[0-9a-f]{64}", name):
        return None
    try:
        data = store.artifact(bytes.fromhex(name))
    except QueryError:
        return None
    return json.loads(data)

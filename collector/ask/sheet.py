"""The sheet of one run: what an auditor needs to accept it as evidence (design 6)."""

from __future__ import annotations

import json
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
    recorded (a run made by hand before there was a plan). *request* says who asked and why, for an ad hoc run. *tags*
    are the claims about the run, by hand, that stand.
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
    try:
        return json.loads(store.artifact(bytes.fromhex(named.removeprefix("sha256:"))))
    except (QueryError, ValueError):
        # Not recorded: the digest alone is what there is, and the sheet shows it.
        return None

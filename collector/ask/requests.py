"""The auditor's request list: imported whole or not at all, linked to evidence, answered, commented."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from collector.act import Act, ActKind, NewAct
from collector.ask.engagements import engagement_of
from collector.ask.notes import note_of, require_no_secret
from collector.ask.request_files import rows_of
from collector.errors import QueryError, Unknown
from collector.population import subjects_of
from collector.requested import Asked, Request, Status, read_requests, requests_of
from collector.upload import safe_name

if TYPE_CHECKING:
    from collector.store import Store

_RUN = re.compile(r"(?:run:)?(\d+-\d+)")
_ARTIFACT = re.compile(r"sha256:[0-9a-f]{64}")
_ACT = re.compile(r"(population|sample|reconciliation|upload|review):(\d+)")


def import_requests(
    store: Store, engagement: str, path: PurePath, *, sheet: str = "", actor: str, data: bytes | None = None
) -> tuple[int, int]:
    """Record the requests in the file *path*; return how many, and how many were there already, word for word.

    With *data*, its content, *path* is only what it is called.
    Raises `QueryError` that names every bad row, and one that is there already with other words; then nothing is
    recorded.
    """
    found, name = engagement_of(store, engagement), safe_name(path.name)
    asked = read_requests(rows_of(path, sheet, data), name)
    for each in asked:
        require_no_secret(each.title, f"{name}:{each.row}")
    known = {each.id: each for each in requests(store, engagement)}
    new = [each for each in asked if each.id not in known]
    _require_same(asked, known, name)
    if not new:
        return 0, len(asked)

    def still_new(acts: Sequence[Act]) -> None:
        taken = {each.id for each in requests_of(acts)}
        for each in new:
            if each.id in taken:
                raise QueryError(f"{name}:{each.row}: {each.id!r} was added meanwhile", hint="Import again.")

    acts = [
        NewAct(ActKind.REQUEST, {**each.document(), "file": name, "row": each.row}, actor, found.id) for each in new
    ]
    store.desk.record(acts, still_new)
    return len(new), len(asked) - len(new)


def requests(store: Store, engagement: str = "") -> list[Request]:
    """Return the requests of *engagement*, or of all, in the order in which they were added."""
    number = engagement_of(store, engagement).id if engagement else None
    return requests_of(store.desk.acts(ActKind.REQUEST, number))


def request_of(store: Store, name: str, engagement: str = "") -> Request:
    """Return the request with the id *name*. Raises `QueryError` when there is none, or several engagements have it."""
    found = [each for each in requests(store, engagement) if each.id == name]
    if not found:
        raise Unknown(f"there is no request {name!r}", hint="`evidenced request list` shows them.")
    if len(found) > 1:
        raise QueryError(f"several engagements have a request {name!r}", hint="Say which: --engagement NAME.")
    return found[0]


def link(store: Store, request: Request, target: str, *, note: str, actor: str, remove: bool = False) -> Request:
    """Record that *target* answers *request*, or with *remove* that it does not.

    A target is a kind, a run, an artifact, or a frozen population, sample, reconciliation, upload or review of the
    same engagement. Raises `QueryError` for one that is not recorded, or linked already (not linked, to remove).
    """
    if not remove:
        target = _recorded(store, request, target)
    if (target in request.links) != remove:
        state = "not linked to it" if remove else "linked to it already"
        raise QueryError(f"request {request.id!r}: {target} is {state}")
    return _did(store, request, ("unlinked" if remove else "linked", target), note, actor)


def set_status(store: Store, request: Request, status: str, *, note: str, actor: str) -> Request:
    """Record that *request* now stands at *status*. Raises `QueryError` for an unknown one, and for the present one."""
    if status not in list(Status):
        raise QueryError(f"a request is not {status!r}", hint=f"It is one of: {', '.join(Status)}.")
    if status == request.status:
        raise QueryError(f"request {request.id!r} is {status} already", hint="Nothing was recorded.")
    return _did(store, request, ("status", status), note, actor)


def comment(store: Store, request: Request, text: str, *, actor: str) -> Request:
    """Record what *actor* says of *request*. Raises `QueryError` for nothing, and for what looks like a secret."""
    return _did(store, request, ("commented", ""), note_of(text, "a comment says something", "TEXT"), actor)


def _did(store: Store, request: Request, did: tuple[str, str], note: str, actor: str) -> Request:
    said = {"did": did[0], "what": did[1]}
    if note.strip():
        said["note"] = note_of(note, "", "--note")
    store.desk.record([NewAct(ActKind.REQUEST, said, actor, request.engagement, request.act)])
    acts = store.desk.acts(ActKind.REQUEST, request.engagement)
    return next(each for each in requests_of(acts) if each.act == request.act)


def _require_same(asked: Sequence[Asked], known: dict[str, Request], name: str) -> None:
    wrong = []
    for each in asked:
        there = known.get(each.id)
        if there and (there.title, there.criteria, there.due) != (each.title, each.criteria, each.due):
            wrong.append(f"{name}:{each.row}: {each.id!r} is there already, and says otherwise")
    if wrong:
        raise QueryError("\n".join(wrong), hint="Give it another id, or comment the one that is there.")


def _recorded(store: Store, request: Request, target: str) -> str:
    """Return *target* as requests name it, having made sure that it exists."""
    if run := _RUN.fullmatch(target):
        store.run(run[1])
        return f"run:{run[1]}"
    if _ARTIFACT.fullmatch(target):
        store.artifact(bytes.fromhex(target.removeprefix("sha256:")))
        return target
    if named := _ACT.fullmatch(target):
        act = store.desk.act(int(named[2]), ActKind(named[1]))
        if act.engagement != request.engagement:
            raise QueryError(f"{target} is of another engagement than request {request.id!r}")
        return target
    subjects_of(store, target)
    return target

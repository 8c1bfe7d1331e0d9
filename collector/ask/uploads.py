"""Manual evidence: files that people add for what no API gives, and what of it is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from collector.act import Act, ActKind, NewAct
from collector.ask.engagements import engagement_of, require_control
from collector.ask.notes import note_of, require_no_secret
from collector.canonical import digest
from collector.clock import iso, parse_instant
from collector.engagement import Engagement
from collector.errors import QueryError
from collector.model import Json, Period
from collector.tag import ControlSet
from collector.upload import TEXTS, Expected, Uploaded, effective_period, expected, file_type, media_types, safe_name

if TYPE_CHECKING:
    from collector.config_desk import UploadSettings
    from collector.store import Store

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A file to be added for *control*; it speaks of the days of *effective*, as typed.

    With *data*, its content, *path* is only what it is called, and nothing is read from there.
    """

    path: PurePath
    control: str
    effective: str
    reason: str
    data: bytes | None = None


def upload(
    store: Store, controls: ControlSet, engagement: str, new: NewUpload, limits: UploadSettings, *, actor: str
) -> Act:
    """Record the file of *new* for *engagement*, and return the act.

    Raises `QueryError` for a file that cannot be read, is empty, too large or of a type that is not taken, a text that
    holds what looks like a secret, an unknown control or engagement, days that are none and a missing reason.
    """
    found = engagement_of(store, engagement)
    require_control(controls, new.control)
    period = effective_period(new.effective)
    data = _content(new, limits.max_mb * _MB)
    kind = file_type(data, new.path.name)
    if kind not in limits.types:
        raise QueryError(
            f"{safe_name(new.path.name)}: files of type {kind} are not taken here",
            hint=f"The configuration takes: {', '.join(limits.types)} (uploads.types).",
        )
    if kind in TEXTS:
        require_no_secret(data.decode("utf-8-sig"), safe_name(new.path.name))
    said: dict[str, Json] = {
        "form": 1,
        "name": safe_name(new.path.name),
        "type": kind,
        "media_type": media_types()[kind],
        "bytes": len(data),
        "sha256": digest(data).hex(),
        "control": new.control,
        "effective": {"start": iso(period.start), "end": iso(period.end)},
        "reason": note_of(new.reason, "an upload needs a reason", "--reason"),
    }
    return store.desk.record([NewAct(ActKind.UPLOAD, said, actor, found.id, data=data)])[0]


def uploads_due(store: Store, controls: ControlSet, engagement: Engagement, *, now: datetime) -> list[Expected]:
    """Return what people must add for *engagement*, what of it is there, and what is missing at *now*.

    By the newest control set on record, else by *controls*.
    """
    recorded = store.controls()
    newest = ControlSet.of(recorded[-1].document) if recorded else controls
    there = [_uploaded(each) for each in store.desk.acts(ActKind.UPLOAD, engagement.id)]
    return expected(newest, engagement.terms, there, now)


def _uploaded(act: Act) -> Uploaded:
    said = act.document["effective"]
    return Uploaded(act.id, act.document["control"], Period(parse_instant(said["start"]), parse_instant(said["end"])))


def _content(new: NewUpload, most: int) -> bytes:
    name = safe_name(new.path.name)
    data = new.data if new.data is not None else _read(Path(new.path), name, most + 1)
    if not data:
        raise QueryError(f"{name}: the file is empty", hint="Evidence of nothing is no evidence.")
    if len(data) > most:
        raise QueryError(
            f"{name}: the file has more than {most // _MB} MB", hint="Make it smaller, or raise uploads.max_mb."
        )
    return data


def _read(path: Path, name: str, most: int) -> bytes:
    try:
        if not path.is_file():
            raise QueryError(f"{name}: this is not a file", hint="Name a file: evidenced upload FILE.")
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise QueryError(f"{name}: cannot be read: {error.strerror}") from error

"""`evidenced upload`, `uploads`: manual evidence for what no API gives, and what of it is due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.ask.documents import said_of
from collector.cli.layout import Part, Table, lines, show
from collector.cli.opening import actor, instants, load_ours, opened, recording
from collector.cli.options import ActorOption, ConfigOption, ForEngagementOption, InEngagementOption, JsonOption
from collector.cli.render import show_json, write_file
from collector.errors import QueryError
from collector.words import plural, size

if TYPE_CHECKING:
    from collector.act import Act
    from collector.upload import Expected

_File = Annotated[Path, typer.Argument(metavar="FILE", help="PDF, PNG, JPEG, CSV, XLSX, DOCX, text, JSON, e-mail.")]
_Effective = Annotated[
    str, typer.Option("--effective", metavar="DAYS", help="The days it speaks of: FIRST..LAST, both included.")
]
_Upload = Annotated[str, typer.Argument(metavar="UPLOAD", help="One of them, e.g. upload:9; left out: all.")]
_Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write its file there.")]


def upload(
    file: _File,
    control: Annotated[str, typer.Option("--control", metavar="ID", help="The control it is evidence for.")],
    engagement: ForEngagementOption,
    effective: _Effective,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What it shows; kept with it.")],
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a file as evidence.

    It is kept as it is, under its digest, and the log commits to it. Its type is told by its content; a text that
    holds what looks like a secret is refused.

    \b
    Example: evidenced upload review.pdf --control AC-02 \\
                 --engagement soc2-2026 --effective 2026-01-01..2026-03-31 \\
                 --reason 'access review of the first quarter'
    """
    from collector.ask.uploads import NewUpload
    from collector.ask.uploads import upload as record
    from collector.tag import load_controls

    with recording(config) as (settings, store):
        controls = load_controls(settings.controls_path)
        new = NewUpload(file, control, effective, reason)
        act = record(store, controls, engagement, new, settings.uploads, actor=actor(by))
    if as_json:
        show_json(said_of(act))
    else:
        show(*_shown(act))


def uploads(
    which: _Upload = "",
    engagement: InEngagementOption = "",
    out: _Out = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was uploaded.

    Of an engagement also what is due: what no API can give, by when, and whether it is there.

    \b
    Example: evidenced uploads --engagement soc2-2026
    Example: evidenced uploads upload:9 --out review.pdf
    """
    from collector.act import ActKind
    from collector.ask.engagements import act_named, acts_of, engagement_of
    from collector.ask.uploads import uploads_due
    from collector.tag import load_controls

    if out is not None and not which:
        raise QueryError("one file is written at a time", hint="Name the upload: evidenced uploads upload:9 -o FILE.")
    _, now = instants()
    settings = load_ours(config)
    due: list[Expected] = []
    with opened(settings) as store:
        found, names = acts_of(store, ActKind.UPLOAD, engagement)
        if which:
            found = [act_named(store, ActKind.UPLOAD, which)]
            if out is not None:
                write_file(out, store.artifact(found[0].artifact or b""))
        elif engagement:
            controls = load_controls(settings.controls_path)
            due = uploads_due(store, controls, engagement_of(store, engagement), now=now)
    if as_json:
        show_json({"uploads": [{**said_of(each), "engagement": names[each.engagement]} for each in found], "due": due})
    elif which:
        show(*_shown(found[0]))
    else:
        show(*_listed(found, names))
        show(*due_parts(due))


def due_parts(due: list[Expected]) -> Iterator[Part]:
    """Yield what people must upload, as lines and a table."""
    if not due:
        return
    missing = sum(each.state == "missing" for each in due)
    yield ""
    yield f"What no API can give: {plural(len(due), 'upload')} expected, {missing} missing"
    rows = [
        [each.control or "(no control)", each.criteria, each.state, each.period.end, _ids(each.uploads), each.title]
        for each in due
    ]
    yield Table(["control", "criteria", "state", "due by", "uploads", "title"], rows)


def _ids(uploads: tuple[int, ...]) -> list[str]:
    return [f"upload:{each}" for each in uploads]


def _shown(act: Act) -> list[Part]:
    said = act.document
    return lines(
        [
            ("upload", f"upload:{act.id}"),
            ("file", said["name"]),
            ("type", f"{said['type']}, {size(said['bytes'])}"),
            ("digest", f"sha256:{said['sha256']}"),
            ("control", said["control"]),
            ("effective", f"{said['effective']['start']} to {said['effective']['end']}"),
            ("reason", said["reason"]),
            ("uploaded", f"{act.at:%Y-%m-%dT%H:%M:%SZ} by {act.actor}"),
        ]
    )


def _listed(found: list[Act], names: dict[int, str]) -> Iterator[Part]:
    rows = [
        [
            f"upload:{each.id}",
            names[each.engagement],
            each.document["control"],
            each.document["name"],
            size(each.document["bytes"]),
            f"{each.document['effective']['start'][:10]} to {each.document['effective']['end'][:10]}",
            each.at,
            each.actor,
            each.document["reason"],
        ]
        for each in found
    ]
    yield Table(["upload", "engagement", "control", "file", "size", "effective", "at", "by", "reason"], rows)
    yield ""
    yield plural(len(rows), "upload")

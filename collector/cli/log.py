"""`evidenced log`: the evidence log, its signed checkpoints, and what to do after a loss."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.layout import Part, Table, lines, show
from collector.cli.opening import actor, instants, load_ours, opened, require_whole
from collector.cli.options import ActorOption, ConfigOption, JsonOption
from collector.cli.render import note as remark
from collector.cli.render import show_json, write
from collector.errors import BusyError, QueryError
from collector.words import plural, span

if TYPE_CHECKING:
    from collector.ask.signed_log import PlaceAge, SignedLog
    from collector.store import CheckpointRecord, Store

app = typer.Typer(no_args_is_help=True)

_SIZE = typer.Argument(metavar="[SIZE]", help="The checkpoint of this size; left out: the last one.")
_OUT = typer.Option("--out", "-o", metavar="FILE", help="Write it there, exactly.", show_default=False)


@app.callback()
def _group() -> None:
    """Show and sign the evidence log.

    Everything that is recorded is a leaf of one Merkle log. A checkpoint is its signed head: whoever holds one can
    tell whether anything before it was changed since.

    \b
    Example: evidenced log checkpoint
    """


@app.command("show")
def show_log(
    everything: Annotated[bool, typer.Option("--all", help="Every checkpoint, not the last ten.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the log's head, its checkpoints, and who holds them.

    Of each authority and anchor it says how old the newest checkpoint is that it has.

    \b
    Example: evidenced log show
    """
    from collector.ask.signed_log import signed_log

    settings = load_ours(config)
    _, now = instants()
    with opened(settings) as store:
        found = signed_log(store, settings, now, newest=None if everything else 10)
    if as_json:
        show_json(
            {
                **{name: getattr(found, name) for name in ("origin", "epoch", "size", "root", "checkpoints", "places")},
                "keys": [str(each.key) for each in found.keys],
                "epochs": [{"epoch": each.number, "size": each.size, "at": each.at} for each in found.epochs],
            }
        )
    else:
        show(*_log(found))


@app.command()
def checkpoint(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Take a checkpoint now, and deliver it.

    It is signed, recorded as a leaf, and taken to every authority and anchor that answers; for the others it waits,
    and the daemon tries again.

    \b
    Example: evidenced log checkpoint
    """
    from collector.checkpointing import open_queues, open_signer
    from collector.checkpoints import Checkpointer
    from collector.clock import SystemClock
    from collector.deliveries import Deliveries

    settings = load_ours(config)
    with opened(settings) as store:
        require_whole(settings, store, always=True)
        taken = Checkpointer(store, open_signer(settings), SystemClock()).take()
        troubles = Deliveries(store, open_queues(settings, store), SystemClock()).send(now=True)
    waiting = {place: error.message for place, error in troubles.items()}
    if as_json:
        show_json({"size": taken.size, "epoch": taken.epoch, "note": taken.note.decode(), "waiting": waiting})
    else:
        show(f"Checkpoint of {leaves(taken.size)}", *(f"not delivered yet: {each}" for each in waiting.values()))


@app.command("note")
def show_note(
    size: Annotated[int | None, _SIZE] = None,
    out: Annotated[Path | None, _OUT] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the signed note of a checkpoint, byte for byte.

    \b
    Example: evidenced log note -o checkpoint.note
    """
    with opened(load_ours(config)) as store:
        found = _checkpoint(store, size)
    if out:
        _save(out, found.note)
    elif as_json:
        show_json({"size": found.size, "note": found.note.decode()})
    else:
        write(found.note.decode())


@app.command()
def token(
    size: Annotated[int | None, _SIZE] = None,
    authority: Annotated[
        str, typer.Option("--authority", metavar="NAME", help="Whose; needed when there are several.")
    ] = "",
    out: Annotated[Path | None, _OUT] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the RFC 3161 token over a checkpoint's note.

    It is the authority's response as it came, the form that openssl ts reads.

    \b
    Example: evidenced log token -o checkpoint.tsr
    """
    from base64 import b64encode

    with opened(load_ours(config)) as store:
        found = _checkpoint(store, size)
        tokens = [each for each in store.checkpoints.tokens(found.id) if authority in ("", each.authority)]
    if len(tokens) != 1:
        names = ", ".join(each.authority for each in tokens)
        raise QueryError(
            f"the checkpoint of size {found.size} has {plural(len(tokens), 'token')}{f': {names}' if names else ''}",
            hint="Say which: --authority NAME." if tokens else "It may still wait; `evidenced log show` tells.",
        )
    if out:
        _save(out, tokens[0].token)
    elif as_json:
        data = b64encode(tokens[0].token).decode()
        show_json({"size": found.size, "authority": tokens[0].authority, "token": data})
    else:
        raise QueryError("a token is binary and would harm a terminal", hint="Name a file: -o FILE, or use --json.")


@app.command("new-epoch")
def new_epoch(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What happened; kept with the declaration.")],
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Declare that what was signed is lost, and let the log go on.

    After an older backup was restored, the store is behind its own checkpoints, and nothing is appended to it. This
    records a leaf that names the last checkpoint known, and begins a new epoch. The daemon must not run.

    \b
    Example: evidenced log new-epoch --reason 'disk lost, backup restored'
    """
    from collector.checkpointing import open_anchors, open_signer
    from collector.restore import new_epoch as declare
    from collector.running import DAEMON_LOCK

    settings = load_ours(config)
    with ExitStack() as held:
        store = held.enter_context(opened(settings))
        try:
            held.enter_context(store.lock(DAEMON_LOCK))
        except BusyError as error:
            raise BusyError("the daemon runs on this store", hint="Stop it first.") from error
        made = declare(store, open_signer(settings), open_anchors(settings), reason=reason, actor=actor(by))
    if as_json:
        show_json({"epoch": made.number, "size": made.size, "lost": made.note.decode()})
    else:
        show(f"Epoch {made.number} begins at {leaves(made.size)}; the last checkpoint before it was:", "")
        write(made.note.decode())


def leaves(count: int) -> str:
    """Return ``1 leaf``, ``2 leaves``."""
    return "1 leaf" if count == 1 else f"{count:,} leaves"


def _checkpoint(store: Store, size: int | None) -> CheckpointRecord:
    found = store.checkpoints.last() if size is None else store.checkpoints.of_size(size)
    if found is None:
        raise QueryError("there is no checkpoint yet", hint="`evidenced log checkpoint` takes one.")
    return found


def _save(path: Path, data: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise QueryError(f"{path} cannot be written: {error.strerror}", hint="Name a new file.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    remark(f"Wrote {path}")


def _log(found: SignedLog) -> Iterator[Part]:
    yield from lines(
        [
            ("log", found.origin),
            ("size", found.size),
            ("root", found.root),
            ("keys", tuple(f"{each.key.id.hex()} {each.state}" for each in found.keys)),
        ]
    )
    for each in found.epochs:
        yield f"epoch {each.number} since {each.at:%Y-%m-%d %H:%M}Z, after {leaves(each.size)}: {each.reason}"
    yield ""
    yield Table(
        ["checkpoint", "taken", "stamped by", "held by"],
        [[each.size, each.at, tuple(each.stamps), tuple(each.receipts)] for each in found.checkpoints],
        right=["checkpoint"],
    )
    if found.places:
        yield ""
        yield from place_lines(found.places)


def place_lines(places: tuple[PlaceAge, ...]) -> Iterator[Part]:
    """Return how each authority and anchor stands, as a table."""
    rows = [
        [
            f"{each.role} {each.name}",
            each.size,
            "never" if each.size is None else f"{span(each.age)} old",
            each.waiting,
            "error: too old" if each.late else "in time",
        ]
        for each in places
    ]
    yield Table(["place", "checkpoint", "newest", "waiting", "state"], rows, right=["checkpoint", "waiting"])

"""`evidenced keys`: the keys that sign the log's checkpoints."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.layout import Part, Table, show
from collector.cli.opening import actor, load_ours, opened, require_whole
from collector.cli.options import ActorOption, ConfigOption, JsonOption
from collector.cli.render import note, show_json, write

if TYPE_CHECKING:
    from collector.log.keys import KeyEvent, KeyTrust

app = typer.Typer(no_args_is_help=True)

_ID = typer.Argument(metavar="ID", help="The eight hex digits after the key's name.")
_REASON = typer.Option("--reason", metavar="TEXT", help="Why; kept with the record.")


@app.callback()
def _group() -> None:
    """Make, show, rotate and revoke signing keys.

    The configuration says where each key is; the log says from when until when it is to be believed.

    \b
    Example: evidenced keys create
    """


@app.command()
def create(by: ActorOption = "", config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Make the first key and record it.

    It is written to the file that checkpoints.keys names, for its owner alone; one that is there is taken as it is.

    \b
    Example: evidenced keys create
    """
    from collector.checkpointing import open_signer
    from collector.checkpoints import Checkpointer
    from collector.clock import SystemClock

    settings = load_ours(config)
    with opened(settings, create=True) as store:
        require_whole(settings, store, always=True)
        made = Checkpointer(store, open_signer(settings), SystemClock()).create_key(actor(by))
    _recorded(made, as_json)


@app.command("show")
def show_keys(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show every key, and for which checkpoints it is trusted.

    The lines at the end are the keys as verifiers read them.

    \b
    Example: evidenced keys show
    """
    from collector.log.keys import trust

    with opened(load_ours(config)) as store:
        found = trust(store.checkpoints.key_events())
    if as_json:
        show_json({"keys": [_plain(each) for each in found]})
    else:
        show(*_keys(found))
        # As verifiers read them: whole, on a line each, however narrow the terminal.
        write("".join(f"{each.key}\n" for each in found))


@app.command()
def rotate(
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="TIME", help="How long both keys sign, e.g. 12h or 7d.")
    ] = "7d",
    reason: Annotated[str, _REASON] = "",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the next key in the place of the one that signs.

    Name its file in checkpoints.keys first, beside the old one. Until the overlap is over both sign; then the daemon
    records up to which size the old one is trusted. A daemon that runs must reload (SIGHUP).

    \b
    Example: evidenced keys rotate --overlap 7d
    """
    from collector.cadence import parse_duration
    from collector.checkpointing import open_signer
    from collector.checkpoints import Checkpointer
    from collector.clock import SystemClock

    settings, length = load_ours(config), parse_duration(overlap)
    with opened(settings) as store:
        require_whole(settings, store, always=True)
        made = Checkpointer(store, open_signer(settings), SystemClock()).rotate_key(length, actor(by), reason)
    _recorded(made, as_json)


@app.command()
def revoke(
    key: Annotated[str, _ID],
    reason: Annotated[str, _REASON],
    last_size: Annotated[
        int | None,
        typer.Option("--last-size", metavar="SIZE", help="Last checkpoint it is trusted for.", show_default="the last"),
    ] = None,
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a key: it signs no more, and is trusted up to a size only.

    \b
    Example: evidenced keys revoke 1a2b3c4d --reason 'laptop lost'
    """
    from collector.checkpointing import open_signer
    from collector.checkpoints import Checkpointer
    from collector.clock import SystemClock

    settings = load_ours(config)
    with opened(settings) as store:
        require_whole(settings, store, always=True)
        checkpointer = Checkpointer(store, open_signer(settings), SystemClock())
        made = checkpointer.revoke_key(key, last_size, actor(by), reason)
    _recorded(made, as_json)


@app.command()
def serve(
    socket: Annotated[Path, typer.Option("--socket", metavar="PATH", help="The Unix socket to listen at.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the signer by itself, as a user who alone can read the key.

    The daemon's own configuration then says checkpoints.signer = "PATH", and names no key. Whoever may open the
    socket may ask; a log that shrank or forked gets no signature. SIGTERM ends it.

    \b
    Example: evidenced keys serve --socket /run/evidenced/signer.sock
    """
    from collections.abc import Callable

    from collector.errors import ConfigError
    from collector.signer import FileSigner
    from collector.signer import serve as listen

    settings = load_ours(config)
    if not settings.checkpoints.keys:
        raise ConfigError(f"{settings.path}: checkpoints.keys names no key to sign with")

    def ready(stop: Callable[[], None]) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stop())
        if as_json:
            show_json({"listening": str(socket)})
        else:
            note(f"signing at {socket}")

    checkpoints = settings.checkpoints
    listen(FileSigner(checkpoints.keys, checkpoints.memory_path(settings.path)), socket, ready=ready)


def _recorded(made: KeyEvent, as_json: bool) -> None:
    if as_json:
        show_json({"key": str(made.key), "act": made.act, "leaf": made.leaf, "until": made.until})
        return
    show(f"{made.act.value.capitalize()}, leaf {made.leaf}:")
    write(f"{made.key}\n")


def _keys(found: list[KeyTrust]) -> Iterator[Part]:
    yield Table(
        ["id", "state", "from size", "to size"],
        [[each.key.id.hex(), each.state.value, each.since, each.until] for each in found],
        right=["from size", "to size"],
    )
    yield ""


def _plain(each: KeyTrust) -> dict[str, object]:
    from collector.clock import from_ms

    return {
        "key": str(each.key),
        "id": each.key.id.hex(),
        "state": each.state,
        "since": each.since,
        "until": each.until,
        "overlap_until": from_ms(each.overlap_until_ms) if each.overlap_until_ms is not None else None,
    }

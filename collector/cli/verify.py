"""`evidenced verify` and `evidenced proof`: everything made again from stored bytes, and one piece of it offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.exits import NOT_IN_ORDER
from collector.cli.layout import Part, Table, lines, show
from collector.cli.opening import load_ours, opened, require_whole
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.render import progress, show_json, write_file
from collector.errors import IntegrityError, QueryError
from collector.words import plural

if TYPE_CHECKING:
    from collector.log.note import VerifierKey
    from collector.tokens import Roots
    from collector.verify import Checked, HeldNote, Stamp, Verification

_SHOWN = 40
_FILE = typer.Argument(metavar="FILE", help="A proof or a bundle to check, without a store; left out: the store.")
_SINCE = typer.Option("--since", metavar="NOTE", help="A checkpoint's note that you held.", show_default=False)
_ANCHORS = typer.Option("--anchors", metavar="DIR", help="Every note of a directory anchor.", show_default=False)
_KEY = typer.Option("--key", metavar="KEY", help="The key you know: name+id+base64, or a file.", show_default=False)
_ROOTS = typer.Option(
    "--roots",
    metavar="PEM",
    help="Root certificates of time stamp authorities that you trust; may be repeated.",
    show_default=False,
)
_READ_ONLY = typer.Option("--no-record", help="Only look: record no result.")
_REBUILD = typer.Option("--rebuild", help="First make every projection again from evidence, and say what differed.")
_TARGET = typer.Argument(metavar="RUN|ARTIFACT", help="A run's id, or sha256:... of an artifact.")
_OUT = typer.Option("--out", "-o", metavar="FILE", help="Where to write the proof.")


def verify(
    file: Annotated[Path | None, _FILE] = None,
    since: Annotated[list[Path] | None, _SINCE] = None,
    anchors: Annotated[Path | None, _ANCHORS] = None,
    key: Annotated[list[str] | None, _KEY] = None,
    roots: Annotated[list[Path] | None, _ROOTS] = None,
    no_record: Annotated[bool, _READ_ONLY] = False,
    rebuild: Annotated[bool, _REBUILD] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the store, one proof, or a bundle.

    Everything recorded is made again from its stored bytes and compared. The database alone cannot show that all of
    it was rewritten, or that its end was cut off: a checkpoint that you held (--since, --anchors) can. Time stamps are
    trusted under the roots that the configuration names, and under --roots; for a proof under --roots alone. Exits
    with 1 when anything differs, and records the result in the log; with 7, and without, on a store that was put back.

    With --rebuild the projections (item_version, slot_page: nothing that is not in the evidence too) are thrown away
    and made again first, in one transaction. On PostgreSQL that takes a login that may act for the tables' owner.

    \b
    Example: evidenced verify --since checkpoint.note --key vkey
    Example: evidenced verify --rebuild
    Example: evidenced verify run-12-3.proof --key vkey --roots tsa-root.pem
    Example: evidenced verify soc2-2026.zip --key vkey
    """
    from collector.tokens import read_roots
    from collector.verify import read_key

    trusted = tuple(read_roots(each, "--roots") for each in roots or ())
    keys = [read_key(each) for each in key or ()]
    if file is not None and file.suffix == ".zip":
        if since or anchors or rebuild or roots:
            raise QueryError("a bundle is checked by itself", hint="Leave out all but --key.")
        _verify_bundle(file, keys, as_json=as_json)
        return
    if file is not None:
        from collector.verify import Trust, check_proof, read_proof

        if since or anchors or rebuild:
            raise QueryError("a proof is checked by itself", hint="Leave out --since, --anchors and --rebuild.")
        checked = check_proof(read_proof(file), keys, Trust(roots=trusted))
        if as_json:
            show_json(checked)
        else:
            show(*_checked(checked))
        if checked.trouble:
            raise typer.Exit(NOT_IN_ORDER)
        return
    if rebuild and no_record:
        raise QueryError("what is rebuilt is recorded", hint="Leave out --no-record, or --rebuild.")
    notes = _notes(since or [], anchors)
    rebuilt = _rebuild(config) if rebuild else None
    found, leaf, lost = _verified(config, notes, keys, trusted, record=not no_record, rebuilt=rebuilt)
    if as_json:
        show_json({"verification": found, "recorded": leaf, "rebuilt": rebuilt})
    else:
        show(*_rebuilt(rebuilt), *_found(found, leaf))
    if lost is not None:
        raise lost
    if found.count:
        raise typer.Exit(NOT_IN_ORDER)


def _verify_bundle(file: Path, keys: list[VerifierKey], *, as_json: bool) -> None:
    from collector.export import verifier

    found = verifier.verify(str(file), list(map(str, keys)))
    if as_json:
        show_json(found)
    else:
        show(*verifier.lines_of(found))
    if found["verdict"] != "good":
        raise typer.Exit(NOT_IN_ORDER)


def proof(
    target: Annotated[str, _TARGET],
    out: Annotated[Path, _OUT],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the proof that a run or an artifact is in the log.

    The file holds what leads from it to its leaf and to the last checkpoint that covers the leaf; `evidenced verify
    FILE` checks it without a store, and so can anybody with sha256sum.

    \b
    Example: evidenced proof 12-3 -o run-12-3.proof
    """
    from collector.verify import prove

    with opened(load_ours(config)) as store:
        made = prove(store, target)
    write_file(out, made.data)
    if as_json:
        show_json({"file": str(out), "leaf": made.leaf, "size": made.size, "signed": made.signed})
    else:
        under = "a checkpoint" if made.signed else "the log's head, which nobody has signed yet"
        show(f"{out}: {target} is in leaf {made.leaf:,}, under {under} of {made.size:,} leaves")


def _notes(since: list[Path], anchors: Path | None) -> list[HeldNote]:
    from collector.verify import anchored_notes, held_notes

    notes = [note for each in since for note in held_notes(each)]
    return notes + (anchored_notes(anchors) if anchors else [])


def _rebuild(config: Path | None) -> dict[str, int]:
    with opened(load_ours(config)) as store:
        return store.rebuild()


def _rebuilt(rebuilt: dict[str, int] | None) -> Iterator[Part]:
    for table, rows in (rebuilt or {}).items():
        yield f"{table}: made again; {plural(rows, 'row')} differed" if rows else f"{table}: made again, and the same"


def _verified(
    config: Path | None,
    notes: list[HeldNote],
    keys: list[VerifierKey],
    roots: tuple[Roots, ...],
    *,
    record: bool,
    rebuilt: dict[str, int] | None,
) -> tuple[Verification, int | None, IntegrityError | None]:
    from collector.verify import Trust, unreadable
    from collector.verify import record as recorded
    from collector.verify import verify as everything

    settings = load_ours(config)
    try:
        with opened(settings) as store:
            trust = Trust(settings.checkpoints.known_roots(settings.path), roots)
            found = everything(store, notes=notes, keys=keys, trust=trust, read=_Progress())
            if not record or not found.may_be_recorded:
                return found, None, None
            try:
                require_whole(settings, store)
            except IntegrityError as error:
                # Nothing is appended to a store that was put back, not even that it agrees with itself.
                return found, None, error
            return found, recorded(store, found, rebuilt), None
    except IntegrityError as error:
        # The log's own beginning or head contradicts itself: a verdict, not a failure to give one.
        return unreadable(error), None, None


class _Progress:
    """Says which table is being read, when somebody is watching."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, table: str, rows: int) -> None:
        """Hear that so many *rows* of *table* were read."""
        if (said := f"{table} {rows // 100_000}") != self._said:
            self._said = said
            progress(f"reading {table}" + (f": {rows:,} rows" if rows >= 100_000 else ""))  # noqa: PLR2004


def _found(found: Verification, leaf: int | None) -> Iterator[Part]:
    recorded = f"leaf {leaf:,}" if leaf is not None else None
    yield from lines(
        [
            ("verdict", str(found.verdict)),
            ("log", f"{plural(found.size, 'leaf')}, root {found.root}".replace("leafs", "leaves")),
            ("read", f"{sum(found.rows.values()):,} rows of {len(found.rows)} tables"),
            ("recorded", recorded),
        ]
    )
    for each in found.stamped:
        why = f": {each.why}" if each.why else ""
        yield f"{plural(each.tokens, 'time stamp')} of {each.authority}, {each.trusted} trusted{why}"
    for said in found.remarks[:_SHOWN]:
        yield f"remark: {said}"
    if found.held:
        rows = [
            [each.where, each.size, _signed(each.signed, each.known), each.trouble or "agrees"] for each in found.held
        ]
        yield ""
        yield Table(["held elsewhere", "leaves", "signed by", "the log"], rows, ["leaves"])
    else:
        yield "No checkpoint held elsewhere was given: so nobody can tell if all of it was rewritten, or its end cut."
    if found.differences:
        yield ""
        yield Table(
            ["table", "row", "difference"], [[each.table, each.row, each.what] for each in found.differences[:_SHOWN]]
        )
    if found.count > _SHOWN:
        yield f"{found.count:,} differences in all; the first {len(found.differences):,} are in --json"


def _signed(keys: tuple[str, ...], known: bool) -> str:
    if not keys:
        return ""
    names = ", ".join("+".join(each.split("+")[:2]) for each in keys)
    return names if known else f"{names} (found in the log itself: give the key you know)"


def _checked(found: Checked) -> Iterator[Part]:
    yield from lines(
        [
            ("verdict", "does not hold" if found.trouble else "holds"),
            ("why", found.trouble),
            ("proves", found.proves),
            ("leaf", found.leaf),
            ("log", f"{found.origin}, {found.size:,} leaves"),
            ("signed by", _signed(found.signed, found.known) or "nobody: the head is only as good as who gave it"),
            ("stamped", tuple(_stamp(each) for each in found.stamps)),
        ]
    )


def _stamp(found: Stamp) -> str:
    by = "signed as its root says" if found.trusted else "not trusted: give its root certificate, --roots PEM"
    return f"{found.at:%Y-%m-%d %H:%M:%S}Z by {found.authority} ({by})"

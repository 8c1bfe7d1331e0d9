"""Checkpoints against the log: those in the store, and those that somebody else held.

A note in the store proves nothing against whoever rewrote the store; one that was held elsewhere does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collector.errors import EvidencedError, IntegrityError, QueryError
from collector.log import tree
from collector.log.checkpoint import Checkpoint, open_checkpoint
from collector.log.keys import KeyAct, KeyEvent, KeyTrust, trust, trusted
from collector.log.leaf import decode_leaf
from collector.log.note import VerifierKey, parse_note
from collector.log.origin import log_name, origin
from collector.log.packing import unpack_leaf
from collector.store.evidence import Evidence
from collector.verify.differences import Differences
from collector.verify.leaves import Claim


@dataclass(frozen=True, slots=True)
class HeldNote:
    """A signed note and *where* it was held."""

    where: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a note held elsewhere: the *size* it covers, who *signed* it, what is wrong (empty: nothing).

    *known* tells whether the key was given by whoever asked, and not just found in the log that it is to judge.
    """

    where: str
    size: int | None
    signed: tuple[str, ...]
    known: bool
    trouble: str = ""


def held_notes(path: Path) -> list[HeldNote]:
    """Return the note in the file *path*. Raises `QueryError` when it cannot be read."""
    try:
        return [HeldNote(str(path), path.read_bytes())]
    except OSError as error:
        raise QueryError(f"{path}: cannot be read: {error.strerror}") from error


def anchored_notes(folder: Path) -> list[HeldNote]:
    """Return every file under *folder*, as a directory anchor keeps them. Raises `QueryError` when there is none."""
    files = sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    if not files:
        raise QueryError(f"{folder}: there are no checkpoints here", hint="Name the folder of a directory anchor.")
    return [note for each in files for note in held_notes(each)]


def read_key(text: str) -> VerifierKey:
    """Return the verifier key that is *text* or the first line of the file it names. Raises `ConfigError`."""
    path = Path(text)
    if "+" not in text and path.is_file():
        text = path.read_text(encoding="utf-8").strip().splitlines()[0]
    return VerifierKey.parse(text)


def stored_claims(evidence: Evidence, differences: Differences) -> list[Claim]:
    """Return what the stored checkpoints and earlier verifications say of the log."""
    claims = []
    for row in evidence.rows("checkpoint"):
        with differences.at("checkpoint", row["id"]):
            found = Checkpoint.parse(parse_note(row["note"]).text)
            claims.append(Claim("checkpoint", str(row["id"]), found.size, found.root))
    return claims


def check_signatures(evidence: Evidence, differences: Differences) -> None:
    """Compare every stored note with the keys that the log itself trusts for its size, under its own name."""
    keys, log = log_keys(evidence), name_of_log(evidence)
    for row in evidence.rows("checkpoint"):
        with differences.at("checkpoint", row["id"]):
            open_checkpoint(row["note"], origin(log, row["epoch"]), trusted(keys, row["size"]))


def name_of_log(evidence: Evidence) -> str:
    """Return the log's name, which its first leaf says. Raises `IntegrityError` when there is none."""
    first = evidence.one("log_leaf", idx=0)
    store = decode_leaf(unpack_leaf(first["bytes"])).payload.get("store") if first else None
    if not isinstance(store, str):
        raise IntegrityError("the first leaf is not the beginning of a store's log")
    return log_name(store)


def log_keys(evidence: Evidence) -> list[KeyTrust]:
    """Return the keys that the log names. Raises ValueError or `ConfigError` for what is no key."""
    return trust(
        KeyEvent(
            KeyAct(row["act"]),
            VerifierKey.parse(row["key"]),
            row["at"],
            row["leaf"],
            VerifierKey.parse(row["replaces"]) if row["replaces"] else None,
            row["overlap"],
            row["until"],
        )
        for row in evidence.rows("signing_key")
    )


def compare_held(evidence: Evidence, notes: Iterable[HeldNote], keys: Sequence[VerifierKey]) -> Iterator[Compared]:
    """Compare the log as it is with each of *notes*, by *keys*, else by the log's own keys. Never raises."""
    for note in notes:
        try:
            yield _compared(evidence, note, keys)
        except (EvidencedError, ValueError) as error:
            yield Compared(note.where, None, (), bool(keys), str(error))


def _compared(evidence: Evidence, note: HeldNote, keys: Sequence[VerifierKey]) -> Compared:
    parsed = Checkpoint.parse(parse_note(note.data).text)
    log = name_of_log(evidence)
    if parsed.origin != log and not parsed.origin.startswith(f"{log}/"):
        raise IntegrityError(f"it is a checkpoint of the log {parsed.origin!r}, and this one is {log!r}")
    believed = tuple(keys) or trusted(log_keys(evidence), parsed.size)
    checkpoint, signed = open_checkpoint(note.data, parsed.origin, believed)
    found = Compared(note.where, checkpoint.size, tuple(map(str, signed)), bool(keys))
    return replace(found, trouble=_trouble(evidence, checkpoint))


def _trouble(evidence: Evidence, held: Checkpoint) -> str:
    head = evidence.head()
    if held.size > head.size:
        return f"it covers {held.size} leaves, and the log has {head.size}: the tail was cut or an older store put back"
    try:
        proof = evidence.consistency_proof(held.size, head.size)
        tree.verify_consistency(held.size, head.size, held.root, head.root, proof)
    except IntegrityError:
        return f"the log is not the one that it covers: something among the first {held.size} leaves was changed"
    return ""

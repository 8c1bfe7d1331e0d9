"""A proof: one file that leads from a run or an artifact to a leaf of the log, and from there to a signed head.

It is one JSON object, one value a line. *parts* are bytes, each of which another one commits to: the part *within*, or
the leaf. A part's digest is the *field* of what commits to it, or the part is in the Merkle tree (RFC 6962) whose root
is that field, at *index* of *size* by *path*. In the tree of changes an item is 64 bytes: the digests of its key and of
its artifact.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collector.canonical import digest
from collector.clock import from_ms
from collector.errors import ConfigError, EvidencedError, IntegrityError, QueryError
from collector.log import tree
from collector.log.checkpoint import Checkpoint, open_checkpoint
from collector.log.leaf import LeafContent, decode_leaf
from collector.log.note import VerifierKey, parse_note
from collector.model import Json, show_digest
from collector.verify.tokens import NOBODY, Stamp, Trust, read_stamp

FORMAT = "evidenced-proof/1"
# How each part may be committed to: within what, by which field, and where in the tree of that field.
SHEET, FRAME, NOTES, ENTRIES = 0, 1, 2, 3
_PLACES = {"sheet": SHEET, "frame": FRAME, "notes": NOTES}


@dataclass(frozen=True, slots=True)
class Branch:
    """Where something is in a Merkle tree, and the hashes beside the way up."""

    index: int
    size: int
    path: tuple[bytes, ...]

    def leads(self, leaf: bytes, root: bytes) -> None:
        """Raise `IntegrityError` unless *leaf* (a hash) is here in the tree under *root*."""
        tree.verify_inclusion(leaf, self.index, self.size, self.path, root)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes, and how *within* (another part, or ``leaf``) commits to them by its *field*; *key* is an item's digest."""

    name: str
    data: bytes
    within: str
    field: str
    branch: Branch | None = None
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Proof:
    """That *target* (``run 12-3``, ``artifact sha256:...``) is in leaf *index* of the log under *note*, else *root*.

    Without a *note* nobody signed the head, and the proof is as good as whoever gave it. *tokens* are what time stamp
    authorities (their names) answered over the note.
    """

    target: str
    parts: tuple[Part, ...]
    leaf: bytes
    branch: Branch
    root: bytes
    origin: str
    note: bytes = b""
    tokens: tuple[tuple[str, bytes], ...] = ()

    def data(self) -> bytes:
        """Return the file."""
        said = {
            "format": FORMAT,
            "proves": self.target,
            "parts": [_part(each) for each in self.parts],
            "leaf": _base64(self.leaf),
            **_branch(self.branch),
            "root": self.root.hex(),
            "origin": self.origin,
            "note": _base64(self.note),
            "tokens": [{"authority": name, "token": _base64(token)} for name, token in self.tokens],
        }
        return json.dumps(said, indent=1).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a proof: what it *proves*, in which *leaf* of how many, who *signed* the head; *trouble* or empty.

    *known* tells whether the key was given by whoever asked; *stamps* are the time stamps of the head.
    """

    proves: str
    leaf: int
    size: int
    origin: str
    signed: tuple[str, ...]
    known: bool
    trouble: str = ""
    stamps: tuple[Stamp, ...] = ()


def read_proof(path: Path) -> Proof:
    """Return the proof in the file *path*. Raises `QueryError`, and `IntegrityError` as `parse_proof`."""
    try:
        return parse_proof(path.read_bytes())
    except OSError as error:
        raise QueryError(f"{path}: cannot be read: {error.strerror}") from error


def parse_proof(data: bytes) -> Proof:
    """Return the proof whose file is *data*. Raises `IntegrityError` for anything else; nothing is believed yet."""
    try:
        said = json.loads(data)
        if said["format"] != FORMAT:
            raise IntegrityError(f"not a proof: its format is {said['format']!r}, not {FORMAT!r}")
        return Proof(
            _text(said["proves"]),
            tuple(_read_part(each) for each in said["parts"]),
            b64decode(said["leaf"], validate=True),
            _read_branch(said),
            bytes.fromhex(said["root"]),
            _text(said["origin"]),
            b64decode(said["note"], validate=True),
            tuple((_text(each["authority"]), b64decode(each["token"], validate=True)) for each in said["tokens"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"not a proof: {type(error).__name__}: {error}") from error


def check_proof(proof: Proof, keys: Sequence[VerifierKey], trust: Trust = NOBODY) -> Checked:
    """Return whether *proof* holds; its head is believed for the signature of one of *keys*, or not at all.

    Without keys the signature cannot be checked; then everything else is. So it is with time stamps, and *trust*.
    Raises `ConfigError` when it takes openssl to read one and there is none.
    """
    found = Checked(proof.target, proof.branch.index, proof.branch.size, proof.origin, (), bool(keys))
    try:
        signed = _check_head(proof, keys)
        proof.branch.leads(tree.leaf_hash(proof.leaf), proof.root)
        leaf = decode_leaf(proof.leaf)
        _check_target(proof, leaf)
        stamps = tuple(read_stamp(name, token, proof.note, from_ms(leaf.at_ms), trust) for name, token in proof.tokens)
    except ConfigError:
        raise
    except EvidencedError as error:
        return replace(found, trouble=error.message)
    return replace(found, signed=signed, stamps=stamps)


def _check_head(proof: Proof, keys: Sequence[VerifierKey]) -> tuple[str, ...]:
    if not proof.note:
        if keys:
            raise IntegrityError("the head that it leads to is not signed by anybody")
        return ()
    checkpoint = Checkpoint.parse(parse_note(proof.note).text)
    if (checkpoint.origin, checkpoint.size, checkpoint.root) != (proof.origin, proof.branch.size, proof.root):
        raise IntegrityError("its checkpoint is of another head")
    if not keys:
        return ()
    _, signed = open_checkpoint(proof.note, proof.origin, keys)
    return tuple(map(str, signed))


def _check_target(proof: Proof, leaf: LeafContent) -> None:
    parts = {each.name: each for each in proof.parts}
    if len(parts) != len(proof.parts):
        raise IntegrityError("it has a part twice")
    for part in proof.parts:
        _check_part(part, leaf, parts)
    word, _, name = proof.target.partition(" ")
    if word == "artifact":
        if all(show_digest(digest(each.data)) != name for each in proof.parts if each.name != "entry"):
            raise IntegrityError("the artifact in it has another digest")
    elif word == "run":
        _check_run(name, leaf, parts)
    else:
        raise IntegrityError(f"it proves {proof.target!r}, which is neither a run nor an artifact")


def _check_run(name: str, leaf: LeafContent, parts: dict[str, Part]) -> None:
    sweep, _, position = name.partition("-")
    if str(leaf.payload.get("sweep")) != sweep or "sheet" not in parts or "frame" not in parts:
        raise IntegrityError(f"its leaf is not that of run {name}, or the run's sheet and frame are not in it")
    if not position.isdecimal() or int(position) >= sum(leaf.payload["runs"].values()):
        raise IntegrityError(f"the sweep of its leaf has no run {name}")


def _check_part(part: Part, leaf: LeafContent, parts: dict[str, Part]) -> None:
    """Raise `IntegrityError` unless *part* is committed to by the field that its name demands."""
    if part.name in _PLACES or part.name == "entry":
        if part.branch is None or (part.within, part.field) != ("leaf", "root"):
            raise IntegrityError(f"the {part.name} is not in what the sweep recorded")
        expected = _PLACES.get(part.name, part.branch.index)
        if part.branch.index != expected or (part.name == "entry" and expected < ENTRIES):
            raise IntegrityError(f"the {part.name} is not in its place among what the sweep recorded")
        hashed = digest(part.data) if part.name in ("frame", "notes") else part.data
        part.branch.leads(tree.leaf_hash(hashed), _hash(leaf.payload, "root"))
    elif part.name == "artifact" and part.branch is not None and (part.within, part.field) == ("entry", "changes"):
        entry = _said(parts.get("entry"))
        part.branch.leads(tree.leaf_hash(part.key + digest(part.data)), _hash(entry, "changes"))
    elif part.name == "artifact" and part.branch is None:
        fields = {"leaf": ("document", "artifact"), "entry": ("volatile",)}
        above = leaf.payload if part.within == "leaf" else _said(parts.get(part.within))
        if part.field not in fields.get(part.within, ()) or _hash(above, part.field) != digest(part.data):
            raise IntegrityError("nothing in it commits to the artifact")
    else:
        raise IntegrityError(f"it has a part {part.name!r} that leads nowhere")


def _said(part: Part | None) -> dict[str, Json]:
    try:
        found = json.loads(part.data) if part else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise IntegrityError("the entry that it needs is not in it")
    return found


def _hash(said: dict[str, Json], field: str) -> bytes:
    try:
        return bytes.fromhex(said[field])
    except (KeyError, ValueError, TypeError) as error:
        raise IntegrityError(f"what commits to it has no digest in {field!r}") from error


def _part(part: Part) -> dict[str, Json]:
    said: dict[str, Json] = {"name": part.name, "bytes": _base64(part.data), "within": part.within, "field": part.field}
    if part.branch:
        said |= {"key": part.key.hex(), **_branch(part.branch)} if part.key else _branch(part.branch)
    return said


def _branch(branch: Branch) -> dict[str, Json]:
    return {"index": branch.index, "size": branch.size, "path": [each.hex() for each in branch.path]}


def _read_part(said: dict[str, Json]) -> Part:
    branch = _read_branch(said) if "path" in said else None
    name, within, field = (_text(said[each]) for each in ("name", "within", "field"))
    data, key = b64decode(said["bytes"], validate=True), bytes.fromhex(said.get("key", ""))
    return Part(name, data, within, field, branch, key)


def _read_branch(said: dict[str, Json]) -> Branch:
    index, size = said["index"], said["size"]
    if type(index) is not int or type(size) is not int or size > 2**63:
        raise ValueError("a place in a tree is not a whole number")
    return Branch(index, size, tuple(bytes.fromhex(each) for each in said["path"]))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} stands where text should")
    return value


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def branch_of(leaves: Sequence[bytes], index: int) -> Branch:
    """Return where leaf *index* is in the tree over *leaves* (their bytes)."""

    def read(nodes: Sequence[tree.Node]) -> list[bytes]:
        return list(_hashes(leaves, nodes))

    return Branch(index, len(leaves), tuple(tree.inclusion_proof(index, len(leaves), read)))


def _hashes(leaves: Sequence[bytes], nodes: Sequence[tree.Node]) -> Iterator[bytes]:
    for node in nodes:
        level = [tree.leaf_hash(each) for each in leaves[node.index << node.level : (node.index + 1) << node.level]]
        while len(level) > 1:
            level = [tree.node_hash(one, two) for one, two in zip(level[::2], level[1::2], strict=True)]
        yield level[0]

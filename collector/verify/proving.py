"""Make the proof of a run or an artifact from a store."""

from __future__ import annotations

from dataclasses import dataclass

from collector.canonical import digest
from collector.errors import QueryError
from collector.log.checkpoint import Checkpoint
from collector.log.note import parse_note
from collector.log.origin import log_name, origin
from collector.model import Subject, show_digest
from collector.store import Store
from collector.store.contents import unknown
from collector.store.evidence import Evidence, Row
from collector.store.scoped import Scoped
from collector.verify.contents import stored_content
from collector.verify.proofs import ENTRIES, FRAME, NOTES, SHEET, Branch, Part, Proof, branch_of
from collector.verify.sweeps import SweepParts, sweep_parts


@dataclass(frozen=True, slots=True)
class Made:
    """A *proof*, the *leaf* it leads to, the *size* of the head above it, and whether that is *signed*."""

    proof: Proof
    leaf: int
    size: int
    signed: bool

    @property
    def data(self) -> bytes:
        """The proof as a file."""
        return self.proof.data()


def prove(store: Store, target: str) -> Made:
    """Return the proof of *target*: a run's id, or ``sha256:...`` of an artifact.

    The head is that of the first checkpoint that covers the leaf, else the log's own. Within an engagement only what is
    in it is proved, and by a leaf that is: of contents that others have as well, another than theirs. Raises
    `QueryError` when there is no such thing in the store, `Withheld` when it was erased, `IntegrityError` where the
    store contradicts itself: then verify it.
    """
    whole = store.whole_for_export() if isinstance(store, Scoped) else store
    with whole.evidence(lambda *_: None, lambda *_: None) as evidence:
        if target.startswith("sha256:"):
            name, parts, leaf = _artifact(store, evidence, target)
        else:
            run = store.run(target.removeprefix("run:"))
            name = f"run {run.id}"
            parts, leaf = _run(evidence, int(run.id.partition("-")[0]))
        return _proof(store, evidence, name, parts, leaf)


def _proof(store: Store, evidence: Evidence, name: str, parts: tuple[Part, ...], leaf: int) -> Made:
    note = next((row for row in evidence.rows("checkpoint", "size") if row["size"] > leaf), None)
    head = evidence.head()
    size, root, log = head.size, head.root, origin(log_name(store.id), store.checkpoints.epoch())
    if note is not None:
        checkpoint = Checkpoint.parse(parse_note(note["note"]).text)
        size, root, log = checkpoint.size, checkpoint.root, checkpoint.origin
    row = evidence.one("log_leaf", idx=leaf)
    if row is None:
        raise QueryError(f"leaf {leaf} of the log is not there", hint="`evidenced verify` tells what else is wrong.")
    branch = Branch(leaf, size, tuple(evidence.inclusion_proof(leaf, size)))
    tokens = evidence.where("checkpoint_token", checkpoint=note["id"]) if note else ()
    stamped = tuple((each["authority"], each["token"]) for each in tokens)
    made = Proof(name, parts, row["bytes"], branch, root, log, note["note"] if note else b"", stamped)
    return Made(made, leaf, size, note is not None)


def _run(evidence: Evidence, sweep: int) -> tuple[tuple[Part, ...], int]:
    found = sweep_parts(evidence, sweep)
    named = [("sheet", SHEET, found.sheet), ("frame", FRAME, found.frame), ("notes", NOTES, found.notes)]
    parts = tuple(
        Part(name, data, "leaf", "root", branch_of(found.leaves, index)) for name, index, data in named if data
    )
    return parts, found.leaf


def _artifact(store: Store, evidence: Evidence, target: str) -> tuple[str, tuple[Part, ...], int]:
    try:
        name = bytes.fromhex(target.removeprefix("sha256:"))
    except ValueError:
        raise QueryError(f"{target!r} is not a digest", hint="Digests are sha256: and 64 hex digits.") from None
    row = evidence.one("artifact", digest=name)
    if row is None:
        raise unknown(name)
    within = store if isinstance(store, Scoped) else None
    if within is not None:
        within.artifact(name)
    data = stored_content(evidence, row) if row["bytes"] is not None else store.artifact(name)
    found = (
        _changed(evidence, row["id"], data, within)
        or _kept(evidence, row["id"], data, within)
        or _document(evidence, row["id"], data)
        or _said(evidence, row["id"], data)
        or _brought(evidence, row["id"], data, within)
    )
    if found is None:
        raise QueryError(f"no leaf commits to {target} yet", hint="It was stored ahead of a sweep that never came.")
    return f"artifact {show_digest(name)}", *found


def _holds(evidence: Evidence, subject: int, within: Scoped | None) -> bool:
    """Return whether the subject with the number *subject* is in scope."""
    if within is None:
        return True
    row = evidence.one("subject", id=subject)
    source = evidence.one("source", id=row["source"]) if row else None
    if row is None or source is None:
        return False
    return within.engagement.terms.holds(Subject(source["name"], row["kind"], row["scope"]))


def _changed(
    evidence: Evidence, number: int, data: bytes, within: Scoped | None
) -> tuple[tuple[Part, ...], int] | None:
    """Return how the artifact of an item leads to the leaf of the first sweep that saw it."""
    changes = evidence.where("change", artifact=number)
    states = ((each, evidence.one("population_state", id=each["state"])) for each in changes)
    seen = ((change, state) for change, state in states if state and _holds(evidence, state["subject"], within))
    change, state = next(seen, (None, None))
    if change is None or state is None:
        return None
    found = sweep_parts(evidence, state["sweep"])
    entry = next(each for each in found.entries if each.state == state["id"])
    pairs = sorted(key + value for key, value in entry.steps)
    item = evidence.one("item", id=change["item"])
    key: bytes = item["key_digest"] if item else b""
    artifact = Part("artifact", data, "entry", "changes", branch_of(pairs, pairs.index(key + digest(data))), key)
    return (artifact, _entry(found, entry.data)), found.leaf


def _kept(evidence: Evidence, number: int, data: bytes, within: Scoped | None) -> tuple[tuple[Part, ...], int] | None:
    kept = evidence.where("volatile", artifact=number)
    row = next((each for each in kept if _holds(evidence, each["subject"], within)), None)
    if row is None:
        return None
    found = sweep_parts(evidence, row["sweep"])
    entry = next(each for each in found.entries if each.volatile == digest(data))
    return (Part("artifact", data, "entry", "volatile"), _entry(found, entry.data)), found.leaf


def _document(evidence: Evidence, number: int, data: bytes) -> tuple[tuple[Part, ...], int] | None:
    row = evidence.one("plan", artifact=number) or evidence.one("controls", artifact=number)
    return None if row is None else ((Part("artifact", data, "leaf", "document"),), row["leaf"])


def _said(evidence: Evidence, number: int, data: bytes) -> tuple[tuple[Part, ...], int] | None:
    """Return how a frame or notes lead to the leaf of a sweep that names them."""
    for name, index in (("frame", FRAME), ("notes", NOTES)):
        row: Row | None = evidence.one("sweep", **{name: number})
        if row is not None:
            found = sweep_parts(evidence, row["id"])
            part = Part(name, data, "leaf", "root", branch_of(found.leaves, index))
            return (part,), found.leaf
    return None


def _brought(
    evidence: Evidence, number: int, data: bytes, within: Scoped | None
) -> tuple[tuple[Part, ...], int] | None:
    """Return how the document of an act at the desk, or the bytes it brought, leads to the act's leaf."""
    of = {} if within is None else {"engagement": within.engagement.id}
    for field in ("document", "artifact"):
        row: Row | None = evidence.one("desk_act", **{field: number}, **of)
        if row is not None:
            return (Part("artifact", data, "leaf", field),), row["leaf"]
    return None


def _entry(found: SweepParts, data: bytes) -> Part:
    return Part(
        "entry",
        data,
        "leaf",
        "root",
        branch_of(found.leaves, ENTRIES + [each.data for each in found.entries].index(data)),
    )

"""Verify a whole store: everything made again from stored bytes, in one state of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.errors import IntegrityError
from collector.log.ledger import LogHead
from collector.log.note import VerifierKey
from collector.model import Json
from collector.sealing import Keyring, NoKeyring
from collector.store import Store
from collector.store.evidence import Evidence, Read
from collector.verify.commitments import Commitments, read_requests
from collector.verify.dictionaries import read_dictionaries, require_all_used
from collector.verify.differences import Difference, Differences, Verdict
from collector.verify.leaves import check_leaves, check_tree
from collector.verify.notes import Compared, HeldNote, check_signatures, compare_held, stored_claims
from collector.verify.populations import check_items, check_states
from collector.verify.sealing import Seals, check_people, read_contents, read_items
from collector.verify.sweeps import Sweeps
from collector.verify.tokens import NOBODY, Stamped, Trust, check_tokens


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification came to. *size* and *root* are the log's head; *rows* counts what was read, by table.

    *count* is of all differences, *differences* the first thousand of them; *remarks* alter nothing; *held* is what
    became of each note that was held elsewhere, *stamped* of the time stamp authorities' tokens.
    """

    verdict: Verdict
    size: int
    root: str
    rows: dict[str, int]
    count: int
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]
    held: tuple[Compared, ...] = ()
    stamped: tuple[Stamped, ...] = ()

    @property
    def may_be_recorded(self) -> bool:
        """Whether the log is still the one that it was: to another nothing may be appended."""
        return not any(each.trouble for each in self.held) and not any(
            each.table.startswith("log_") for each in self.differences
        )


def verify(
    store: Store,
    *,
    notes: Sequence[HeldNote] = (),
    keys: Sequence[VerifierKey] = (),
    trust: Trust = NOBODY,
    read: Read = lambda *_: None,
) -> Verification:
    """Make everything in *store* again from its stored bytes, and compare it; *notes*, by *keys*, were held elsewhere.

    Tokens of time stamp authorities are believed as *trust* says, and read in any case.
    Contradictions are differences, never errors; raises `StoreError` when the database does not do its part.
    """
    differences = Differences()
    with store.evidence(differences.add, read) as evidence:
        return verify_evidence(evidence, differences, notes, keys, trust, sealed_with=store.sealing.keys.ring)


def verify_evidence(
    evidence: Evidence,
    differences: Differences,
    notes: Sequence[HeldNote] = (),
    keys: Sequence[VerifierKey] = (),
    trust: Trust = NOBODY,
    *,
    sealed_with: Keyring | None = None,
) -> Verification:
    """Verify *evidence*, as `verify` does; *differences* is what hears of its unreadable rows.

    What is sealed is opened with *sealed_with*, where that has the keys.
    """
    gone = evidence.missing()
    for each in gone:
        differences.add(each.partition(".")[0], "-", f"{each} is not there")
    stamped = () if gone else _verify(evidence, trust, sealed_with or NoKeyring(), differences)
    held = () if gone else tuple(compare_held(evidence, notes, keys))
    for note in held:
        if note.trouble:
            differences.add("log_head", "1", f"{note.where}: {note.trouble}")
    head = LogHead(0, b"") if gone else _head(evidence, differences)
    return Verification(
        differences.verdict,
        head.size,
        head.root.hex(),
        dict(sorted(differences.rows.items())),
        differences.count,
        tuple(differences.found),
        tuple(differences.remarks),
        held,
        stamped,
    )


def record(store: Store, found: Verification, rebuilt: Mapping[str, int] | None = None) -> int | None:
    """Record what *found* says, as a leaf, and return its index; None when nothing may be appended to such a log.

    *rebuilt* says of projections that were made again just before in how many rows they differed, by table.
    """
    if not found.may_be_recorded:
        return None
    said: dict[str, Json] = {
        "size": found.size,
        "root": found.root,
        "verdict": found.verdict.value,
        "differences": found.count,
    }
    if rebuilt is not None:
        said["rebuilt"] = dict(rebuilt)
    return store.checkpoints.add_verification(said)


def unreadable(error: IntegrityError) -> Verification:
    """Return what is said of a store that cannot even be opened for what *error* says of its log."""
    return Verification(Verdict.ALTERED, 0, "", {}, 1, (Difference("log_head", "1", error.message),), ())


def _verify(evidence: Evidence, trust: Trust, sealed_with: Keyring, differences: Differences) -> tuple[Stamped, ...]:
    known = read_dictionaries(evidence, differences)
    seals = Seals(evidence, known, sealed_with, differences)
    items = read_items(evidence, seals, differences)
    contents = read_contents(evidence, seals, differences)
    check_people(evidence, seals, differences)
    check_states(evidence, contents, items, known, differences)
    check_items(evidence, items, differences)
    sweeps = Sweeps(evidence, contents, items, known, differences)
    commitments = Commitments(evidence, contents, known, sweeps, differences)
    check_leaves(evidence, commitments, stored_claims(evidence, differences), differences)
    read_requests(evidence, known, sweeps.answered, differences)
    require_all_used(known, differences)
    check_tree(evidence, differences)
    with differences.at("signing_key", "-"):
        check_signatures(evidence, differences)
    return check_tokens(evidence, trust, differences)


def _head(evidence: Evidence, differences: Differences) -> LogHead:
    try:
        return evidence.head()
    except IntegrityError as error:
        if not any(each.table == "log_head" for each in differences.found):
            differences.add("log_head", "1", error.message)
        return LogHead(0, b"")

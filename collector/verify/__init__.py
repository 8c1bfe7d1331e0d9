"""Verification: everything recorded is made again from stored bytes and compared (design 8).

`verify` reads a store and says what does not agree. It trusts nothing but SHA-256 and, where they are given, notes and
keys held elsewhere.
"""

from __future__ import annotations

from collector.verify.differences import Difference, Verdict
from collector.verify.notes import Compared, HeldNote, anchored_notes, held_notes, read_key
from collector.verify.proofs import Checked, Proof, check_proof, parse_proof, read_proof
from collector.verify.proving import Made, prove
from collector.verify.tokens import NOBODY, Stamp, Stamped, Trust
from collector.verify.verifying import Verification, record, unreadable, verify, verify_evidence

__all__ = [
    "NOBODY",
    "Checked",
    "Compared",
    "Difference",
    "HeldNote",
    "Made",
    "Proof",
    "Stamp",
    "Stamped",
    "Trust",
    "Verdict",
    "Verification",
    "anchored_notes",
    "check_proof",
    "held_notes",
    "parse_proof",
    "prove",
    "read_key",
    "read_proof",
    "record",
    "unreadable",
    "verify",
    "verify_evidence",
]

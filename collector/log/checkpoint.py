"""Checkpoints (c2sp.org/tlog-checkpoint): the head of a log as the text of a signed note. Pure."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import IntegrityError
from collector.log.note import Signer, VerifierKey, open_note, sign_note
from collector.log.tree import EMPTY_ROOT, HASH_BYTES

MAX_SIZE = 2**63 - 1
_TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n((?:[^\n]+\n)*)")
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the log *origin*: *size* leaves under *root*; *extensions* are further lines, opaque to the format.

    Raises ValueError when such a head cannot be: no origin, a control character, a root that is not 32 bytes,
    a size that is negative or above 2**63 - 1, or an empty log with another root than `EMPTY_ROOT`.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or _CONTROL.search(line):
                raise ValueError(f"{line!r} cannot be a line of a checkpoint")
        if not 0 <= self.size <= MAX_SIZE:
            raise ValueError(f"{self.size} cannot be the size of a log")
        if len(self.root) != HASH_BYTES or (self.size == 0 and self.root != EMPTY_ROOT):
            raise ValueError(f"{self.root.hex()} cannot be the root of {self.size} leaves")

    def text(self) -> str:
        """Return the note text: origin, size, base64 root and extensions, a line each."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode("ascii"), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Return the checkpoint whose text is exactly *text*. Raises `IntegrityError` when there is none."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise IntegrityError("not a checkpoint: its text is not an origin, a size, a root and further lines")
        origin, size, root, rest = found.groups()
        try:
            checkpoint = cls(origin, int(size), b64decode(root), tuple(rest.split("\n")[:-1]))
        except ValueError as error:
            raise IntegrityError(f"not a checkpoint: {error}") from error
        if checkpoint.text() != text:
            raise IntegrityError("not a checkpoint: its root is not written as base64 is")
        return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[Signer]) -> bytes:
    """Return *checkpoint* as a signed note. Raises as `sign_note` does.

    Whoever calls must have a proof that it extends the last one signed: a log that signs two heads which do not
    extend each other has forked.
    """
    return sign_note(checkpoint.text(), signers)


def open_checkpoint(
    data: bytes, origin: str, keys: Sequence[VerifierKey]
) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """Return the checkpoint of the log *origin* in a signed note, and which of *keys* signed it.

    Raises `IntegrityError` when it is not a checkpoint, not that log's, or not signed as `open_note` demands.
    """
    text, signed = open_note(data, keys)
    checkpoint = Checkpoint.parse(text)
    if checkpoint.origin != origin:
        raise IntegrityError(f"the checkpoint is of the log {checkpoint.origin!r}, not of {origin!r}")
    return checkpoint, signed

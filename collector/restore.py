"""Is this the store that gave out its checkpoints? It is asked before the daemon appends, of all who remember them.

A store that is behind or beside what the signer remembers or an anchor holds was restored from a backup or rewritten.
Going on would sign a second history. So nothing is appended until the loss is declared, which begins a new epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.anchors import Anchor
from collector.errors import DeliveryError, HistoryError, IntegrityError, QueryError
from collector.log.checkpoint import Checkpoint
from collector.log.note import VerifierKey, open_note, parse_note
from collector.log.origin import log_name, origin
from collector.signer import LogSigner
from collector.store import EpochRecord, Store

SIGNER = "the signer's memory"


@dataclass(frozen=True, slots=True)
class Known:
    """A head of the log that *where* knows. *note* is empty for a signer that began an epoch and signed nothing yet."""

    where: str
    epoch: int
    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared: *heads* known elsewhere, *troubles* of those that contradict the store.

    *unasked* are the anchors that did not answer, by name, and why.
    """

    heads: tuple[Known, ...]
    troubles: tuple[tuple[Known, str], ...]
    unasked: Mapping[str, DeliveryError]

    def require_whole(self) -> None:
        """Raise `HistoryError` with everything that contradicts the store; return when nothing does."""
        if self.troubles:
            lines = "\n".join(said for _, said in self.troubles)
            raise HistoryError(f"the store is not the one that gave out its checkpoints; nothing is appended:\n{lines}")


def compare(store: Store, signer: LogSigner | None, anchors: Mapping[str, Anchor]) -> Comparison:
    """Compare *store* with the signer's memory and with every anchor that can be read back.

    An anchor that cannot be reached is noted, not waited for. Raises `IntegrityError` for a spoilt memory.
    """
    log, epoch = log_name(store.id), store.checkpoints.epoch()
    heads: list[Known] = []
    unasked: dict[str, DeliveryError] = {}
    last = signer.recall(log) if signer else None
    if last is not None:
        heads.append(Known(SIGNER, last.epoch, last.size, last.root, last.note))
    for name, anchor in anchors.items():
        try:
            heads += _held(f"the anchor {name}", anchor, log, epoch)
        except DeliveryError as error:
            unasked[name] = error
    keys = {each.key for each in store.checkpoints.key_events()}
    if signer and any(head.note and not _signed(head.note, keys) for head in heads):
        # The store may be older than a key. Else nobody's keeper is asked, and none that is away holds up collecting.
        keys |= set(signer.held(log))
    found = [(head, _trouble(store, epoch, head, keys)) for head in heads]
    return Comparison(tuple(heads), tuple((head, said) for head, said in found if said), unasked)


def new_epoch(
    store: Store, signer: LogSigner, anchors: Mapping[str, Anchor], *, reason: str, actor: str
) -> EpochRecord:
    """Declare the loss of what was signed and is not in *store*: a leaf that names the last checkpoint of it.

    Raises `QueryError` when nothing was lost. No daemon may run on the store.
    """
    comparison = compare(store, signer, anchors)
    log, epoch = log_name(store.id), store.checkpoints.epoch()
    lost = [head for head, _ in comparison.troubles if head.note]
    if not comparison.troubles:
        raise QueryError("the store agrees with everyone who knows its checkpoints; there is no loss to declare")
    declared = store.checkpoints.epochs()
    last = signer.recall(log)
    if declared and last is not None and last.epoch < epoch and last.note == declared[-1].note:
        # The last attempt ended between the declaration and telling the signer.
        signer.begin_epoch(log, epoch)
        return declared[-1]
    if not lost:
        raise QueryError("nobody has the note of the checkpoint that was lost", hint="Bring back the newer store.")
    old = max(lost, key=lambda head: (head.epoch, head.size))
    number = max(epoch, *(head.epoch for head in comparison.heads)) + 1
    record = store.checkpoints.add_epoch(number, old.note, reason=reason, actor=actor)
    signer.begin_epoch(log, number)
    return record


def _held(where: str, anchor: Anchor, log: str, epoch: int) -> Iterator[Known]:
    """Yield the newest checkpoint of this epoch that *anchor* holds, and those of later ones we may know nothing of."""
    while True:
        note = anchor.newest(origin(log, epoch))
        if note is not None:
            checkpoint = _parsed(where, note)
            yield Known(where, epoch, checkpoint.size, checkpoint.root, note)
        epoch += 1
        if note is None and anchor.newest(origin(log, epoch)) is None:
            return


def _parsed(where: str, note: bytes) -> Checkpoint:
    try:
        return Checkpoint.parse(parse_note(note).text)
    except IntegrityError as error:
        raise IntegrityError(f"{where}: {error.message}", hint="Look at who can write there.") from error


def _trouble(store: Store, epoch: int, head: Known, keys: set[VerifierKey]) -> str:
    """Return how *head* contradicts the store, empty when it does not."""
    if head.epoch != epoch:
        return f"{head.where} is in epoch {head.epoch} of the log, the store in {epoch}"
    size = store.checkpoints.head().size
    if head.size > size:
        return f"{head.where} has a checkpoint of {head.size} leaves; the store has {size}: it is behind"
    if store.checkpoints.root_at(head.size) != head.root:
        return f"{head.where} has another root for the first {head.size} leaves: the log forked"
    if head.note and not _signed(head.note, keys):
        return f"{head.where} has a checkpoint of {head.size} leaves that no known key signed"
    return ""


def _signed(note: bytes, keys: set[VerifierKey]) -> bool:
    try:
        open_note(note, sorted(keys, key=str))
    except IntegrityError:
        return False
    return True

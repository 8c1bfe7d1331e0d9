"""Which keys sign the log and which of them are to be believed for which checkpoint. Pure: it reads events in order.

- A key is trusted for checkpoints that cover its own `created` or `rotated` leaf, and no smaller ones.
- After `rotated` the old key and the new one both sign, until the overlap is over and the old one is `retired`.
- `retired` and `revoked` name the last size for which the key is trusted; a `revoked` one signs nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from collector.log.note import VerifierKey


class KeyAct(StrEnum):
    """What happened to a key."""

    CREATED = "created"
    ROTATED = "rotated"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One `key` leaf: what happened to *key*, at *leaf*.

    *replaces* and *overlap_until_ms* (milliseconds UTC) are a rotation's; *until* (a size of the log, itself included)
    is that of a retirement or a revocation. *actor* is empty for what the daemon did by itself.
    """

    act: KeyAct
    key: VerifierKey
    at_ms: int
    leaf: int
    replaces: VerifierKey | None = None
    overlap_until_ms: int | None = None
    until: int | None = None
    reason: str = ""
    actor: str = ""


class KeyState(StrEnum):
    """Where a key is in its life."""

    ACTIVE = "active"
    OVERLAP = "overlap"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyTrust:
    """For which checkpoints *key* is to be believed: those of a size in ``[since, until]``; None is no end."""

    key: VerifierKey
    state: KeyState
    since: int
    until: int | None = None
    replaced_by: VerifierKey | None = None
    overlap_until_ms: int | None = None

    @property
    def signs(self) -> bool:
        """Whether it is to sign the next checkpoint."""
        return self.state in (KeyState.ACTIVE, KeyState.OVERLAP)

    def covers(self, size: int) -> bool:
        """Tell whether a checkpoint of *size* leaves may be believed for this key's signature."""
        return self.since <= size and (self.until is None or size <= self.until)


def trust(events: Iterable[KeyEvent]) -> list[KeyTrust]:
    """Return every key that *events* (in the order of the log) name, in the order of their first leaf."""
    known: dict[VerifierKey, KeyTrust] = {}
    for event in events:
        if event.act in (KeyAct.CREATED, KeyAct.ROTATED):
            known[event.key] = KeyTrust(event.key, KeyState.ACTIVE, event.leaf + 1)
        old = known.get(event.replaces) if event.replaces else None
        if old is not None and old.signs:
            known[old.key] = replace(
                old, state=KeyState.OVERLAP, replaced_by=event.key, overlap_until_ms=event.overlap_until_ms
            )
        if event.act in (KeyAct.RETIRED, KeyAct.REVOKED) and event.key in known:
            state = KeyState.RETIRED if event.act is KeyAct.RETIRED else KeyState.REVOKED
            last = known[event.key].until
            # A later word may take trust away, never give it back.
            until = event.until if last is None or event.until is None else min(last, event.until)
            known[event.key] = replace(known[event.key], state=state, until=until)
    return list(known.values())


def trusted(keys: Iterable[KeyTrust], size: int) -> tuple[VerifierKey, ...]:
    """Return those of *keys* that may be believed for a checkpoint of *size* leaves."""
    return tuple(each.key for each in keys if each.covers(size))


def signing(keys: Iterable[KeyTrust]) -> tuple[VerifierKey, ...]:
    """Return those of *keys* that are to sign the next checkpoint."""
    return tuple(each.key for each in keys if each.signs)


def to_retire(keys: Iterable[KeyTrust], now_ms: int) -> list[KeyTrust]:
    """Return those of *keys* whose overlap is over at *now_ms*."""
    return [
        each
        for each in keys
        if each.state is KeyState.OVERLAP and each.overlap_until_ms is not None and each.overlap_until_ms <= now_ms
    ]

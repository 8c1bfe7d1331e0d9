"""From what a run read to what the store is given, where the subject is sealed.

The collector compares plain digests, as for any subject; here each new content becomes an envelope, each key text a
secret, and the population's root is made over the names that the store knows. What failed is told without the
source's words: they may name people, and a run sheet cannot be erased.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import orjson

from collector.canonical import canonical, digest, population_root
from collector.errors import ReadError
from collector.model import (
    Artifact,
    Counts,
    Detail,
    Head,
    ItemChange,
    ItemSecret,
    Observation,
    Outcome,
    Reason,
    Redaction,
    Run,
    Sealed,
    SealedItem,
)
from collector.sealing import SubjectKey, new_item_secret, seal, sealed_text
from collector.store import Store

_ELSEWHERE = "*"


@dataclass
class Sealer:
    """Seals one run of one subject, whose last good population is *head* and whose key is *key*.

    *redact* are the paths that the kind itself declares; a path that was found in the data is not told.
    """

    store: Store
    head: Head
    key: SubjectKey
    redact: tuple[str, ...] = ()
    _ahead: dict[bytes, bytes] = field(default_factory=dict)
    _used: set[bytes] = field(default_factory=set)

    def stage(self, artifacts: Iterable[Artifact]) -> list[Artifact]:
        """Return *artifacts* sealed, for who stores them ahead of the observation."""
        made = []
        for each in artifacts:
            made.append(self._sealed(each.data))
            self._ahead[each.digest] = made[-1].digest
        return made

    def failed(self, run: Run, error: Exception) -> Run:
        """Return *run* as failed for *error*, without a word of it."""
        reason = error.reason if isinstance(error, ReadError) else Reason.INTERNAL
        last = run.operations[-1].operation if run.operations else "the source"
        message = f"{last}: {reason} ({type(error).__name__}); what was said is withheld, because the kind is sealed"
        needed = ", ".join(run.provenance.grants) if reason is Reason.DENIED else ""
        hint = f"It needs: {needed}." if needed else "`evidenced check` asks the source again and shows its answer."
        return replace(
            run,
            outcome=Outcome.FAILED,
            reason=reason,
            message=message,
            hint=hint,
            redactions=self._redactions(run.redactions),
        )

    def seal(self, found: Observation, contents: Mapping[bytes, bytes]) -> Observation:
        """Return the collected observation *found* as the store is given it; *contents* are all items of the run.

        An item that was erased and is still there is recorded anew; an event that was erased stays so.
        """
        work = _Work(dict(self.head.sealed or {}), {each.digest: each.data for each in found.artifacts})
        self._name(work, found)
        for change in found.changes:
            self._take(work, change, found)
        gone = set() if found.events else self.head.unknown.keys() - work.returned
        work.changes += [ItemChange("", each, None) for each in gone]
        run = self._run(found, work, contents, len(gone))
        return replace(
            found,
            run=run,
            changes=tuple(sorted(work.changes, key=lambda each: each.key_digest)),
            artifacts=tuple(work.artifacts),
            volatile=self._volatile(work, found.volatile),
            secrets=work.secrets,
            sealed=Sealed(found.changes, work.items),
        )

    def _name(self, work: _Work, found: Observation) -> None:
        """Find the key digests and secrets of the items that the last population did not have."""
        new = {
            each.key_digest: self.key.item_digest(each.key)
            for each in found.changes
            if each.artifact is not None and each.key_digest not in work.items
        }
        kept = self.store.sealing.items(self.head.subject, new.values()) if new else {}
        for each in found.changes:
            if (name := new.get(each.key_digest)) is not None:
                work.new[each.key_digest] = name, kept.get(name)

    def _take(self, work: _Work, change: ItemChange, found: Observation) -> None:
        before = work.items.get(change.key_digest)
        if change.artifact is None:
            if before is not None:
                work.changes.append(ItemChange("", before.key_digest, None))
                del work.items[change.key_digest]
            return
        name, secret = (before.key_digest, before.secret) if before else work.new[change.key_digest]
        if name in self.head.unknown:
            work.returned.add(name)
            if found.events:
                stored = self.head.unknown[name]
                work.items[change.key_digest] = SealedItem(name, stored, new_item_secret(change.key))
                return
        if secret is None:
            secret = work.secrets[name] = new_item_secret(change.key)
        stored = self._stored(work, change.artifact)
        work.items[change.key_digest] = SealedItem(name, stored, secret)
        work.changes.append(ItemChange("", name, stored))

    def _stored(self, work: _Work, plain: bytes) -> bytes:
        """Return the name of an envelope of the content *plain* that no other item has: each is erased by itself."""
        ahead = self._ahead.get(plain)
        if ahead is not None and ahead not in self._used:
            self._used.add(ahead)
            return ahead
        data = work.plain.get(plain)
        if data is None and ahead is not None:
            data = self.store.artifact(ahead)
        assert data is not None, "a change names a content that was neither staged nor given"
        made = self._sealed(data)
        work.artifacts.append(made)
        return made.digest

    def _sealed(self, data: bytes) -> Artifact:
        envelope, secret = seal(data)
        return Artifact(digest(envelope), envelope, subject=self.head.subject, secret=secret)

    def _run(self, found: Observation, work: _Work, contents: Mapping[bytes, bytes], gone: int) -> Run:
        run, back = found.run, len(work.returned)
        counts = run.counts
        counts = Counts(
            counts.items, counts.added - back, counts.changed + (0 if found.events else back), counts.removed + gone
        )
        detail = Detail.EMPTY if not counts.items else Detail.CHANGED if work.changes else Detail.UNCHANGED
        root = self.head.population
        if work.changes or found.events or root is None:
            root = population_root((work.items[key].key_digest, work.items[key].artifact) for key in contents)
        return replace(run, counts=counts, detail=detail, population=root, redactions=self._redactions(run.redactions))

    def _volatile(self, work: _Work, volatile: bytes | None) -> bytes | None:
        if volatile is None:
            return None
        sealed = {}
        for key, values in orjson.loads(volatile).items():
            item = work.items[digest(key.encode("utf-8", "surrogatepass"))]
            sealed[item.key_digest.hex()] = sealed_text(item.secret.key, item.secret.salt, canonical(values))
        return canonical({"sealed": 1, "items": sealed})

    def _redactions(self, found: Iterable[Redaction]) -> tuple[Redaction, ...]:
        counts: Counter[tuple[str, str]] = Counter()
        for each in found:
            counts[each.path if each.path in self.redact else _ELSEWHERE, each.rule] += each.count
        return tuple(Redaction(path, rule, count) for (path, rule), count in sorted(counts.items()))


@dataclass
class _Work:
    """One run as it is sealed: the items as stored by plain key digest, the contents as read by plain digest."""

    items: dict[bytes, SealedItem]
    plain: dict[bytes, bytes]
    new: dict[bytes, tuple[bytes, ItemSecret | None]] = field(default_factory=dict)
    changes: list[ItemChange] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    secrets: dict[bytes, ItemSecret] = field(default_factory=dict)
    returned: set[bytes] = field(default_factory=set)

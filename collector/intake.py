"""The items of one run as they come in: redacted, named, split, canonicalised, digested, compared with the last."""

from __future__ import annotations

import io
import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import jmespath

from collector import fields
from collector.canonical import canonical, digest, population_root
from collector.errors import Invalid
from collector.model import Artifact, Head, ItemChange, Json, Prepared, Scope
from collector.procedure import Kind
from collector.redact import redact, without_people

STAGE_BYTES = 32 * 1024 * 1024

_WORD = re.compile(r"[\w-]+")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Stage = Callable[[Iterable[Artifact]], None]
"""Takes contents ahead of the observation that names them."""


@dataclass
class Population:
    """The items of one run as they come in: digests of all of them, bytes only of those the store has not seen.

    Memory is about 250 bytes an item, plus new contents, which are staged each time they reach `STAGE_BYTES`.
    """

    kind: Kind
    scope: Scope
    head: Head
    stage: Stage
    keep_volatile: bool
    contents: dict[bytes, bytes] = field(default_factory=dict)
    keys: dict[bytes, str] = field(default_factory=dict)
    new: dict[bytes, bytes] = field(default_factory=dict)
    volatile: dict[str, dict[str, Json]] = field(default_factory=dict)
    redactions: Counter[tuple[str, str]] = field(default_factory=Counter)
    prepared: dict[bytes, Prepared] = field(default_factory=dict)
    _new_bytes: int = 0

    def __post_init__(self) -> None:
        self._key = jmespath.compile(self.kind.key) if self.kind.key else None
        self._key_is_a_field = bool(_PLAIN_NAME.fullmatch(self.kind.key or ""))
        # Nothing is ever unpickled. It writes type and value of whatever it is given, so that NaN and null, text and
        # time, 1 and 1.0 differ; "fast" is without references to what came before, so that equal items are equal bytes.
        self._pickled = io.BytesIO()
        self._pickler = pickle.Pickler(self._pickled, 5)
        self._pickler.fast = True

    def add(self, item: dict[str, Json]) -> None:
        """Take one item as read: remove, redact, name, split, canonicalise, digest. Raises `Invalid`."""
        if not isinstance(item, dict):
            raise Invalid(f"an item of {self.kind.name} is {type(item).__name__}, not an object")
        if self.kind.never:
            fields.remove(item, self.kind.never)
        name = self._likeness(item)
        seen = self.head.prepared.get(name)
        if (
            seen is None
            or (self.keep_volatile and self.kind.volatile)
            or self.head.contents.get(seen.key_digest) != seen.artifact
        ):
            seen = self._prepare(item)
        else:
            self._place(seen.key_digest, seen.artifact)
        if seen.redactions:
            self.redactions.update(seen.redactions)
        self.prepared[name] = seen

    def _prepare(self, item: dict[str, Json]) -> Prepared:
        """Redact, name, split, canonicalise and digest."""
        # A path names what is in the document, and some documents have people for names.
        redactions = tuple(dict.fromkeys((without_people(path), rule) for path, rule in redact(item, self.kind)))
        key = self._key_of(item)
        key_digest = digest(key.encode("utf-8", "surrogatepass"))
        self._split(key, item)
        data = canonical(item)
        artifact = digest(data)
        self._place(key_digest, artifact)
        if self.head.contents.get(key_digest) != artifact:
            self.keys[key_digest] = key
            self._keep(artifact, data)
        return Prepared(key_digest, artifact, redactions)

    def _place(self, key_digest: bytes, artifact: bytes) -> None:
        # For an event kind a page that shifts under new arrivals repeats an event; for a state it means that the
        # listing changed while it was read, or that the key is no key: either way the population is not known.
        if key_digest in self.contents and self.kind.since is None:
            raise Invalid(f"two items of {self.kind.name} have one key (its SHA-256 is {key_digest.hex()})")
        self.contents[key_digest] = artifact

    def _likeness(self, item: dict[str, Json]) -> bytes:
        """Return what tells *item* as read, without its volatile fields, from any other; empty when nothing does.

        Not its canonical form: that costs several times as much, and two items of one likeness have the same.
        """
        try:
            self._pickler.dump(fields.without(item, self.kind.volatile))
        except (pickle.PicklingError, TypeError, ValueError, AttributeError, RecursionError):
            return b""  # it is no plain JSON: `canonical` says whether it may be kept
        finally:
            data = self._pickled.getvalue()
            self._pickled.seek(0)
            self._pickled.truncate()
        # The procedure is part of it: with another one, another document is made of the same item.
        return digest(self.kind.digest + data)

    def changes(self) -> tuple[ItemChange, ...]:
        """Return every difference from the last good population, in key digest order."""
        known = self.head.contents
        changed = [
            ItemChange(self.keys[key], key, self.contents[key])
            for key in self.keys
            if known.get(key) != self.contents[key]
        ]
        if self.kind.since is None:
            gone = known.keys() - self.contents.keys()
            changed += [ItemChange(self.head.keys.get(key, ""), key, None) for key in gone]
        return tuple(sorted(changed, key=lambda change: change.key_digest))

    def root(self, changes: tuple[ItemChange, ...]) -> bytes:
        """Return the Merkle root over the items read; an unchanged state keeps the root it has."""
        if not changes and self.kind.since is None and self.head.population is not None:
            return self.head.population
        return population_root(self.contents.items())

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the contents that were not staged yet."""
        return tuple(Artifact(each, data, self.kind.name) for each, data in self.new.items())

    def known(self) -> dict[bytes, Prepared]:
        """Return what may be taken from here the next time: of documents that name their item without their rest."""
        self.prepared.pop(b"", None)
        return self.prepared if _named_without_volatile(self.kind) else {}

    def _key_of(self, item: dict[str, Json]) -> str:
        if self._key is None:
            return self.scope.name
        key = item.get(self.kind.key or "") if self._key_is_a_field else self._key.search(item)
        if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
            raise Invalid(f"an item of {self.kind.name} has no key at {self.kind.key!r}")
        return str(key)

    def _split(self, key: str, item: dict[str, Json]) -> None:
        values = fields.split(item, self.kind.volatile, self.kind.sets)
        if values and self.keep_volatile:
            self.volatile[key] = values

    def _keep(self, artifact: bytes, data: bytes) -> None:
        if artifact in self.new:
            return
        self.new[artifact] = data
        self._new_bytes += len(data)
        if self._new_bytes >= STAGE_BYTES:
            self.stage(self.artifacts())
            self.new.clear()
            self._new_bytes = 0


def _named_without_volatile(kind: Kind) -> bool:
    """Tell whether no volatile field can be part of an item's key."""
    words = set(_WORD.findall(kind.key or ""))
    for path in kind.volatile:
        first = fields.parse(path)[0]
        if isinstance(first, fields.Walk):
            return not words
        if any(first == word if isinstance(first, str) else first.fullmatch(word) for word in words):
            return False
    return True

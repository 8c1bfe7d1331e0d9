"""A keyring whose keys are at hand, and a hand that observes a sealed subject as the collector does."""

from __future__ import annotations

from collector.canonical import digest
from collector.encryption import LocalKey
from collector.errors import ConfigError
from collector.model import Subject
from collector.sealer import Sealer
from tests.store.conftest import Hand

PEOPLE = Subject("paper:hq", "paper.people", "site")


class Ring:
    """A `Keyring` of *keys*; the first wraps what is new."""

    def __init__(self, *keys):
        self._keys = keys

    def current(self):
        if not self._keys:
            raise ConfigError("the keyring is empty")
        return self._keys[0]

    def named(self, name):
        for key in self._keys:
            if key.name == name:
                return key
        raise ConfigError(f"there is no key {name}")


FIRST, SECOND = LocalKey(bytes(32)), LocalKey(bytes(range(32)))


class SealedHand(Hand):
    """Writes what was seen of a sealed subject; the store's ring has its key."""

    def __init__(self, store, subject=PEOPLE):
        super().__init__(store, subject)

    def sealer(self):
        key = self.store.sealing.key_of(self.subject)
        return Sealer(self.store, self.store.sealing.head(self.subject), key)

    def saw(self, documents, at, **more):
        sealer = self.sealer()
        found = super().saw(documents, at, head=sealer.head, **more)
        return sealer.seal(found, {digest(key.encode()): b"" for key in documents})

    def happened(self, events, since, until):
        sealer = self.sealer()
        found = super().happened(events, since, until, head=sealer.head)
        return sealer.seal(found, {digest(key.encode()): b"" for key in events})

    def erase(self, key, **more):
        """Erase the item *key*, and return the tombstone."""
        found = self.store.erasing.find([self.subject], key)
        return self.store.erasing.erase_item(found[0], **{"reason": "request 4711", "actor": "Ana"} | more)

    def now(self, at):
        """Return the keys of the items as they are shown at *at*."""
        return [each.key for each in self.store.as_of(self.subject.kind, at)]


def live_sealed(store, at, eraser=None):
    """Leave at least two rows in every table that sealing and erasing have; *eraser* is the store as who may erase."""
    store.sealing.keys.use(Ring(FIRST))
    hand = SealedHand(store)
    hand.see({"ann": {"v": 1}, "bob": {"v": 1}, "cid": {"v": 1}}, at, volatile=b'{"ann":{"used":1},"bob":{"used":1}}')
    hand.see({"ann": {"v": 2}, "bob": {"v": 1}, "cid": {"v": 1}}, at)
    guests = SealedHand(store, Subject("paper:hq", "paper.guests", "site"))
    guests.see({"eve": {"v": 1}, "fay": {}}, at)
    for name in ("Gil", "Hal", "Ivo"):
        store.append_tag("run:1-0", "C-1", "seen", name)
    eraser = SealedHand(eraser or store)
    eraser.store.sealing.keys.use(Ring(FIRST))
    for key in ("ann", "cid"):
        eraser.erase(key)
    SealedHand(eraser.store, guests.subject).erase("eve")
    for name in ("Gil", "Hal"):
        eraser.store.erasing.erase_person(name, reason="request 4712", actor="Ana")
    hand.see({"bob": {"v": 2}, "cid": {"v": 3}}, at)

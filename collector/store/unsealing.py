"""What is sealed, read again: contents, keys of items, volatile fields; and what is shown where it cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson
from sqlalchemy import Connection, func, select

from collector.canonical import digest
from collector.clock import from_ms, iso
from collector.errors import IntegrityError, Withheld
from collector.model import Json, show_digest
from collector.sealing import MAGIC, NOT_AT_HAND, open_text, unseal
from collector.store import contents
from collector.store.contents import PAGE
from collector.store.sealing_tables import artifact_key, erased, item_key, sealing_key, tombstone
from collector.store.subject_keys import SubjectKeys
from collector.store.tables import artifact, item

_SHOWN_DIGITS = 16
ITEM_SECRETS = select(item.c.id, item.c.key_digest, item_key.c.sealing, item_key.c.wrapped).join(
    item_key, item_key.c.item == item.c.id
)


class Unsealing:
    """Opens what is sealed in one store, with *keys*. Of a store that seals nothing it looks at first bytes only."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    def read(self, conn: Connection, name: bytes) -> bytes:
        """Return the content with the digest *name*, opened when it is sealed.

        Raises `Withheld` when its key is not at hand or it was erased, and as `contents.read`.
        """
        try:
            data = contents.read(conn, name)
        except IntegrityError:
            if why := self._erased(conn, name):
                raise Withheld(why) from None
            raise
        return self._open(conn, name, data) if data.startswith(MAGIC) else data

    def read_many(self, conn: Connection, names: Sequence[bytes]) -> Iterator[bytes | Withheld]:
        """Yield what `read` returns or says is withheld, for each of *names* (a page of them). Raises as `read`."""
        found = contents.read_many(conn, names)
        for name in names:
            data = found.get(name)
            if data is not None and not data.startswith(MAGIC):
                yield data
                continue
            try:
                yield self.read(conn, name)
            except Withheld as error:
                yield error

    def texts(self, conn: Connection, items: Mapping[int, bytes]) -> dict[int, str]:
        """Return how the sealed *items* (number -> key digest) are shown: by their keys, where those can be opened."""
        found = {number: shown_item("erased", name) for number, name in items.items()}
        wanted = list(items)
        for start in range(0, len(wanted), PAGE):
            for row in conn.execute(ITEM_SECRETS.where(item.c.id.in_(wanted[start : start + PAGE]))):
                name = bytes(row.key_digest)
                try:
                    found[row.id] = self._keys.key(conn, row.sealing).item_secret(name, bytes(row.wrapped)).name
                except NOT_AT_HAND:
                    found[row.id] = shown_item("sealed", name)
        return found

    def digests_of(self, conn: Connection, subjects: Iterable[int], key: str) -> list[bytes]:
        """Return the key digests under which an item called *key* may be stored in *subjects* (numbers)."""
        found = [digest(key.encode("utf-8", "surrogatepass"))]
        form, _, digits = key.partition(":")
        last = select(sealing_key.c.subject, func.max(sealing_key.c.id)).group_by(sealing_key.c.subject)
        asked = set(subjects)
        for subject, number in [row for row in conn.execute(last) if row[0] in asked]:
            if form in ("sealed", "erased") and len(digits) >= _SHOWN_DIGITS:
                names = conn.execute(select(item.c.key_digest).where(item.c.subject == subject)).scalars()
                found += [bytes(each) for each in names if bytes(each).hex().startswith(digits)]
                continue
            try:
                found.append(self._keys.key(conn, number).item_digest(key))
            except NOT_AT_HAND:
                # Without the key it can be asked for as it is shown: sealed:DIGITS.
                continue
        return found

    def volatile(self, conn: Connection, subject: int, document: dict[str, Json]) -> dict[str, Json]:
        """Return the volatile fields that *document* of *subject* holds, of those items that can be opened."""
        # No plain document holds a number beside its objects.
        if type(document.get("sealed")) is not int:
            return document
        kept = {bytes.fromhex(name): each for name, each in document["items"].items()}
        found: dict[str, Json] = {}
        for row in conn.execute(ITEM_SECRETS.where(item.c.subject == subject)):
            name = bytes(row.key_digest)
            if name not in kept:
                continue
            try:
                secret = self._keys.key(conn, row.sealing).item_secret(name, bytes(row.wrapped))
            except NOT_AT_HAND:
                continue
            found[secret.name] = orjson.loads(open_text(secret.key, secret.salt, kept[name]))
        return found

    def _open(self, conn: Connection, name: bytes, data: bytes) -> bytes:
        query = select(artifact_key.c.sealing, artifact_key.c.wrapped)
        query = query.join(artifact, artifact.c.id == artifact_key.c.artifact)
        row = conn.execute(query.where(artifact.c.digest == name)).first()
        if row is None:
            raise IntegrityError(f"artifact {show_digest(name)} is sealed and its key is not there")
        try:
            key = self._keys.key(conn, row.sealing)
        except NOT_AT_HAND as error:
            raise Withheld(f"sealed: {error.message}", hint=error.hint()) from error
        return unseal(data, key.content_secret(name, bytes(row.wrapped)))

    def _erased(self, conn: Connection, name: bytes) -> str:
        query = select(tombstone.c.id, tombstone.c.at, tombstone.c.reason)
        query = query.join(erased, erased.c.tombstone == tombstone.c.id)
        query = query.join(artifact, artifact.c.id == erased.c.artifact)
        found = conn.execute(query.where(artifact.c.digest == name)).first()
        return f"erased at {iso(from_ms(found.at))} by tombstone {found.id}: {found.reason}" if found else ""


def shown_item(form: str, name: bytes) -> str:
    """Return how an item with the key digest *name* is shown when its key cannot be: ``erased:...``, ``sealed:...``."""
    return f"{form}:{name.hex()[:_SHOWN_DIGITS]}"

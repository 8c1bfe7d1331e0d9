"""Artifacts: immutable bytes by digest, each kept once; what was erased in plain and comes again is kept beside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Column, Connection, func, select, type_coerce
from sqlalchemy.types import NullType

from collector.canonical import digest
from collector.errors import IntegrityError, Unknown
from collector.model import Artifact, show_digest
from collector.store.bulk import among, insert_rows
from collector.store.dictionaries import for_codec, packers
from collector.store.packing import packed_ahead, unpack
from collector.store.sealing_tables import erased, regained
from collector.store.tables import artifact

_MANY = 200


def next_id(conn: Connection, column: Column[int]) -> int:
    """Return the id after the largest in *column*; the caller holds the write lock."""
    return int(conn.execute(select(func.coalesce(func.max(column), 0))).scalar_one()) + 1


def known(conn: Connection, digests: Iterable[bytes]) -> dict[bytes, int]:
    """Return the ids of those of *digests* that are stored."""
    rows = among(conn, select(artifact.c.digest, artifact.c.id), artifact.c.digest, digests)
    return {bytes(each): id_ for each, id_ in rows}


def keep(conn: Connection, artifacts: Iterable[Artifact]) -> dict[bytes, int]:
    """Store those of *artifacts* that are new and return the ids of all.

    Raises `IntegrityError` when bytes do not have the digest they are named by; nothing wrong is ever stored.
    """
    given = {each.digest: each for each in artifacts}
    ids = known(conn, given)
    # A sealed content is one item's alone: erased, it stays so. A plain one may be what a later form is once more.
    again = lost(conn, [ids[name] for name, each in given.items() if name in ids and each.secret is None])
    new = [(name, each) for name, each in given.items() if name not in ids or ids[name] in again]
    if not new:
        return ids
    for name, each in new:
        if digest(each.data) != name:
            raise IntegrityError(f"an artifact was given as {show_digest(name)} but its bytes have another digest")
    families: dict[str, list[bytes]] = {}
    for _, each in new:
        families.setdefault(each.family, []).append(each.data)
    pack = packers(conn, families)
    first = [(name, each) for name, each in new if name not in ids]
    insert_rows(conn, regained, [(ids[name], *pack[each.family](each.data)) for name, each in new if name in ids])
    ids.update((name, id_) for id_, (name, _) in enumerate(first, next_id(conn, artifact.c.id)))
    given_to = ((pack[each.family], each.data) for _, each in first)
    packed = packed_ahead(given_to) if len(first) > _MANY else (packer(data) for packer, data in given_to)
    rows = ((ids[name], name, len(each.data), *done, None) for (name, each), done in zip(first, packed, strict=True))
    insert_rows(conn, artifact, rows)
    return ids


def lost(conn: Connection, ids: Iterable[int]) -> set[int]:
    """Return those artifacts of *ids* that were erased and not brought again: there are no bytes to show for them."""
    query = select(erased.c.artifact).outerjoin(regained, regained.c.artifact == erased.c.artifact)
    rows = among(conn, query.where(regained.c.artifact.is_(None)), erased.c.artifact, ids)
    return {id_ for (id_,) in rows}


def keep_one(conn: Connection, data: bytes) -> int:
    """Store *data* under its own digest and return its id."""
    name = digest(data)
    return keep(conn, [Artifact(name, data)])[name]


def read(conn: Connection, name: bytes) -> bytes:
    """Return the bytes with the digest *name*, verified.

    Raises `QueryError` when there are none, `IntegrityError` when what is stored has another digest or length.
    """
    row = conn.execute(_FORM.where(artifact.c.digest == name)).first()
    if row is None:
        raise unknown(name)
    return _verified(conn, row)


def unknown(name: bytes) -> Unknown:
    """Return the error for an artifact with the digest *name* that is not there, as far as who asks may know."""
    return Unknown(f"the store has no artifact {show_digest(name)}", hint="Take digests from `as-of` or `history`.")


def read_many(conn: Connection, names: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the bytes with the digests *names* (a page of them), verified; those that have none to show are left out.

    Raises `IntegrityError` when what is stored has another digest or length.
    """
    rows = conn.execute(_FORM.where(artifact.c.digest.in_(names), _BYTES.is_not(None)))
    return {bytes(row.digest): _verified(conn, row) for row in rows}


def read_by_id(conn: Connection, id_: int) -> bytes:
    """Return the bytes of the artifact *id_*, verified as in `read`."""
    row = conn.execute(_FORM.where(artifact.c.id == id_)).first()
    if row is None:
        raise IntegrityError(f"artifact {id_} is named by a record but is not stored")
    return _verified(conn, row)


def digests(conn: Connection, ids: Iterable[int]) -> dict[int, bytes]:
    """Return the digests of the artifacts *ids*."""
    rows = among(conn, select(artifact.c.id, artifact.c.digest), artifact.c.id, sorted(set(ids)))
    return {id_: bytes(each) for id_, each in rows}


# The driver's own value: SQLAlchemy's reading of a BLOB makes bytes(n) of a number that someone put in its place.
_BYTES = func.coalesce(type_coerce(regained.c.bytes, NullType()), type_coerce(artifact.c.bytes, NullType()))
_CODEC = func.coalesce(regained.c.codec, artifact.c.codec)
_FORM = select(artifact.c.digest, artifact.c.length, _CODEC, _BYTES.label("bytes")).outerjoin(
    regained, regained.c.artifact == artifact.c.id
)


def _verified(conn: Connection, row: Sequence[object]) -> bytes:
    name, length, codec, packed = row
    if not isinstance(name, bytes) or not isinstance(packed, bytes) or not isinstance(codec, int):
        raise IntegrityError("what is stored of an artifact are no bytes")
    data = unpack(codec, packed, for_codec(conn, codec))
    if len(data) != length or digest(data) != name:
        raise IntegrityError(f"artifact {show_digest(name)}: the stored bytes have another digest")
    return data

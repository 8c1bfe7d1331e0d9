"""An artifact against its digest."""

from __future__ import annotations

from collector.canonical import digest
from collector.errors import IntegrityError
from collector.store.evidence import Row
from collector.store.packing import unpack


def content(row: Row) -> bytes:
    """Return the raw bytes of an `artifact` row. Raises `IntegrityError` unless they are what the row says."""
    if row["bytes"] is None:
        raise IntegrityError("its bytes are not in the store")
    if row["uri"] is not None:
        raise IntegrityError("its bytes are in the store, and an address beside them")
    data = unpack(row["codec"], row["bytes"])
    if len(data) != row["length"]:
        raise IntegrityError(f"it has {len(data)} bytes, not the {row['length']} that are recorded")
    if digest(data) != row["digest"]:
        raise IntegrityError("its bytes have another digest")
    return data

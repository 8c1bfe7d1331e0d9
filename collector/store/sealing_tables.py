"""The tables of what is sealed and of what was erased; see `collector.store.tables`.

Here alone rows go away: `artifact_key` and `item_key`, once a tombstone says so. Their `wrapped` may be written anew,
under another key. Everything else is append-only evidence.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, SmallInteger, Table, Text

from collector.log.tables import BigInt, metadata

sealing_key = Table(
    "sealing_key",
    metadata,
    Column("id", BigInt, primary_key=True, autoincrement=False),
    Column("subject", BigInt, ForeignKey("subject.id"), nullable=False),
    Column("kek", Text, nullable=False, comment="Name of the key-encryption key."),
    Column("wrapped", LargeBinary, nullable=False, comment="The subject's key, under it."),
    Column("at", BigInt, nullable=False),
    Column("leaf", BigInt, nullable=False),
    Index("ix_sealing_key_subject", "subject", "id"),
)

artifact_key = Table(
    "artifact_key",
    metadata,
    Column("artifact", BigInt, primary_key=True, autoincrement=False),
    Column("sealing", BigInt, nullable=False),
    Column("wrapped", LargeBinary, nullable=False, comment="Its secret, under the subject's key."),
    Index("ix_artifact_key_sealing", "sealing"),
)

item_key = Table(
    "item_key",
    metadata,
    Column("item", BigInt, primary_key=True, autoincrement=False),
    Column("sealing", BigInt, nullable=False),
    Column("wrapped", LargeBinary, nullable=False, comment="Its key text and secret, under the subject's key."),
    Index("ix_item_key_sealing", "sealing"),
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("id", BigInt, primary_key=True, autoincrement=False),
    Column("subject", BigInt, ForeignKey("subject.id"), comment="Null when a person's name was erased."),
    Column("item", BigInt, comment="The item that was erased."),
    Column("person", BigInt, comment="The actor whose name was erased."),
    Column("count", BigInt, nullable=False, comment="Contents erased."),
    Column("reason", Text, nullable=False),
    Column("actor", BigInt, ForeignKey("actor.id"), nullable=False),
    Column("at", BigInt, nullable=False),
    Column("leaf", BigInt, nullable=False),
    Column("until", BigInt, comment="Of a retention: what had ended by then; else null."),
    Index("ix_tombstone_item", "item"),
    Index("ix_tombstone_person", "person"),
)

erased = Table(
    "erased",
    metadata,
    Column("artifact", BigInt, primary_key=True, autoincrement=False),
    Column("tombstone", BigInt, nullable=False),
    Index("ix_erased_tombstone", "tombstone"),
    sqlite_with_rowid=False,
)

regained = Table(
    "regained",
    metadata,
    Column("artifact", BigInt, primary_key=True, autoincrement=False, comment="Erased, and brought again afterwards."),
    Column("codec", SmallInteger, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
)

"""The tables of checkpoints: the keys that sign, the signed notes, their time stamps, their anchors, the epochs.

Append-only, and each row is committed to by the leaf it names. Times are milliseconds UTC.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from collector.log.tables import BigInt, metadata


def _id() -> Column[int]:
    return Column("id", BigInt, primary_key=True, autoincrement=False)


def _leaf() -> Column[int]:
    return Column("leaf", BigInt, nullable=False, comment="Index of the log leaf that commits to this row.")


signing_key = Table(
    "signing_key",
    metadata,
    _id(),
    Column("act", Text, nullable=False, comment="created, rotated, retired or revoked."),
    Column("key", Text, nullable=False, comment="The verifier key, name+id+base64."),
    Column("replaces", Text, comment="Of a rotated one: the key before it."),
    Column("overlap", BigInt, comment="Of a rotated one: until when both sign, ms."),
    Column("until", BigInt, comment="Of a retired or revoked one: the last size it is trusted for."),
    Column("reason", Text, nullable=False),
    Column("actor", BigInt, ForeignKey("actor.id"), comment="Null for what the daemon did by itself."),
    Column("at", BigInt, nullable=False),
    _leaf(),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    _id(),
    Column("epoch", BigInt, nullable=False),
    Column("size", BigInt, nullable=False, comment="Projection of the note."),
    Column("note", LargeBinary, nullable=False, comment="The signed note, exactly."),
    Column("at", BigInt, nullable=False),
    _leaf(),
    Index("ix_checkpoint_size", "size"),
)

checkpoint_token = Table(
    "checkpoint_token",
    metadata,
    Column("checkpoint", BigInt, ForeignKey("checkpoint.id"), nullable=False),
    Column("authority", Text, nullable=False),
    Column("token", LargeBinary, nullable=False, comment="The authority's RFC 3161 response, exactly."),
    Column("at", BigInt, nullable=False),
    _leaf(),
    PrimaryKeyConstraint("authority", "checkpoint"),
)

checkpoint_anchor = Table(
    "checkpoint_anchor",
    metadata,
    Column("checkpoint", BigInt, ForeignKey("checkpoint.id"), nullable=False),
    Column("anchor", Text, nullable=False),
    Column("receipt", Text, nullable=False, comment="JSON: where the note is there, e.g. its path or VersionId."),
    Column("at", BigInt, nullable=False),
    _leaf(),
    PrimaryKeyConstraint("anchor", "checkpoint"),
)

log_epoch = Table(
    "log_epoch",
    metadata,
    _id(),
    Column("size", BigInt, nullable=False, comment="Leaves that the log had when the epoch began."),
    Column("note", LargeBinary, nullable=False, comment="The last checkpoint known of the epoch before."),
    Column("reason", Text, nullable=False),
    Column("actor", BigInt, ForeignKey("actor.id"), nullable=False),
    Column("at", BigInt, nullable=False),
    _leaf(),
)

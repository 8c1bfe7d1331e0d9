"""The log's tables, on the MetaData that every table of the store shares."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigInt = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits on both engines; SQLite makes only a column declared INTEGER the row's own address."""

log_leaf = Table(
    "log_leaf",
    metadata,
    Column("idx", BigInt, primary_key=True, autoincrement=False, comment="Position in the log, from 0."),
    Column("kind", Text, nullable=False, comment="Projection of the bytes."),
    Column("at", BigInt, nullable=False, comment="Projection of the bytes: milliseconds UTC."),
    Column("bytes", LargeBinary, nullable=False, comment="Exactly what the tree hashes, packed: `packing`."),
    comment="Append-only. A leaf's hash is never stored: it is taken from the bytes each time it is needed.",
)

log_node = Table(
    "log_node",
    metadata,
    Column("level", SmallInteger, nullable=False, comment="A multiple of 4; the leaves are level 0."),
    Column("idx", BigInt, nullable=False, comment="The node covers leaves [idx << level, (idx + 1) << level)."),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "idx"),
    sqlite_with_rowid=False,
    comment="Append-only. Hashes of complete subtrees of 16, 256, ... leaves, so that a proof reads O(log n) rows.",
)

log_head = Table(
    "log_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("size", BigInt, nullable=False, comment="Leaves in the tree."),
    Column("root", LargeBinary, nullable=False, comment="Merkle tree hash over all leaves."),
    Column("peaks", LargeBinary, nullable=False, comment="Hashes of the tree's complete subtrees, largest first."),
    CheckConstraint("id = 1", name="one_row"),
    comment="One row, updated by every append: the lock that keeps appends in line.",
)

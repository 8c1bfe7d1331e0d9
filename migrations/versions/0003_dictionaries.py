"""Dictionaries: what the contents of one family have in common, so that each is packed without it."""

from __future__ import annotations

from alembic import op

from collector.store.guards import append_only

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE dictionary (
    id INT8 NOT NULL, family TEXT NOT NULL, digest BYTES NOT NULL,
    codec SMALLINT NOT NULL, bytes BYTES NOT NULL,
    CONSTRAINT pk_dictionary PRIMARY KEY (id),
    CONSTRAINT uq_dictionary_family UNIQUE (family)
);
"""
APPEND_ONLY = {"dictionary": [("id",), ("family",)]}
SPELLING = {
    "sqlite": (("INT8", "INTEGER"), ("BYTES", "BLOB")),
    "postgresql": (("INT8", "BIGINT"), ("BYTES", "BYTEA")),
}


def upgrade() -> None:
    """Create everything; the caller's transaction makes it all or nothing."""
    dialect = op.get_bind().dialect.name
    text = TABLES
    for ours, theirs in SPELLING[dialect]:
        text = text.replace(ours, theirs)
    statements = [each for each in text.split(";") if each.strip()]
    for table, keys in APPEND_ONLY.items():
        statements += append_only(dialect, table, *keys)
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)

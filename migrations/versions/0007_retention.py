"""Retention: up to when a tombstone reaches, and contents that a source brought again after they were erased."""

from __future__ import annotations

from alembic import op

from collector.store.guards import append_only

revision = "0007"
down_revision = "0006"

TABLES = """
ALTER TABLE tombstone ADD COLUMN until INT8;
CREATE TABLE regained (
    artifact INT8 NOT NULL, codec SMALLINT NOT NULL, bytes BYTES NOT NULL,
    CONSTRAINT pk_regained PRIMARY KEY (artifact)
)
"""
SPELLING = {"sqlite": (("INT8", "INTEGER"), ("BYTES", "BLOB")), "postgresql": (("INT8", "BIGINT"), ("BYTES", "BYTEA"))}


def upgrade() -> None:
    """Create everything; the caller's transaction makes it all or nothing."""
    dialect = op.get_bind().dialect.name
    sql = TABLES
    for ours, theirs in SPELLING[dialect]:
        sql = sql.replace(ours, theirs)
    for statement in [*sql.split(";"), *append_only(dialect, "regained", ("artifact",))]:
        op.get_bind().exec_driver_sql(statement)

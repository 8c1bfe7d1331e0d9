"""Checkpoints: signed heads of the log, their time stamps, where they are anchored, the keys that sign, the epochs."""

from __future__ import annotations

from alembic import op

from collector.store.guards import append_only

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE signing_key (
    id INT8 NOT NULL, act TEXT NOT NULL, key TEXT NOT NULL, replaces TEXT, overlap INT8, until INT8,
    reason TEXT NOT NULL, actor INT8, at INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_signing_key PRIMARY KEY (id),
    CONSTRAINT fk_signing_key_actor FOREIGN KEY (actor) REFERENCES actor (id)
);
CREATE TABLE checkpoint (
    id INT8 NOT NULL, epoch INT8 NOT NULL, size INT8 NOT NULL, note BYTES NOT NULL, at INT8 NOT NULL,
    leaf INT8 NOT NULL,
    CONSTRAINT pk_checkpoint PRIMARY KEY (id)
);
CREATE INDEX ix_checkpoint_size ON checkpoint (size);
CREATE TABLE checkpoint_token (
    checkpoint INT8 NOT NULL, authority TEXT NOT NULL, token BYTES NOT NULL, at INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_checkpoint_token PRIMARY KEY (authority, checkpoint),
    CONSTRAINT fk_checkpoint_token_checkpoint FOREIGN KEY (checkpoint) REFERENCES checkpoint (id)
);
CREATE TABLE checkpoint_anchor (
    checkpoint INT8 NOT NULL, anchor TEXT NOT NULL, receipt TEXT NOT NULL, at INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_checkpoint_anchor PRIMARY KEY (anchor, checkpoint),
    CONSTRAINT fk_checkpoint_anchor_checkpoint FOREIGN KEY (checkpoint) REFERENCES checkpoint (id)
);
CREATE TABLE log_epoch (
    id INT8 NOT NULL, size INT8 NOT NULL, note BYTES NOT NULL, reason TEXT NOT NULL, actor INT8 NOT NULL,
    at INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_log_epoch PRIMARY KEY (id),
    CONSTRAINT fk_log_epoch_actor FOREIGN KEY (actor) REFERENCES actor (id)
);
"""

# With the columns by which SQLite's INSERT OR REPLACE would find a row.
APPEND_ONLY = {
    "signing_key": ("id",),
    "checkpoint": ("id",),
    "checkpoint_token": ("authority", "checkpoint"),
    "checkpoint_anchor": ("anchor", "checkpoint"),
    "log_epoch": ("id",),
}
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
    for table, key in APPEND_ONLY.items():
        statements += append_only(dialect, table, key)
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)

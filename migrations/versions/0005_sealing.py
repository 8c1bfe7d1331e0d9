"""Sealed contents and their keys, tombstones, and the only deletions there are: what a tombstone names."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from collector.store.guards import append_only, only_these_rows

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE sealing_key (
    id INT8 NOT NULL, subject INT8 NOT NULL, kek TEXT NOT NULL, wrapped BYTES NOT NULL, at INT8 NOT NULL,
    leaf INT8 NOT NULL,
    CONSTRAINT pk_sealing_key PRIMARY KEY (id),
    CONSTRAINT fk_sealing_key_subject FOREIGN KEY (subject) REFERENCES subject (id)
);
CREATE INDEX ix_sealing_key_subject ON sealing_key (subject, id);
CREATE TABLE artifact_key (
    artifact INT8 NOT NULL, sealing INT8 NOT NULL, wrapped BYTES NOT NULL,
    CONSTRAINT pk_artifact_key PRIMARY KEY (artifact)
);
CREATE INDEX ix_artifact_key_sealing ON artifact_key (sealing);
CREATE TABLE item_key (
    item INT8 NOT NULL, sealing INT8 NOT NULL, wrapped BYTES NOT NULL,
    CONSTRAINT pk_item_key PRIMARY KEY (item)
);
CREATE INDEX ix_item_key_sealing ON item_key (sealing);
CREATE TABLE tombstone (
    id INT8 NOT NULL, subject INT8, item INT8, person INT8, count INT8 NOT NULL, reason TEXT NOT NULL,
    actor INT8 NOT NULL, at INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_tombstone PRIMARY KEY (id),
    CONSTRAINT fk_tombstone_subject FOREIGN KEY (subject) REFERENCES subject (id),
    CONSTRAINT fk_tombstone_actor FOREIGN KEY (actor) REFERENCES actor (id)
);
CREATE INDEX ix_tombstone_item ON tombstone (item);
CREATE INDEX ix_tombstone_person ON tombstone (person);
CREATE TABLE erased (
    artifact INT8 NOT NULL, tombstone INT8 NOT NULL,
    CONSTRAINT pk_erased PRIMARY KEY (artifact)
) ROWLESS;
CREATE INDEX ix_erased_tombstone ON erased (tombstone);
"""

# With the columns by which SQLite's INSERT OR REPLACE would find a row.
APPEND_ONLY = {"sealing_key": ("id",), "tombstone": ("id",), "erased": ("artifact",)}
BYTES_GO = (
    "NEW.id = OLD.id AND NEW.digest = OLD.digest AND NEW.length = OLD.length AND NEW.codec = OLD.codec"
    " AND NEW.bytes IS NULL AND NEW.uri IS NULL AND EXISTS (SELECT 1 FROM erased WHERE artifact = OLD.id)"
)
NAME_GOES = "NEW.id = OLD.id AND NEW.name IS NULL AND EXISTS (SELECT 1 FROM tombstone WHERE person = OLD.id)"
# table -> (which updates, which deletions, and SQLite's keys as above)
GUARDED = {
    "artifact_key": (
        "NEW.artifact = OLD.artifact",
        "EXISTS (SELECT 1 FROM erased WHERE artifact = OLD.artifact)",
        ("artifact",),
    ),
    "item_key": ("NEW.item = OLD.item", "EXISTS (SELECT 1 FROM tombstone WHERE item = OLD.item)", ("item",)),
}
REPLACED = {
    "postgresql": ("artifact ON artifact", "actor ON actor", "actor_update ON actor"),
    "sqlite": [f"{table}_{each}" for table in ("artifact", "actor") for each in ("update", "delete", "replace")],
}
SPELLING = {
    "sqlite": (("INT8", "INTEGER"), ("BYTES", "BLOB"), ("ROWLESS", "WITHOUT ROWID")),
    "postgresql": (("INT8", "BIGINT"), ("BYTES", "BYTEA"), (" ROWLESS", "")),
}


def upgrade() -> None:
    """Create everything; the caller's transaction makes it all or nothing."""
    dialect = op.get_bind().dialect.name
    sql = TABLES
    for ours, theirs in SPELLING[dialect]:
        sql = sql.replace(ours, theirs)
    statements = [each for each in sql.split(";") if each.strip()]
    for table, key in APPEND_ONLY.items():
        statements += append_only(dialect, table, key)
    schema = _schema() if dialect == "postgresql" else ""
    for table, (updates, deletions, key) in GUARDED.items():
        statements += only_these_rows(dialect, table, schema, updates, deletions, key)
    statements += [f"DROP TRIGGER evidenced_{each}" for each in REPLACED[dialect]]
    statements += only_these_rows(dialect, "actor", schema, NAME_GOES, "1 = 0", ("id",))
    statements += only_these_rows(dialect, "artifact", schema, BYTES_GO, "1 = 0", ("id",), ("digest",))
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)


def _schema() -> str:
    found = op.get_bind().execute(text("SELECT quote_ident(current_schema())"))
    return str(found.scalar_one())

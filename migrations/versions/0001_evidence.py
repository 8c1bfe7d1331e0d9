"""The evidence store and its log: tables, indices and guards of the first version."""

from __future__ import annotations

from alembic import op

from collector.store.guards import REFUSE_FUNCTION, append_only, only_these_updates

revision = "0001"
down_revision = None

# INT8, BYTES and ROWLESS are spelled for each engine below; everything else both engines read alike.
TABLES = """
CREATE TABLE log_leaf (
    idx INT8 NOT NULL, kind TEXT NOT NULL, at INT8 NOT NULL, bytes BYTES NOT NULL,
    CONSTRAINT pk_log_leaf PRIMARY KEY (idx)
);
CREATE TABLE log_node (
    level SMALLINT NOT NULL, idx INT8 NOT NULL, hash BYTES NOT NULL,
    CONSTRAINT pk_log_node PRIMARY KEY (level, idx)
) ROWLESS;
CREATE TABLE log_head (
    id SMALLINT NOT NULL, size INT8 NOT NULL, root BYTES NOT NULL, peaks BYTES NOT NULL,
    CONSTRAINT pk_log_head PRIMARY KEY (id),
    CONSTRAINT ck_log_head_one_row CHECK (id = 1)
);
CREATE TABLE artifact (
    id INT8 NOT NULL, digest BYTES NOT NULL, length INT8 NOT NULL, codec SMALLINT NOT NULL, bytes BYTES, uri TEXT,
    CONSTRAINT pk_artifact PRIMARY KEY (id),
    CONSTRAINT uq_artifact_digest UNIQUE (digest)
);
CREATE TABLE source (
    id INT8 NOT NULL, name TEXT NOT NULL,
    CONSTRAINT pk_source PRIMARY KEY (id),
    CONSTRAINT uq_source_name UNIQUE (name)
);
CREATE TABLE subject (
    id INT8 NOT NULL, source INT8 NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL,
    CONSTRAINT pk_subject PRIMARY KEY (id),
    CONSTRAINT fk_subject_source FOREIGN KEY (source) REFERENCES source (id),
    CONSTRAINT uq_subject_source_kind_scope UNIQUE (source, kind, scope)
);
CREATE TABLE item (
    id INT8 NOT NULL, subject INT8 NOT NULL, key_digest BYTES NOT NULL, key BYTES,
    CONSTRAINT pk_item PRIMARY KEY (id),
    CONSTRAINT uq_item_subject_key_digest UNIQUE (subject, key_digest)
);
CREATE TABLE sweep (
    id INT8 NOT NULL, source INT8 NOT NULL, due INT8 NOT NULL, first_due INT8 NOT NULL, finished INT8 NOT NULL,
    "trigger" TEXT NOT NULL, part INT8 NOT NULL, last BOOLEAN NOT NULL, request INT8 NOT NULL, plan INT8 NOT NULL,
    recorded INT8 NOT NULL,
    frame INT8, notes INT8, codec SMALLINT NOT NULL, sheet BYTES NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_sweep PRIMARY KEY (id),
    CONSTRAINT fk_sweep_source FOREIGN KEY (source) REFERENCES source (id),
    CONSTRAINT fk_sweep_frame FOREIGN KEY (frame) REFERENCES artifact (id),
    CONSTRAINT fk_sweep_notes FOREIGN KEY (notes) REFERENCES artifact (id)
);
CREATE INDEX ix_sweep_source_due ON sweep (source, due);
CREATE INDEX ix_sweep_late ON sweep (source, finished) WHERE first_due < finished - 3600000 OR due > finished;
CREATE INDEX ix_sweep_request ON sweep (request) WHERE request <> 0;
CREATE TABLE population_state (
    id INT8 NOT NULL, subject INT8 NOT NULL, at INT8 NOT NULL, count INT8 NOT NULL, root BYTES NOT NULL,
    sweep INT8 NOT NULL, since INT8, watermark INT8,
    CONSTRAINT pk_population_state PRIMARY KEY (id)
);
CREATE INDEX ix_population_state_subject_sweep ON population_state (subject, sweep);
CREATE INDEX ix_population_state_at ON population_state (at);
CREATE TABLE change (
    state INT8 NOT NULL, item INT8 NOT NULL, before INT8, artifact INT8,
    CONSTRAINT pk_change PRIMARY KEY (state, item)
) ROWLESS;
CREATE TABLE item_version (
    subject INT8 NOT NULL, item INT8 NOT NULL, state INT8 NOT NULL, since INT8 NOT NULL, until INT8,
    artifact INT8 NOT NULL,
    CONSTRAINT pk_item_version PRIMARY KEY (subject, item, state)
) ROWLESS;
CREATE INDEX ix_item_version_open ON item_version (subject, item, artifact) WHERE until IS NULL;
CREATE TABLE volatile (
    subject INT8 NOT NULL, at INT8 NOT NULL, sweep INT8 NOT NULL, artifact INT8 NOT NULL,
    CONSTRAINT pk_volatile PRIMARY KEY (subject, at, sweep)
) ROWLESS;
CREATE TABLE missed (
    id INT8 NOT NULL, source INT8 NOT NULL, since INT8 NOT NULL, until INT8 NOT NULL, cause TEXT NOT NULL,
    plan INT8 NOT NULL, whole BOOLEAN NOT NULL, recorded INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_missed PRIMARY KEY (id),
    CONSTRAINT fk_missed_source FOREIGN KEY (source) REFERENCES source (id)
);
CREATE INDEX ix_missed_source_until ON missed (source, until);
CREATE TABLE missed_subject (
    missed INT8 NOT NULL, subject INT8 NOT NULL,
    CONSTRAINT pk_missed_subject PRIMARY KEY (missed, subject)
) ROWLESS;
CREATE TABLE plan (
    version INT8 NOT NULL, valid_from INT8 NOT NULL, artifact INT8 NOT NULL, recorded INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_plan PRIMARY KEY (version),
    CONSTRAINT fk_plan_artifact FOREIGN KEY (artifact) REFERENCES artifact (id)
);
CREATE TABLE controls (
    version INT8 NOT NULL, valid_from INT8 NOT NULL, artifact INT8 NOT NULL, recorded INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_controls PRIMARY KEY (version),
    CONSTRAINT fk_controls_artifact FOREIGN KEY (artifact) REFERENCES artifact (id)
);
CREATE TABLE actor (
    id INT8 NOT NULL, name TEXT,
    CONSTRAINT pk_actor PRIMARY KEY (id)
);
CREATE INDEX ix_actor_name ON actor (name);
CREATE TABLE tag (
    id INT8 NOT NULL, target TEXT NOT NULL, control TEXT NOT NULL, note TEXT NOT NULL, actor INT8 NOT NULL,
    at INT8 NOT NULL, withdraws INT8, leaf INT8 NOT NULL,
    CONSTRAINT pk_tag PRIMARY KEY (id),
    CONSTRAINT fk_tag_actor FOREIGN KEY (actor) REFERENCES actor (id),
    CONSTRAINT fk_tag_withdraws FOREIGN KEY (withdraws) REFERENCES tag (id)
);
CREATE INDEX ix_tag_target ON tag (target);
CREATE TABLE snapshot_request (
    id INT8 NOT NULL, source TEXT NOT NULL, kinds TEXT NOT NULL, reason TEXT NOT NULL, actor INT8 NOT NULL,
    at INT8 NOT NULL,
    CONSTRAINT pk_snapshot_request PRIMARY KEY (id),
    CONSTRAINT fk_snapshot_request_actor FOREIGN KEY (actor) REFERENCES actor (id)
);
"""

# Tables that take no UPDATE and no DELETE, with the columns by which SQLite's INSERT OR REPLACE would find a row.
APPEND_ONLY = {
    "log_leaf": [("idx",)],
    "log_node": [("level", "idx")],
    "artifact": [("id",), ("digest",)],
    "source": [("id",), ("name",)],
    "subject": [("id",), ("source", "kind", "scope")],
    "item": [("id",), ("subject", "key_digest")],
    "sweep": [("id",)],
    "population_state": [("id",)],
    "change": [("state", "item")],
    "volatile": [("subject", "at", "sweep")],
    "missed": [("id",)],
    "missed_subject": [("missed", "subject")],
    "plan": [("version",)],
    "controls": [("version",)],
    "tag": [("id",)],
    "snapshot_request": [("id",)],
}
CLOSES_ONCE = (
    "OLD.until IS NULL AND NEW.until >= OLD.since AND NEW.subject = OLD.subject AND NEW.item = OLD.item"
    " AND NEW.state = OLD.state AND NEW.since = OLD.since AND NEW.artifact = OLD.artifact"
)
UPDATES = {
    "item_version": (CLOSES_ONCE, [("subject", "item", "state")]),
    "log_head": ("NEW.id = OLD.id AND NEW.size = OLD.size + 1", [("id",)]),
    "actor": ("NEW.id = OLD.id", [("id",)]),
}
SPELLING = {
    "sqlite": (("INT8", "INTEGER"), ("BYTES", "BLOB"), ("ROWLESS", "WITHOUT ROWID")),
    "postgresql": (("INT8", "BIGINT"), ("BYTES", "BYTEA"), (" ROWLESS", "")),
}


def upgrade() -> None:
    """Create everything; the caller's transaction makes it all or nothing."""
    dialect = op.get_bind().dialect.name
    text = TABLES
    for ours, theirs in SPELLING[dialect]:
        text = text.replace(ours, theirs)
    statements = [each for each in text.split(";") if each.strip()]
    if dialect == "postgresql":
        statements.append(REFUSE_FUNCTION)
    for table, keys in APPEND_ONLY.items():
        statements += append_only(dialect, table, *keys)
    for table, (allowed, keys) in UPDATES.items():
        statements += only_these_updates(dialect, table, allowed, *keys)
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)

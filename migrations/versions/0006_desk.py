"""The auditor's desk: what people record of engagements, populations, samples, requests, uploads and reviews."""

from __future__ import annotations

from alembic import op

from collector.store.guards import append_only

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE desk_act (
    id INT8 NOT NULL, kind TEXT NOT NULL, engagement INT8 NOT NULL, about INT8, document INT8 NOT NULL, artifact INT8,
    actor INT8 NOT NULL, at INT8 NOT NULL, leaf INT8 NOT NULL,
    CONSTRAINT pk_desk_act PRIMARY KEY (id),
    CONSTRAINT fk_desk_act_engagement FOREIGN KEY (engagement) REFERENCES desk_act (id),
    CONSTRAINT fk_desk_act_about FOREIGN KEY (about) REFERENCES desk_act (id),
    CONSTRAINT fk_desk_act_document FOREIGN KEY (document) REFERENCES artifact (id),
    CONSTRAINT fk_desk_act_artifact FOREIGN KEY (artifact) REFERENCES artifact (id),
    CONSTRAINT fk_desk_act_actor FOREIGN KEY (actor) REFERENCES actor (id)
);
CREATE INDEX ix_desk_act_kind_engagement ON desk_act (kind, engagement);
CREATE INDEX ix_desk_act_about ON desk_act (about);
"""


def upgrade() -> None:
    """Create everything; the caller's transaction makes it all or nothing."""
    dialect = op.get_bind().dialect.name
    text = TABLES.replace("INT8", "INTEGER") if dialect == "sqlite" else TABLES
    statements = [each for each in text.split(";") if each.strip()]
    for statement in [*statements, *append_only(dialect, "desk_act", ("id",))]:
        op.get_bind().exec_driver_sql(statement)

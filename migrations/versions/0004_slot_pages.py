"""Pages of the slot ledger: a projection of the run sheets by which coverage is answered without opening them."""

from __future__ import annotations

from alembic import op

from collector.store.guards import append_only

revision = "0004"
down_revision = "0003"

TABLE = """
CREATE TABLE slot_page (
    source INT8 NOT NULL, last INT8 NOT NULL, since INT8 NOT NULL, until INT8 NOT NULL, codec SMALLINT NOT NULL,
    bytes BYTES NOT NULL,
    CONSTRAINT pk_slot_page PRIMARY KEY (source, last)
)
"""
SPELLING = {
    "sqlite": (("INT8", "INTEGER"), ("BYTES", "BLOB")),
    "postgresql": (("INT8", "BIGINT"), ("BYTES", "BYTEA")),
}


def upgrade() -> None:
    """Create it empty; `collector.store.schema` fills it where there are sweeps already."""
    dialect = op.get_bind().dialect.name
    text = TABLE
    for ours, theirs in SPELLING[dialect]:
        text = text.replace(ours, theirs)
    for statement in [text, *append_only(dialect, "slot_page", ("source", "last"))]:
        op.get_bind().exec_driver_sql(statement)

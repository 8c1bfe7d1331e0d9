"""Whose a content is, found by its number: who may see some of the evidence may see no other content by its digest."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0007"

INDEXES = """
CREATE INDEX ix_item_version_artifact ON item_version (artifact, subject);
CREATE INDEX ix_volatile_artifact ON volatile (artifact, subject);
CREATE INDEX ix_desk_act_document ON desk_act (document);
CREATE INDEX ix_desk_act_artifact ON desk_act (artifact)
"""


def upgrade() -> None:
    """Create everything; the caller's transaction makes it all or nothing."""
    for statement in INDEXES.split(";"):
        op.get_bind().exec_driver_sql(statement)

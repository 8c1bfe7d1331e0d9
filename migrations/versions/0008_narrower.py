"""Fewer bytes a sweep: leaves are stored packed from here on, and PostgreSQL spends less on what is always small.

Leaves that are there stay as they are; an older version of the code could not read the new ones, so the number counts.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

# SQLite spends no byte on a 0 or a 1, whatever the type. PostgreSQL pads each BIGINT to 8 bytes, and leaves a tenth of
# an index free for rows in between, which never come where rows are only appended.
POSTGRESQL = """
ALTER TABLE sweep ALTER COLUMN part TYPE SMALLINT, ALTER COLUMN request TYPE INTEGER, ALTER COLUMN plan TYPE INTEGER;
ALTER INDEX pk_log_leaf SET (fillfactor = 100);
ALTER INDEX pk_sweep SET (fillfactor = 100);
ALTER INDEX ix_sweep_source_due SET (fillfactor = 100);
ALTER INDEX pk_artifact SET (fillfactor = 100);
ALTER INDEX pk_item SET (fillfactor = 100);
ALTER INDEX pk_population_state SET (fillfactor = 100);
ALTER INDEX pk_change SET (fillfactor = 100)
"""


def upgrade() -> None:
    """Change PostgreSQL's columns and indices; nothing on SQLite."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL.split(";"):
            op.get_bind().exec_driver_sql(statement)

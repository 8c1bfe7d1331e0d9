"""Triggers that refuse to change or remove evidence: defence against our own mistakes and a careless hand.

Someone with the owner's rights can drop them; that is what the log and its checkpoints are for. Migrations call these
functions, so their output for given arguments must not change: write a new one instead.
"""

from __future__ import annotations

from collections.abc import Sequence

REFUSE_FUNCTION = """
CREATE FUNCTION evidenced_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '23001',
        MESSAGE = 'evidence is append-only: ' || TG_OP || ' of ' || TG_TABLE_NAME || ' is refused';
END $$
"""


def append_only(dialect: str, table: str, *keys: Sequence[str]) -> list[str]:
    """Return the DDL by which *table* refuses UPDATE and DELETE, on PostgreSQL also TRUNCATE.

    *keys* are the column lists that are unique: SQLite's INSERT OR REPLACE would delete a row by them unseen.
    """
    if dialect == "postgresql":
        return _statement_guard(table, "UPDATE OR DELETE OR TRUNCATE")
    return [_sqlite_guard(table, "UPDATE"), _sqlite_guard(table, "DELETE"), _no_replace(table, keys)]


def only_these_updates(dialect: str, table: str, allowed: str, *keys: Sequence[str]) -> list[str]:
    """Return the DDL by which *table* refuses DELETE, and every UPDATE but those for which *allowed* is true.

    *allowed* is SQL over OLD and NEW that both engines read alike; null counts as false.
    """
    condition = f"({allowed}) IS NOT TRUE"
    if dialect == "postgresql":
        return [
            *_statement_guard(table, "DELETE OR TRUNCATE"),
            f"CREATE TRIGGER evidenced_{table}_update BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition})"
            " EXECUTE FUNCTION evidenced_refuse()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER evidenced_{table}_update",
        ]
    guards = [_sqlite_guard(table, "UPDATE", f"WHEN {condition}"), _sqlite_guard(table, "DELETE")]
    return [*guards, *([_no_replace(table, keys)] if keys else [])]


def only_these_rows(
    dialect: str, table: str, schema: str, updates: str, deletions: str, *keys: Sequence[str]
) -> list[str]:
    """Return the DDL by which *table* refuses every UPDATE but those for which *updates* is true, and every DELETE but
    those for which *deletions* is; on PostgreSQL also TRUNCATE.

    Both are SQL over OLD and NEW that may ask other tables of *schema* (PostgreSQL's, quoted); null counts as false.
    """
    if dialect != "postgresql":
        return [
            _sqlite_guard(table, "UPDATE", f"WHEN ({updates}) IS NOT TRUE"),
            _sqlite_guard(table, "DELETE", f"WHEN ({deletions}) IS NOT TRUE"),
            _no_replace(table, keys),
        ]
    statements = _statement_guard(table, "TRUNCATE")
    for operation, allowed, returned in (("UPDATE", updates, "NEW"), ("DELETE", deletions, "OLD")):
        name = f"evidenced_{table}_{operation.lower()}"
        # A WHEN clause may not ask other tables. The path is pinned: else a temporary table could answer for them.
        statements += [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$"
            f" BEGIN IF ({allowed}) IS NOT TRUE THEN"
            " RAISE EXCEPTION USING ERRCODE = '23001',"
            f" MESSAGE = 'evidence is append-only: {operation} of {table} is refused';"
            f" END IF; RETURN {returned}; END $$",
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def _statement_guard(table: str, operations: str) -> list[str]:
    return [
        f"CREATE TRIGGER evidenced_{table} BEFORE {operations} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION evidenced_refuse()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER evidenced_{table}",
    ]


def _sqlite_guard(table: str, operation: str, condition: str = "") -> str:
    return (
        f"CREATE TRIGGER evidenced_{table}_{operation.lower()} BEFORE {operation} ON {table} {condition}"
        f" BEGIN SELECT RAISE(ABORT, 'evidence is append-only: {operation} of {table} is refused'); END"
    )


def _no_replace(table: str, keys: Sequence[Sequence[str]]) -> str:
    same = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{column} = NEW.{column}' for column in key)})"  # noqa: S608
        for key in keys
    )
    return (
        f"CREATE TRIGGER evidenced_{table}_replace BEFORE INSERT ON {table} WHEN {same}"
        f" BEGIN SELECT RAISE(ABORT, 'evidence is append-only: replacing in {table} is refused'); END"
    )

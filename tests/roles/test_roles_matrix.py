"""What each role may do with each table is done, and everything else is refused: tried on a real server, one by one.

The cases come from the MetaData, so a new table is in them; what may be done is what `GRANTS` declares.
"""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest
from psycopg import errors

import collector.store.checkpoint_tables
import collector.store.desk_tables
import collector.store.tables  # noqa: F401
from collector.act import ActKind
from collector.log.leaf import LeafKind
from collector.log.tables import metadata
from collector.store import open_store
from collector.store.grants import ERASER_LEAVES, GRANTS, LOGINS, SIGNER_LEAVES, VERSION_TABLE, Role
from tests.fakes.clock import PlayedClock
from tests.roles.conftest import make_place

TABLES = sorted([*metadata.tables, VERSION_TABLE])
COLUMNS = {name: list(table.columns.keys()) for name, table in metadata.tables.items()} | {
    VERSION_TABLE: ["version_num"]
}
CASES = [(role, table) for role in LOGINS for table in TABLES]


@pytest.fixture(scope="module")
def server(postgresql_server):
    """A place with a store, made once for all cases, and a session of each role by name."""
    with make_place(postgresql_server) as place:
        place.set_up()
        open_store(place.login(Role.WRITER), clock=PlayedClock()).close()
        sessions = {role: psycopg.connect(place.login(role)) for role in LOGINS}
        for name in ("engagement", "sources", "subjects", "records"):  # what policies keep from it is tested elsewhere
            sessions[Role.DESK].execute("SELECT set_config(%s, '*', false)", [f"evidenced.{name}"])
        sessions[Role.DESK].commit()
        yield sessions
        for each in sessions.values():
            each.close()


@pytest.fixture
def attempt(server):
    """What executes a statement as a role and takes it back; returns the error's class, or None."""

    def attempt(role, statement):
        session = server[role]
        try:
            session.execute(statement)
        except psycopg.Error as error:
            return type(error)
        finally:
            session.rollback()
        return None

    return attempt


def test_every_table_is_declared():
    assert sorted(GRANTS) == TABLES


def test_what_is_declared_is_little():
    updates = {
        (table, column) for table, roles in GRANTS.items() for rights in roles.values() for column in rights.update
    }
    erasing = {("artifact", "bytes"), ("artifact", "uri"), ("actor", "name")}
    wrapping = {(table, column) for table in ("artifact_key", "item_key") for column in ("sealing", "wrapped")}
    head = {("log_head", column) for column in ("size", "root", "peaks")}
    assert updates == {("item_version", "until")} | head | erasing | wrapping
    only_erasing = {(table, role) for table, roles in GRANTS.items() for role in roles if roles[role].delete}
    assert only_erasing == {("artifact_key", Role.ERASER), ("item_key", Role.ERASER)}
    assert not any(GRANTS[table][Role.WRITER].update for table, _ in erasing | wrapping)
    assert not any(roles[Role.READER].insert or roles[Role.READER].update for roles in GRANTS.values())
    assert all(Role.OWNER not in roles for roles in GRANTS.values())
    said = {table for table, roles in GRANTS.items() if Role.DESK in roles and roles[Role.DESK].insert}
    assert said == {"actor", "artifact", "desk_act", "log_leaf", "log_node", "regained", "snapshot_request", "tag"}
    assert {table for table, roles in GRANTS.items() if Role.DESK in roles and roles[Role.DESK].update} == {"log_head"}
    signed = {table for table, roles in GRANTS.items() if Role.SIGNER in roles and roles[Role.SIGNER].insert}
    assert not signed & {"sweep", "artifact", "item", "change", "item_version", "missed", "plan", "controls", "tag"}


@pytest.mark.parametrize(("role", "table"), CASES)
def test_a_role_reads_what_is_declared(attempt, role, table):
    refused = attempt(role, f"SELECT * FROM {table}")
    assert refused is (None if role in GRANTS[table] else errors.InsufficientPrivilege)


@pytest.mark.parametrize(("role", "table"), CASES)
def test_a_role_adds_to_what_is_declared(attempt, role, table):
    """A row of nothing: who may add learns that it is none, who may not learns that."""
    rights = GRANTS[table].get(role)
    found = attempt(role, f'INSERT INTO {table} ("{COLUMNS[table][0]}") VALUES (NULL)')
    assert found is (errors.NotNullViolation if rights and rights.insert else errors.InsufficientPrivilege)


@pytest.mark.parametrize(("role", "table"), CASES)
def test_a_role_updates_the_columns_that_are_declared_and_no_other(attempt, role, table):
    rights = GRANTS[table].get(role)
    for column in COLUMNS[table]:
        allowed = rights is not None and column in rights.update
        found = attempt(role, f'UPDATE {table} SET "{column}" = "{column}" WHERE false')
        assert found is (None if allowed else errors.InsufficientPrivilege), column


OWNERS_ONLY = (
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "TRUNCATE {table} CASCADE",
    "DROP TABLE {table} CASCADE",
    'ALTER TABLE {table} DROP COLUMN "{column}"',
    "ALTER TABLE {table} ADD COLUMN more TEXT",
    'ALTER TABLE {table} ALTER COLUMN "{column}" DROP NOT NULL',
    "ALTER TABLE {table} RENAME TO gone",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE TRIGGER USER",
    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
    'CREATE INDEX mine ON {table} ("{column}")',
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
)


@pytest.mark.parametrize(("role", "table"), CASES)
def test_no_role_removes_or_changes_a_table_or_its_guards(attempt, role, table):
    for statement in OWNERS_ONLY:
        rights = GRANTS[table].get(role)
        found = attempt(role, statement.format(table=table, column=COLUMNS[table][0]))
        allowed = statement.startswith(("DELETE", "LOCK")) and rights is not None and rights.delete
        assert found is (None if allowed else errors.InsufficientPrivilege), statement


@pytest.mark.parametrize(("role", "table"), CASES)
def test_no_role_passes_a_right_on(server, role, table):
    """PostgreSQL only warns of a GRANT by who has the right but may not grant it."""
    session = server[role]
    with suppress(errors.InsufficientPrivilege):
        session.execute(f"GRANT ALL ON {table} TO PUBLIC")
        given = "SELECT 1 FROM pg_class, aclexplode(relacl) WHERE oid = %s::regclass AND grantee = 0"
        assert session.execute(given, [table]).fetchall() == []
    session.rollback()


def triggers(session):
    """Return (table, trigger, whether it fires always) of every guard of the store."""
    return session.execute(
        "SELECT relname, tgname, tgenabled = 'A' FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid)"
    ).fetchall()


def test_every_table_has_guards_that_fire_always(server):
    found = triggers(server[Role.READER])
    assert {table for table, _, _ in found} == set(metadata.tables)
    assert all(always for _, _, always in found)


@pytest.mark.parametrize("role", LOGINS)
def test_no_role_drops_a_guard(server, attempt, role):
    for table, trigger, _ in triggers(server[Role.READER]):
        for statement in (
            f"DROP TRIGGER {trigger} ON {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER {trigger}",
            f"ALTER TABLE {table} ENABLE TRIGGER {trigger}",
            f"ALTER TRIGGER {trigger} ON {table} RENAME TO gone",
        ):
            assert attempt(role, statement) is errors.InsufficientPrivilege, statement


@pytest.mark.parametrize("role", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET ROLE {prefix}_owner",
        "GRANT {prefix}_owner TO CURRENT_USER",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER CREATEROLE",
        "CREATE ROLE {prefix}_more",
        "CREATE TABLE mine (id INT)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION evidenced_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DROP FUNCTION evidenced_refuse() CASCADE",
        "ALTER FUNCTION evidenced_refuse() RESET search_path",
        "DROP SCHEMA {prefix} CASCADE",
        "DROP OWNED BY {prefix}_owner",
        "REASSIGN OWNED BY {prefix}_owner TO CURRENT_USER",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {prefix}_owner GRANT ALL ON TABLES TO PUBLIC",
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION evidenced_refuse()",
        "COPY log_leaf TO PROGRAM 'true'",
    ],
)
def test_no_role_becomes_more_than_it_is(server, attempt, role, statement):
    prefix = server[role].info.user.rpartition("_")[0]
    assert attempt(role, statement.format(prefix=prefix)) is errors.InsufficientPrivilege


@pytest.mark.parametrize("other", list(LOGINS))
@pytest.mark.parametrize("role", LOGINS)
def test_no_role_is_another(server, attempt, role, other):
    if role is not other:
        name = server[other].info.user
        assert attempt(role, f"SET ROLE {name}") is errors.InsufficientPrivilege


def test_the_signer_adds_leaves_of_its_own_kinds_only(server, attempt):
    for kind in LeafKind:
        found = attempt(Role.SIGNER, f"INSERT INTO log_leaf VALUES (1, '{kind}', 0, '')")
        assert found is (None if kind in SIGNER_LEAVES else errors.InsufficientPrivilege), kind
        assert attempt(Role.WRITER, f"INSERT INTO log_leaf VALUES (1, '{kind}', 0, '')") is None
        assert attempt(Role.READER, f"INSERT INTO log_leaf VALUES (1, '{kind}', 0, '')") is errors.InsufficientPrivilege


def test_the_eraser_adds_leaves_of_its_own_kinds_only(server, attempt):
    for kind in LeafKind:
        found = attempt(Role.ERASER, f"INSERT INTO log_leaf VALUES (1, '{kind}', 0, '')")
        assert found is (None if kind in ERASER_LEAVES else errors.InsufficientPrivilege), kind


def test_the_desk_adds_leaves_of_acts_and_tags_only(server, attempt):
    allowed = {*(kind.value for kind in ActKind), "tag"}
    for kind in LeafKind:
        found = attempt(Role.DESK, f"INSERT INTO log_leaf VALUES (1, '{kind}', 0, '')")
        assert found is (None if kind in allowed else errors.InsufficientPrivilege), kind


def test_there_are_no_sequences_that_a_copy_would_have_to_set(server):
    assert server[Role.READER].execute("SELECT count(*) FROM pg_sequences").fetchone() == (0,)


def test_the_log_is_as_it_was_after_all_that(server):
    assert server[Role.READER].execute("SELECT size FROM log_head").fetchall() == [(1,)]

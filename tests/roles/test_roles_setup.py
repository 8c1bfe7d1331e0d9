"""Setting up roles: by no superuser, all or nothing, again without harm, and never around somebody else's things."""

from __future__ import annotations

import shutil

import psycopg
import pytest

from collector.data import data_path
from collector.errors import ConfigError, StoreError
from collector.store import open_store, schema
from collector.store.grants import LOGINS, Role
from collector.store.roles import set_up

MORE = """
from alembic import op

revision, down_revision = "9000", "{newest}"


def upgrade():
    op.get_bind().exec_driver_sql("CREATE TABLE more (id BIGINT)")
"""
CATALOG = """
SELECT 'table', relname::text, relowner::regrole::text, relacl::text FROM pg_class
WHERE relnamespace = '{0}'::regnamespace
UNION ALL SELECT 'column', attname::text, attrelid::regclass::text, attacl::text FROM pg_attribute
WHERE attacl IS NOT NULL AND attrelid::regclass::text LIKE '{0}.%'
UNION ALL SELECT 'schema', nspname::text, nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname = '{0}'
UNION ALL SELECT 'function', proname::text, array_to_string(proconfig, ' '), proacl::text FROM pg_proc
WHERE pronamespace = '{0}'::regnamespace
UNION ALL SELECT 'trigger', tgname::text, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'policy', tablename || ' ' || policyname, array_to_string(roles, ' '), qual || coalesce(with_check, '')
FROM pg_policies WHERE schemaname = '{0}'
UNION ALL SELECT 'secured', relname::text, relrowsecurity::text, relforcerowsecurity::text FROM pg_class
WHERE relnamespace = '{0}'::regnamespace AND relkind = 'r'
UNION ALL SELECT 'role', rolname::text, rolcanlogin::text, rolsuper::text FROM pg_roles WHERE rolname LIKE '{0}%'
UNION ALL SELECT 'member', roleid::regrole::text, member::regrole::text, grantor::regrole::text
FROM pg_auth_members WHERE roleid::regrole::text LIKE '{0}%'
UNION ALL SELECT 'setting', setrole::regrole::text, array_to_string(setconfig, ' '), '' FROM pg_db_role_setting
WHERE setrole::regrole::text LIKE '{0}%'
UNION ALL SELECT 'default', defaclrole::regrole::text, defaclobjtype::text, defaclacl::text FROM pg_default_acl
ORDER BY 1, 2, 3, 4
"""


def catalog(place):
    """Return all that there is of the place's roles, tables, rights and guards."""
    with psycopg.connect(place.url) as conn:
        found = conn.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [place.prefix]).fetchone()
        if not found:
            query = "SELECT rolname::text FROM pg_roles WHERE rolname LIKE %s ORDER BY 1"
            return conn.execute(query, [f"{place.prefix}%"]).fetchall()
        return conn.execute(CATALOG.format(place.prefix)).fetchall()


def test_who_sets_up_is_no_superuser_and_owns_nothing_afterwards(ready):
    assert ready.sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", ready.admin) == [False]
    owners = set(
        ready.sql(f"SELECT relowner::regrole::text FROM pg_class WHERE relnamespace = '{ready.prefix}'::regnamespace")
    )
    assert owners == {f"{ready.prefix}_owner"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ready.sql(f"SET ROLE {ready.prefix}_owner", ready.admin)


def test_a_superuser_may_set_up_as_well(place, clock):
    set_up(place.url, place.prefix)
    set_up(place.url, place.prefix)
    open_store(place.login(Role.WRITER), clock=clock).close()


def test_nobody_logs_in_as_the_owner_and_no_password_is_set(ready):
    assert (
        ready.sql(f"SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL AND rolname LIKE '{ready.prefix}%'")
        == []
    )
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        ready.sql("SELECT 1", ready.login(Role.OWNER))


def test_setting_up_again_changes_nothing(ready, clock):
    before = catalog(ready)
    assert len(before) > 100
    ready.set_up()
    assert catalog(ready) == before


def test_setting_up_again_takes_back_what_was_granted_beside_it(ready):
    before = catalog(ready)
    at = ready.prefix
    ready.sql(
        f"GRANT UPDATE, DELETE ON {at}.sweep TO {at}_writer; GRANT UPDATE (bytes) ON {at}.log_leaf TO {at}_reader"
    )
    ready.sql(f"GRANT SELECT ON {at}.artifact TO PUBLIC, {at}_signer; GRANT CREATE ON SCHEMA {at} TO {at}_writer")
    ready.sql(f"ALTER ROLE {at}_writer IN DATABASE {at} SET search_path = public")
    ready.sql(f"ALTER TABLE {at}.item DISABLE ROW LEVEL SECURITY; DROP POLICY evidenced_desk ON {at}.sweep")
    ready.sql(f"ALTER POLICY evidenced_desk ON {at}.desk_act USING (true)")
    ready.set_up()
    assert catalog(ready) == before


def test_a_dry_run_leaves_nothing_behind(place):
    before = catalog(place)
    place.set_up(dry_run=True)
    assert catalog(place) == before


def test_the_sql_of_a_dry_run_does_the_same_by_hand(place, postgresql_server, clock):
    statements = place.set_up(dry_run=True).statements
    with psycopg.connect(place.admin) as conn:
        for each in statements:
            conn.execute(each)
    by_hand = catalog(place)
    place.set_up()
    assert catalog(place) == by_hand
    open_store(place.login(Role.WRITER), clock=clock).close()


def test_when_it_fails_on_the_way_nothing_was_done(place):
    before = catalog(place)
    place.sql(
        f"CREATE ROLE {place.prefix}_reader LOGIN"
    )  # made by somebody else, so the administrator may not alter it
    with pytest.raises(StoreError, match="lacks a permission"):
        place.set_up()
    place.sql(f"DROP ROLE {place.prefix}_reader")
    assert catalog(place) == before


def test_a_role_that_may_do_more_is_not_taken(ready):
    for role in Role:
        for excess in ("SUPERUSER", "CREATEROLE", "REPLICATION", "BYPASSRLS", "CREATEDB"):
            name = f"{ready.prefix}_{role}"
            ready.sql(f"ALTER ROLE {name} {excess}")
            with pytest.raises(StoreError, match=f"{name} has more than a {role} may have: .*{excess}") as error:
                ready.set_up()
            assert "--prefix" in error.value.hint()
            ready.sql(f"ALTER ROLE {name} NO{excess}")


def test_a_login_that_is_a_member_of_the_owner_is_not_taken(ready):
    ready.sql(f"GRANT {ready.prefix}_owner TO {ready.prefix}_writer")
    with pytest.raises(StoreError, match="membership in"):
        ready.set_up()


def test_a_schema_of_somebody_else_is_left_alone(place):
    place.sql(f"CREATE SCHEMA {place.prefix}")
    with pytest.raises(StoreError, match="belongs to postgres"):
        place.set_up()


def test_a_second_store_in_one_database_is_refused(ready):
    with pytest.raises(StoreError, match="holds a store already, in the schema") as error:
        set_up(ready.url, f"{ready.prefix}_2")
    assert "evidenced db copy" in error.value.hint()


def test_only_postgresql_has_roles(sqlite_url):
    with pytest.raises(StoreError, match="only PostgreSQL has roles"):
        set_up(sqlite_url, "evidenced")


@pytest.mark.parametrize("prefix", ["", "Evidenced", "a-b", "x; DROP", 'a"b', "pg_mine", "1a", "a" * 41, "ä"])
def test_a_prefix_is_a_plain_word(prefix):
    with pytest.raises(ConfigError, match="cannot begin the names of roles"):
        set_up("postgresql://nobody@localhost/none", prefix)


def test_a_prefix_may_be_a_word_of_sql(place, clock):
    place.prefix, was = "user", place.prefix
    try:
        set_up(place.url, "user")
        open_store(place.login(Role.WRITER), clock=clock).close()
    finally:
        place.sql('DROP SCHEMA IF EXISTS "user" CASCADE')
        for role in Role:
            place.sql(f"DROP OWNED BY user_{role}; DROP ROLE user_{role}")
        place.prefix = was


def test_what_is_told_to_log_in_with_has_no_password(ready):
    told = set_up(ready.url.replace("postgres:@", "postgres:correct-horse@"), ready.prefix)
    assert "correct-horse" not in repr(told)
    assert told.urls[Role.WRITER].startswith(f"postgresql://{ready.prefix}_writer@")


def test_a_login_whose_search_path_sees_no_store_is_told_so(ready, clock):
    with pytest.raises(StoreError, match=r"there is no store here that .* sees, and .* may not make one") as error:
        open_store(ready.admin, clock=clock)
    assert "evidenced db init" in error.value.hint()


# A newer program


@pytest.fixture
def newer_program(tmp_path, monkeypatch):
    """What makes this program one with a further version of the tables, which has a table more."""

    def newer():
        newest = schema._scripts().get_current_head()
        shutil.copytree(data_path("migrations"), tmp_path / "migrations")
        (tmp_path / "migrations" / "versions" / "9000_more.py").write_text(MORE.format(newest=newest))
        monkeypatch.setattr(schema, "data_path", lambda _: tmp_path / "migrations")
        schema._scripts.cache_clear()

    yield newer
    monkeypatch.undo()
    schema._scripts.cache_clear()


@pytest.mark.parametrize("role", LOGINS)
def test_an_old_store_says_who_must_bring_it_up_to_date(ready, clock, newer_program, role):
    open_store(ready.login(Role.WRITER), clock=clock).close()
    newer_program()
    with pytest.raises(StoreError, match=f"needs 9000, and {ready.prefix}_{role} may not change them") as error:
        open_store(ready.login(role), clock=clock)
    assert "evidenced db migrate" in error.value.hint()
    assert f"{ready.prefix}_owner" in error.value.hint()


def test_once_it_is_up_to_date_everybody_opens_it_and_the_new_table_can_be_read(ready, clock, newer_program):
    open_store(ready.login(Role.WRITER), clock=clock).close()
    newer_program()
    ready.set_up(create=False)
    for role in LOGINS:
        open_store(ready.login(role), clock=clock, create=False).close()
    assert ready.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'more'") == [f"{ready.prefix}_owner"]


def test_a_later_table_can_be_read_but_not_written_before_it_is_declared(ready):
    ready.sql(f"SET ROLE {ready.prefix}_owner; CREATE TABLE {ready.prefix}.later (id INT)")
    for role in (Role.WRITER, Role.READER):
        assert ready.sql("SELECT id FROM later", ready.login(role)) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ready.sql("INSERT INTO later VALUES (1)", ready.login(role))


def test_there_must_be_something_to_bring_up_to_date(place):
    with pytest.raises(StoreError, match="there is no schema") as error:
        place.set_up(create=False)
    assert "evidenced db init" in error.value.hint()


def test_a_store_of_ones_own_is_brought_up_to_date_by_opening_it(postgresql_url, clock, newer_program):
    """Without roles of ours the login owns the tables, as a SQLite file's user does."""
    open_store(postgresql_url, clock=clock).close()
    newer_program()
    open_store(postgresql_url, clock=clock).close()

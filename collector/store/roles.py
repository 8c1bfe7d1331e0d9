"""The roles of a store on PostgreSQL: made, granted exactly what `collector.store.grants` declares, and checked.

- Everything happens in one transaction, by whoever may create roles and a schema; no superuser is needed.
- The tables live in a schema of their own, named like the prefix; each login's ``search_path`` is that schema alone.
- Whoever sets this up acts as the owner for that transaction only. No password is set here, or ever seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.engine import URL

from collector.errors import ConfigError, StoreError
from collector.store.connection import Database, parse_url
from collector.store.failures import shown
from collector.store.grants import DESK_LEAVES, ERASER_LEAVES, LOGINS, SIGNER_LEAVES, Role, grants
from collector.store.policies import policies
from collector.store.schema import MIGRATION_LOCK, migrate

_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SET_ROLE_SINCE = 160_000
_LEAVES = ((Role.SIGNER, SIGNER_LEAVES), (Role.ERASER, ERASER_LEAVES), (Role.DESK, DESK_LEAVES))


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was set up, or would be: the *schema*, the name and the URL (without a password) of each role, the SQL."""

    schema: str
    roles: dict[Role, str]
    urls: dict[Role, str]
    statements: tuple[str, ...]


def set_up(url: str, prefix: str, *, create: bool = True, dry_run: bool = False) -> SetUp:
    """Make the roles and the tables of a store at *url*, or bring both to this version; return what was done.

    *url* logs in as whoever may create roles, and schemas in the database. All or nothing; again, it changes only what
    is not as it should be; a *dry_run* does it and takes it back. The log is begun by the first who writes. Unless
    *create*, there must be roles and tables. Raises `StoreError`; `ConfigError` for a *prefix* that is none.
    """
    if not _PREFIX.fullmatch(prefix) or prefix.startswith("pg_"):
        raise ConfigError(f"{prefix!r} cannot begin the names of roles", hint="Use letters, digits and _, at most 40.")
    server = parse_url(url)
    database = Database(server)
    try:
        if database.path:
            raise StoreError("only PostgreSQL has roles; a SQLite file is guarded by its permissions")
        with database.writing(lock=False) as conn, _recorded(conn) as statements:
            setting = _Setting(conn, shown(server), prefix)
            setting.run(create=create)
            if dry_run:
                conn.get_transaction().rollback()  # type: ignore[union-attr]
        names = {role: f"{prefix}_{role}" for role in Role}
        return SetUp(prefix, names, {each: _login(server, names[each]) for each in LOGINS}, tuple(statements))
    finally:
        database.close()


class _Setting:
    """One transaction that sets up a store."""

    def __init__(self, conn: Connection, where: str, prefix: str) -> None:
        quote = conn.dialect.identifier_preparer.quote
        self._conn, self._where, self._plain = conn, where, prefix
        self._schema = quote(prefix)
        self._names = {role: quote(f"{prefix}_{role}") for role in Role}
        self._database = quote(str(self._one("SELECT current_database()")))
        self._logins = ", ".join(self._names[role] for role in LOGINS)

    def run(self, *, create: bool) -> None:
        self._conn.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        self._require_place(create)
        self._make_roles(create)
        with self._as_owner():
            self._open_schema()
            migrate(self._conn, self._where, create=create)
            self._pin_guards()
            self._grant()
            everybody = ", ".join(self._names[role] for role in LOGINS if role is not Role.DESK)
            for statement in policies(self._schema, everybody, self._names[Role.DESK]):
                self._do(statement)
        for role in LOGINS:
            self._do(f"ALTER ROLE {self._names[role]} IN DATABASE {self._database} SET search_path = {self._schema}")
        self._do(f"GRANT CONNECT ON DATABASE {self._database} TO {self._logins}")

    def _require_place(self, create: bool) -> None:
        other = self._one(
            "SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE relname = 'log_head' AND relkind = 'r' AND nspname <> :schema LIMIT 1",
            schema=self._plain,
        )
        # Locks belong to the database, not to the schema: two stores in one would wait for each other.
        if other:
            raise StoreError(
                f"{self._where}: the database holds a store already, in the schema {other!r}",
                hint="Use another database; `evidenced db copy` takes a store there with everything in it.",
            )
        owner = self._one("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = :s", s=self._plain)
        if owner not in (None, f"{self._plain}_{Role.OWNER}"):
            raise StoreError(
                f"{self._where}: the schema {self._plain!r} belongs to {owner}",
                hint="Name another one: --prefix NAME.",
            )
        if owner is None and not create:
            raise StoreError(
                f"{self._where}: there is no schema {self._plain!r}, so nothing to bring up to date",
                hint="`evidenced db init` makes it; a store under another prefix is named by --prefix.",
            )

    def _make_roles(self, create: bool) -> None:
        for role in Role:
            name = f"{self._plain}_{role}"
            if not self._one("SELECT 1 FROM pg_roles WHERE rolname = :name", name=name):
                if not create:
                    raise StoreError(f"{self._where}: there is no role {name}", hint="`evidenced db init` makes it.")
                self._do(f"CREATE ROLE {self._names[role]} {'NOLOGIN' if role is Role.OWNER else 'LOGIN'}")
        for role in Role:
            self._require_modest(role, f"{self._plain}_{role}")

    def _require_modest(self, role: Role, name: str) -> None:
        """Raise `StoreError` when the role, made by somebody else before, may do more than it should."""
        found = dict(self._conn.execute(_ATTRIBUTES, {"name": name}).mappings().one())
        if role is not Role.OWNER:
            found.pop("LOGIN")
        excess = [attribute for attribute, has in found.items() if has]
        for other in Role:
            of = {"name": name, "other": f"{self._plain}_{other}"}
            if other is not role and self._one("SELECT pg_has_role(:name, :other, 'MEMBER')", **of):
                excess.append(f"membership in {of['other']}")
        if excess:
            raise StoreError(
                f"{self._where}: the role {name} has more than a {role} may have: {', '.join(excess)}",
                hint="Take it away with ALTER ROLE or REVOKE, or let new roles be made: --prefix NAME.",
            )

    @contextmanager
    def _as_owner(self) -> Iterator[None]:
        owner = self._names[Role.OWNER]
        right = "SET" if int(str(self._one("SHOW server_version_num"))) >= _SET_ROLE_SINCE else "MEMBER"
        name = f"{self._plain}_{Role.OWNER}"
        joined = not self._one("SELECT pg_has_role(:name, :right)", name=name, right=right)
        if joined:
            self._do(f"GRANT {owner} TO CURRENT_USER")
        self._do(f"CREATE SCHEMA IF NOT EXISTS {self._schema} AUTHORIZATION {owner}")
        self._do(f"SET LOCAL ROLE {owner}")
        self._do(f"SET LOCAL search_path = {self._schema}")
        yield
        self._do("RESET ROLE")
        self._do("SET LOCAL search_path = DEFAULT")
        if joined:
            self._do(f"REVOKE {owner} FROM CURRENT_USER")

    def _open_schema(self) -> None:
        self._do(f"REVOKE ALL ON SCHEMA {self._schema} FROM PUBLIC, {self._logins}")
        self._do(f"GRANT USAGE ON SCHEMA {self._schema} TO {self._logins}")
        # A table of a later version can be read at once; what may be added to it is said table by table.
        readers = f"{self._names[Role.WRITER]}, {self._names[Role.READER]}"
        self._do(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {self._schema} GRANT SELECT ON TABLES TO {readers}")
        self._do("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")

    def _pin_guards(self) -> None:
        may = [self._acts_as(each) for each in (Role.WRITER, Role.OWNER)]
        for role, leaves in _LEAVES:
            kinds = ", ".join(f"'{kind}'" for kind in leaves)
            may.append(f"(NEW.kind IN ({kinds}) AND {self._acts_as(role)})")
        self._do("ALTER FUNCTION evidenced_refuse() SET search_path = pg_catalog, pg_temp")
        self._do(_REFUSE_LEAF)
        self._do("DROP TRIGGER IF EXISTS evidenced_log_leaf_signer ON log_leaf")
        self._do(
            "CREATE TRIGGER evidenced_log_leaf_signer BEFORE INSERT ON log_leaf FOR EACH ROW"
            f" WHEN (NOT ({' OR '.join(may)})) EXECUTE FUNCTION evidenced_refuse_leaf()"
        )
        self._do("ALTER TABLE log_leaf ENABLE ALWAYS TRIGGER evidenced_log_leaf_signer")

    def _acts_as(self, role: Role) -> str:
        return f"pg_has_role('{self._plain}_{role}', 'USAGE')"

    def _grant(self) -> None:
        for objects in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            self._do(f"REVOKE ALL ON ALL {objects} IN SCHEMA {self._schema} FROM PUBLIC, {self._logins}")
        for statement in grants(self._names):
            self._do(statement)

    def _do(self, statement: str) -> None:
        self._conn.exec_driver_sql(statement)

    def _one(self, query: str, **values: str) -> str | None:
        return self._conn.execute(text(query), values).scalar()


_ATTRIBUTES = text(
    'SELECT rolcanlogin AS "LOGIN", rolsuper AS "SUPERUSER", rolcreaterole AS "CREATEROLE", rolcreatedb AS "CREATEDB",'
    ' rolreplication AS "REPLICATION", rolbypassrls AS "BYPASSRLS" FROM pg_roles WHERE rolname = :name'
)
_REFUSE_LEAF = """CREATE OR REPLACE FUNCTION evidenced_refuse_leaf() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'permission denied for a leaf of the kind ' || NEW.kind;
END $$"""


@contextmanager
def _recorded(conn: Connection) -> Iterator[list[str]]:
    """Yield the list of every statement that *conn* then executes and that changes something."""
    statements: list[str] = []

    def record(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "SHOW")):
            statements.append(statement.strip())

    event.listen(conn, "before_cursor_execute", record)
    yield statements


def _login(server: URL, name: str) -> str:
    secret = [key for key in server.query if key in ("user", "password", "passfile")]
    return shown(server.difference_update_query(secret)._replace(username=name, password=None))

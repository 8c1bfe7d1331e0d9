"""With our own layer out of the way, the server itself keeps from the desk's login what is not of its engagement.

Raw SQL as that login, table by table, beside what is there; which tables must have policies comes from the MetaData.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

from collector.errors import StoreError
from collector.log.tables import metadata
from collector.store import open_store
from collector.store.grants import LOGINS, Role
from collector.store.policies import OPEN, POLICIES
from tests.fakes.clock import PlayedClock
from tests.roles.conftest import make_place
from tests.scope.world import HERE, LAB, live
from tests.store.conftest import NOON, Audit, Hand

TABLES = sorted(metadata.tables)
OF_SOMEBODY = {"subject", "source", "engagement"}
OWN = {"subject": "id", "source": "id"}
# Rows that no life leaves by itself, of ours and of foreign subjects: the numbers of each are put in.
MORE = """
INSERT INTO sealing_key VALUES ({n}, {subject}, 'k', '', 0, 0);
INSERT INTO artifact_key VALUES ({artifact}, {n}, '');
INSERT INTO item_key VALUES ({item}, {n}, '');
INSERT INTO tombstone VALUES ({n}, {subject}, NULL, NULL, 1, 'foreign or not', 1, 0, 0, NULL);
INSERT INTO erased VALUES ({artifact}, {n});
INSERT INTO regained VALUES ({artifact}, 0, '');
"""


@dataclass
class Guarded:
    """The *place*, its *world*, and every row of every table as a superuser sees it."""

    place: object
    world: object
    rows: dict

    def within(self, engagement):
        """Return the rows of every table as raw SQL gets them in a transaction of *engagement*."""
        with self.world.whole.within(engagement)._database.reading() as conn:
            return {each: [dict(row._mapping) for row in conn.exec_driver_sql(query(each))] for each in TABLES}


def query(table):
    return f'SELECT * FROM "{table}" ORDER BY {", ".join(each.name for each in metadata.tables[table].primary_key)}'


@pytest.fixture(scope="module")
def guarded(postgresql_server):
    with make_place(postgresql_server) as place:
        place.set_up()
        store = open_store(place.login(Role.WRITER), clock=PlayedClock())
        world = live(store)
        with psycopg.connect(f"{place.url}&options=-csearch_path%3D{place.prefix}", row_factory=dict_row) as conn:
            for number, subject in enumerate((HERE, LAB), start=1):
                values = (subject.source, subject.scope)
                found = conn.execute(ONE_OF, values).fetchone()
                conn.execute(MORE.format(n=number, **found))
            conn.commit()
            rows = {table: conn.execute(query(table)).fetchall() for table in TABLES}
        store.close()
        world.whole = open_store(place.login(Role.DESK), clock=PlayedClock(), create=False)
        yield Guarded(place, world, rows)
        world.whole.close()


ONE_OF = """
SELECT subject.id AS subject, item_version.item, item_version.artifact FROM subject
JOIN source ON source.id = subject.source JOIN item_version ON item_version.subject = subject.id
WHERE source.name = %s AND scope = %s AND kind = 'paper.users' AND artifact NOT IN (
    SELECT artifact FROM item_version GROUP BY artifact HAVING count(DISTINCT subject) > 1
) ORDER BY item DESC LIMIT 1
"""


@pytest.fixture(scope="module")
def seen(guarded):
    """Every row that ours sees."""
    return guarded.within(guarded.world.ours)


def test_every_table_has_a_policy_or_a_reason_for_none():
    assert sorted([*POLICIES, *OPEN]) == TABLES


@pytest.mark.parametrize("name", TABLES)
def test_a_table_with_rows_of_somebody_has_policies(guarded, name):
    """By its columns, its references and its name: a table that is added with such a column must have them."""
    table = metadata.tables[name]
    told = {column.name for column in table.c} | {key.column.table.name for key in table.foreign_keys} | {name}
    secured = guarded.place.sql(
        f"SELECT relrowsecurity FROM pg_class WHERE relname = '{name}' AND relnamespace ="
        f" '{guarded.place.prefix}'::regnamespace"
    )
    assert secured == [name in POLICIES]
    assert name in POLICIES or not told & {*OF_SOMEBODY, "desk_act"}
    given = guarded.place.sql(f"SELECT policyname FROM pg_policies WHERE tablename = '{name}' ORDER BY 1")
    assert given == (["evidenced_desk", "evidenced_everybody"] if name in POLICIES else [])


def numbers(rows, table, **is_):
    return {row["id"] for row in rows[table] if all(row[name] == value for name, value in is_.items())}


def of_ours(guarded):
    """Return, by table, which rows are of ours: made from all rows by plain comparisons."""
    rows, engagement = guarded.rows, guarded.world.ours.id
    [source] = numbers(rows, "source", name="paper:hq")
    [subject] = numbers(rows, "subject", source=source, kind="paper.users", scope="site")
    states = numbers(rows, "population_state", subject=subject)
    contents = {row["artifact"] for table in ("item_version", "volatile") for row in rows[table]
                if row["subject"] == subject}  # fmt: skip
    contents |= {row[name] for row in rows["desk_act"] for name in ("document", "artifact")
                 if row["engagement"] == engagement}  # fmt: skip
    owned = {row["artifact"] for table in ("item_version", "volatile") for row in rows[table]}
    owned |= {row[name] for row in rows["desk_act"] for name in ("document", "artifact")}
    contents |= {row["id"] for row in rows["artifact"]} - owned
    named = {row["missed"] for row in rows["missed_subject"] if row["subject"] == subject}
    return {
        "source": lambda row: row["id"] == source,
        "subject": lambda row: row["id"] == subject,
        **dict.fromkeys(
            ("item", "item_version", "population_state", "sealing_key", "tombstone", "volatile", "missed_subject"),
            lambda row: row["subject"] == subject,
        ),
        **dict.fromkeys(("sweep", "slot_page"), lambda row: row["source"] == source),
        "missed": lambda row: row["source"] == source and (row["whole"] or row["id"] in named),
        "change": lambda row: row["state"] in states,
        "snapshot_request": lambda row: row["source"] == "paper:hq",
        "desk_act": lambda row: row["engagement"] == engagement,
        "artifact": lambda row: row["id"] in contents,
        "regained": lambda row: row["artifact"] in contents,
        **dict.fromkeys(("erased",), lambda row: row["tombstone"] == 1),
        **dict.fromkeys(("artifact_key", "item_key"), lambda row: row["sealing"] == 1),
        "log_leaf": lambda _: False,
    }


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"tag"}))
def test_raw_sql_within_an_engagement_gets_its_rows_and_no_other(guarded, seen, name):
    ours = of_ours(guarded)[name]
    assert seen[name] == [row for row in guarded.rows[name] if ours(row)]
    assert len(seen[name]) < len(guarded.rows[name])
    assert seen[name] or name == "log_leaf"


def test_raw_sql_within_an_engagement_gets_no_tag_of_another_source_or_content(guarded, seen):
    """A run is of a source there: of another scope of the same source it tells."""
    notes = [row["note"] for row in seen["tag"]]
    assert {"ours run", "ours no", "ours thing"} <= set(notes)
    assert "foreign thing" not in notes
    assert len(notes) < len(guarded.rows["tag"])


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_raw_sql_that_says_nothing_gets_nothing(guarded, name):
    assert guarded.rows[name]
    assert guarded.place.sql(f"SELECT * FROM {name}", guarded.place.login(Role.DESK)) == []


@pytest.mark.parametrize("name", TABLES)
def test_a_transaction_for_the_whole_store_gets_every_row(guarded, name):
    with guarded.world.whole._database.reading() as conn:
        assert [dict(row._mapping) for row in conn.exec_driver_sql(query(name))] == guarded.rows[name]


@pytest.mark.parametrize("name", TABLES)
def test_what_a_transaction_said_is_over_with_it(guarded, name):
    """Connections are shared: the next to have one must say again what it is for."""
    store = guarded.world.whole
    with store.within(guarded.world.ours)._database.reading():
        pass
    with store.within(guarded.world.theirs)._database.reading():
        pass
    connection = store._database.engine.raw_connection()
    found = connection.cursor().execute(f"SELECT count(*) FROM {name}").fetchone()
    connection.close()
    assert (found == (0,)) == (name in POLICIES or not guarded.rows[name])


@pytest.mark.parametrize("role", sorted(set(LOGINS) - {Role.DESK, Role.SIGNER}))
def test_the_other_logins_get_every_row(guarded, role):
    for name in TABLES:
        found = guarded.place.sql(f"SELECT count(*) FROM {name}", guarded.place.login(role))
        assert found == [len(guarded.rows[name])]


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policies_cost_the_other_logins_nothing(guarded, name):
    """The server plans their questions word for word as those of a superuser, to whom no policy applies."""
    ask = f"EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM {guarded.place.prefix}.{name}"
    expected = guarded.place.sql(ask)
    for role in (Role.WRITER, Role.READER, Role.ERASER):
        assert guarded.place.sql(ask, guarded.place.login(role)) == expected
    assert guarded.place.sql(ask, guarded.place.login(Role.DESK)) != expected


ACT = "INSERT INTO desk_act VALUES (9999, 'review', {0}, NULL, 1, NULL, 1, 0, 0)"


def test_raw_sql_records_for_its_own_engagement_alone(guarded):
    ours, theirs, store = guarded.world.ours, guarded.world.theirs, guarded.world.whole
    scoped = store.within(ours)
    for number, refused in ((ours.id, False), (theirs.id, True), (9999, True)):
        with pytest.raises(StoreError if refused else LookupError), scoped._recording() as (conn, _):
            conn.exec_driver_sql(ACT.format(number))
            raise LookupError("it was taken, and is taken back")


@pytest.mark.parametrize("name", ["item", "subject", "sweep", "item_version", "log_leaf"])
def test_the_desk_adds_nothing_to_the_evidence_whatever_it_says(guarded, name):
    with psycopg.connect(guarded.place.login(Role.DESK)) as conn:
        for each in ("engagement", "sources", "subjects", "records"):
            conn.execute("SELECT set_config(%s, '*', true)", [f"evidenced.{each}"])
        row = guarded.rows[name][0] | {next(iter(guarded.rows[name][0])): 99_999}
        if name == "log_leaf":
            row |= {"kind": "sweep"}
        marks = ", ".join(["%s"] * len(row))
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(f"INSERT INTO {name} VALUES ({marks})", list(row.values()))


def test_a_first_population_of_many_is_stored_where_rows_have_policies(guarded):
    """COPY does not know policies: the same rows go in another way."""
    with make_place(guarded.place.url.replace(f"/{guarded.place.prefix}?", "/postgres?")) as place:
        place.set_up()
        store = open_store(place.login(Role.WRITER), clock=PlayedClock())
        Hand(store, HERE).see({f"user {n}\0": {"n": n, "text": "\0ü"} for n in range(1_500)}, NOON)
        assert len(store.as_of("paper.users", NOON)) == 1_500
        Audit(store)
        store.close()

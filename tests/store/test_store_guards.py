"""Evidence takes no UPDATE and no DELETE, whoever asks; the one projection closes an interval once."""

from __future__ import annotations

import pytest
from sqlalchemy import exc, inspect

import collector.store.tables
from collector.act import ActKind, NewAct
from collector.canonical import canonical, digest
from collector.log.checkpoint import Checkpoint, sign_checkpoint
from collector.log.keys import KeyAct, KeyEvent
from collector.log.note import SignerKey
from collector.log.tables import metadata
from collector.model import Missed, Period, SnapshotRequest, Subject, Trigger
from tests.fakes.retained import live_retained
from tests.fakes.sealed import live_sealed

WRAPPED = {"artifact_key", "item_key"}
EVIDENCE = sorted({table.name for table in metadata.sorted_tables} - {"item_version", "log_head", "actor"} - WRAPPED)
FIRST_COLUMN = {name: metadata.tables[name].columns.keys()[0] for name in metadata.tables}


@pytest.fixture
def full(store, hand, hour, noon, clock):
    """A store with at least one row in every table."""
    store._sweeps.paging.size = 2
    hand.see({"a": {"v": 1}, "b": {}}, noon, volatile=canonical({"a": {"used": "now " * 300}}))
    hand.see({"a": {"v": 2}}, noon + hour)
    hand.write(hand.failed(noon + 2 * hour))
    for document in ({"sources": []}, {"controls": []}):
        store.append_plan(document, digest(canonical(document)), noon)
        store.append_controls(document, digest(canonical(document)), noon)
    store.append_missed(Missed("paper:hq", Period(noon, noon + hour), "asleep", 1, (hand.subject,)))
    for _ in range(16):  # a node of the log covers as many leaves
        store.append_tag("run:1-0", "C-1", "note", "Ana")
    request = store.request_snapshot(SnapshotRequest("paper:hq", (), "why", "Ana", clock.at))
    hand.write(trigger=Trigger.ADHOC, request=request)
    signer = SignerKey.generate("evidenced/x")
    store.checkpoints.add_key(KeyEvent(KeyAct.CREATED, signer.key, 0, 0, actor="Ana"))
    head = store.checkpoints.head()
    taken = store.checkpoints.add(sign_checkpoint(Checkpoint("evidenced/x", head.size, head.root), [signer]), 1)
    store.checkpoints.add_token(taken.id, "paper", b"token")
    store.checkpoints.add_receipt(taken.id, "vault", {"path": "x"})
    store.checkpoints.add_epoch(2, taken.note, reason="disk lost", actor="Ana")
    live_sealed(store, noon)
    live_retained(store, noon)
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "created"}, "Ana")])
    return store


@pytest.fixture
def sql(full):
    """What executes one statement in a transaction of its own, as a careless hand would."""

    def execute(statement):
        with full._database.engine.begin() as conn:
            return conn.exec_driver_sql(statement)

    return execute


def test_every_table_has_rows_in_these_tests(sql):
    for name in metadata.tables:
        assert sql(f"SELECT count(*) FROM {name}").scalar_one() > 0, name


@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_no_row_of_evidence_can_be_updated_or_deleted(sql, statement):
    for table in EVIDENCE:
        with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
            sql(statement.format(table=table, column=FIRST_COLUMN[table]))


def test_no_column_of_evidence_can_be_updated(sql):
    for table in EVIDENCE:
        for column in metadata.tables[table].columns:
            with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
                sql(f'UPDATE {table} SET "{column.name}" = "{column.name}"')


def test_no_table_can_be_truncated_on_postgresql(sql, full):
    if full._database.engine.dialect.name != "postgresql":
        return  # SQLite knows no TRUNCATE
    for table in metadata.tables:
        with pytest.raises(exc.DBAPIError, match=r"evidence is append-only|referenced in a foreign key"):
            sql(f"TRUNCATE {table}")
        with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
            sql(f"TRUNCATE {table} CASCADE")


def test_guards_hold_in_a_replication_session_on_postgresql(sql, full):
    """A role that may set session_replication_role skips ordinary triggers; these are ENABLE ALWAYS."""
    if full._database.engine.dialect.name != "postgresql":
        return
    for table in EVIDENCE:
        with full._database.engine.connect() as conn:
            conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
            with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
                conn.exec_driver_sql(f"DELETE FROM {table}")


def test_insert_or_replace_replaces_nothing_on_sqlite(sql, full):
    """SQLite's REPLACE removes the old row without a DELETE trigger, unless the connection asked for it."""
    if full._database.engine.dialect.name != "sqlite":
        return
    for table in metadata.sorted_tables:
        with full._database.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA recursive_triggers = OFF")
            with pytest.raises(exc.DBAPIError, match=r"evidence is append-only|FOREIGN KEY"):
                conn.exec_driver_sql(f"INSERT OR REPLACE INTO {table.name} SELECT * FROM {table.name}")


@pytest.mark.parametrize(
    "change",
    [
        "until = until + 1",
        "until = NULL",
        "since = since - 1",
        "artifact = artifact + 1, until = since + 1",
        "until = since - 1",
        "item = item + 100, until = since",
        "subject = subject + 1, until = since",
        "state = state + 100, until = since",
    ],
)
def test_an_item_version_takes_no_update_but_its_end(sql, change):
    with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
        sql(f"UPDATE item_version SET {change}")


def test_an_open_interval_is_closed_once(sql):
    assert sql("UPDATE item_version SET until = since WHERE until IS NULL").rowcount > 1
    with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
        sql("UPDATE item_version SET until = since + 1")


def test_no_projection_head_or_actor_can_be_deleted(sql):
    for table in ("item_version", "log_head", "actor"):
        with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
            sql(f"DELETE FROM {table}")


def test_the_head_of_the_log_only_moves_forward_by_one(sql):
    for change in ("size = size - 1", "size = size + 2", "root = root"):
        with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
            sql(f"UPDATE log_head SET {change}")


def test_a_persons_name_goes_by_a_tombstone_alone(sql, full):
    for change in ("name = NULL", "name = 'Zoe'", "id = id + 100"):
        with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
            sql(f"UPDATE actor SET {change} WHERE name = 'Ana'")
    with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
        sql("UPDATE actor SET name = 'Gil' WHERE name IS NULL")
    assert {tag.actor for tag in full.tags()} == {"Ana", "Ivo", ""}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE artifact SET bytes = NULL WHERE bytes IS NOT NULL",
        "UPDATE artifact SET digest = digest WHERE bytes IS NULL",
        "UPDATE artifact SET length = 1, bytes = NULL WHERE bytes IS NULL",
        "DELETE FROM artifact_key",
        "DELETE FROM item_key WHERE item NOT IN (SELECT item FROM tombstone WHERE item IS NOT NULL)",
        "UPDATE artifact_key SET artifact = artifact + 1000",
        "UPDATE item_key SET item = item + 1000",
    ],
)
def test_nothing_goes_that_no_tombstone_names(sql, statement):
    if statement.startswith("UPDATE artifact SET digest"):
        statement = statement.replace("digest = digest", "digest = 'x'")
    with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
        sql(statement)


def test_a_wrapped_key_may_be_wrapped_anew(sql):
    for table in sorted(WRAPPED):
        assert sql(f"UPDATE {table} SET wrapped = wrapped, sealing = sealing").rowcount > 1


def test_a_temporary_table_does_not_answer_for_the_tombstones_on_postgresql(full):
    if full._database.engine.dialect.name != "postgresql":
        return
    with full._database.engine.connect() as conn:
        conn.exec_driver_sql("CREATE TEMPORARY TABLE erased AS SELECT artifact, 1 AS tombstone FROM artifact_key")
        with pytest.raises(exc.DBAPIError, match="evidence is append-only"):
            conn.exec_driver_sql("DELETE FROM artifact_key")


def test_every_table_is_guarded(full):
    names = set(inspect(full._database.engine).get_table_names()) - {"store_version"}
    assert names == set(metadata.tables)
    assert collector.store.tables.sweep.name in EVIDENCE
    assert Subject("paper:hq", "paper.users", "site") in full.subjects()

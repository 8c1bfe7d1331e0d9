"""The log on both engines: what is appended is there, in one line, provable, and gone when the caller rolls back."""

import json
import threading

import pytest
from sqlalchemy import event, select

from collector.errors import IntegrityError, QueryError, StoreError
from collector.log import ledger, tree
from collector.log.leaf import LeafKind, OutsideProfile
from collector.log.packing import unpack_leaf
from collector.log.tables import log_head, log_leaf, log_node
from tests.log import rfc6962


def test_a_new_log_begins_with_its_genesis(log):
    with log.writing() as conn:
        assert ledger.create(conn, {"store": "s-1"}, 1_700_000_000_000) == 0
    with log.reading() as conn:
        leaf = ledger.leaf(conn, 0)
        assert (leaf.index, leaf.kind, leaf.at_ms) == (0, LeafKind.GENESIS, 1_700_000_000_000)
        assert leaf.payload == {"store": "s-1"}
        assert ledger.head(conn) == ledger.LogHead(1, leaf.hash)


def test_a_store_has_one_log(log):
    log.grow(1)
    with pytest.raises(StoreError, match="already has a log"), log.writing() as conn:
        ledger.create(conn, {"store": "s-2"}, 1)


def test_a_second_genesis_and_a_log_without_one_are_refused(log):
    log.grow(1)
    with log.writing() as conn, pytest.raises(ValueError, match="one genesis"):
        ledger.append(conn, LeafKind.GENESIS, {}, 1)
    log.execute("DELETE FROM log_leaf")
    log.execute("UPDATE log_head SET size = 0, peaks = :none, root = :root", none=b"", root=tree.EMPTY_ROOT)
    with log.writing() as conn, pytest.raises(ValueError, match="one genesis"):
        ledger.append(conn, LeafKind.SWEEP, {}, 1)


def test_a_leaf_is_kept_as_its_exact_bytes_with_kind_and_time_beside_them(log):
    log.grow(1)
    with log.writing() as conn:
        index = ledger.append(conn, LeafKind.TAG, {"tag": 7, "control": "AC-1 é"}, 1_234)
    with log.reading() as conn:
        _, kind, at, stored = conn.execute(select(log_leaf).where(log_leaf.c.idx == index)).one()
        assert (kind, at) == ("tag", 1_234)
        assert unpack_leaf(stored) == '{"at":1234,"control":"AC-1 é","kind":"tag","tag":7}'.encode()
        assert ledger.leaf(conn, index).data == unpack_leaf(stored)


def test_leaves_are_read_in_order_from_any_index_to_any_other(log):
    log.grow(5)
    with log.reading() as conn:
        assert [leaf.index for leaf in ledger.leaves(conn)] == [0, 1, 2, 3, 4]
        assert [leaf.index for leaf in ledger.leaves(conn, 2, 4)] == [2, 3]
        assert [leaf.payload["number"] for leaf in ledger.leaves(conn, 3, 99)] == [3, 4]
        assert list(ledger.leaves(conn, 5)) == []


def test_more_leaves_than_one_page_are_read_and_checked(log):
    head = log.grow(1_050)
    with log.reading() as conn:
        leaves = list(ledger.leaves(conn))
        assert [leaf.index for leaf in leaves] == list(range(1_050))
        assert ledger.check(conn) == head
    assert head.root == rfc6962.mth([leaf.data for leaf in leaves])


def test_what_the_caller_rolls_back_was_never_appended(log):
    before = log.grow(3)
    with pytest.raises(RuntimeError, match="disk full"), log.writing() as conn:
        ledger.append(conn, LeafKind.SWEEP, {"number": 3}, 1)
        raise RuntimeError("disk full")
    assert log.check() == before
    with log.writing() as conn:
        assert ledger.append(conn, LeafKind.SWEEP, {"number": 3}, 1) == 3


def test_the_head_is_the_rfcs_root_after_every_append_and_every_fourth_level_of_nodes_is_kept_once(log):
    log.grow(1)
    for number in range(1, 40):
        with log.writing() as conn:
            ledger.append(conn, LeafKind.SWEEP, {"number": number}, number)
        with log.reading() as conn:
            data = [leaf.data for leaf in ledger.leaves(conn)]
            assert ledger.head(conn) == ledger.LogHead(number + 1, rfc6962.mth(data))
            nodes = sorted(conn.execute(select(log_node.c.level, log_node.c.idx)).all())
            assert nodes == [(level, index) for level in (4, 8) for index in range((number + 1) >> level)]


def test_proofs_are_those_of_the_rfc_for_every_size_the_log_has_had(log):
    log.grow(37)
    with log.reading() as conn:
        data = [leaf.data for leaf in ledger.leaves(conn)]
        for size in (*range(1, 14), 16, 17, 31, 32, 33, 37):
            assert ledger.root_at(conn, size) == rfc6962.mth(data[:size])
            for index in range(size):
                assert ledger.inclusion_proof(conn, index, size) == rfc6962.path(index, data[:size])
                assert ledger.consistency_proof(conn, index + 1, size) == rfc6962.proof(index + 1, data[:size])


def test_a_proof_of_a_leaf_or_size_that_never_was_is_a_wrong_question(log):
    log.grow(3)
    with log.reading() as conn:
        for ask in (
            lambda: ledger.leaf(conn, 3),
            lambda: ledger.leaf(conn, -1),
            lambda: list(ledger.leaves(conn, -1)),
            lambda: ledger.root_at(conn, 4),
            lambda: ledger.inclusion_proof(conn, 3, 3),
            lambda: ledger.inclusion_proof(conn, 0, 4),
            lambda: ledger.consistency_proof(conn, 2, 4),
            lambda: ledger.consistency_proof(conn, 3, 2),
        ):
            with pytest.raises(QueryError):
                ask()


def test_a_proof_reads_a_handful_of_rows_in_at_most_three_queries(log, statements):
    log.grow(300)
    with log.reading() as conn:
        statements.clear()
        ledger.inclusion_proof(conn, 100, 299)
        assert len([each for each in statements if "log_" in each]) == 3


def test_writers_at_the_same_time_stand_in_line(log):
    """Hash chains in SQL fork under concurrent writers; here each takes the head before reading it."""
    log.grow(1)
    indices, start = [], threading.Barrier(4)

    def write(writer):
        start.wait()
        for number in range(12):
            with log.writing() as conn:
                index = ledger.append(conn, LeafKind.SWEEP, {"writer": writer, "number": number}, number)
            indices.append(index)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(indices) == list(range(1, 49))
    assert log.check().size == 49


def test_a_leaf_outside_the_profile_changes_nothing(log):
    before = log.grow(2)
    with log.writing() as conn:
        for payload in ({"ratio": 0.5}, {"kind": "tag"}, {"ü": 1}, {"text": "x" * 1_000}):
            with pytest.raises(OutsideProfile):
                ledger.append(conn, LeafKind.SWEEP, payload, 1)
    assert log.check() == before


def test_a_log_without_a_head_is_not_appended_to(log):
    with log.writing() as conn, pytest.raises(IntegrityError, match="0 rows instead of one"):
        ledger.append(conn, LeafKind.SWEEP, {}, 1)


def test_a_head_that_moved_in_spite_of_the_lock_stops_the_append(log):
    """No engine lets this happen; were one to, two leaves must not share a place."""
    log.grow(2)

    def engine_without_locks(conn, _cursor, sql, *_):
        if sql.startswith("SELECT log_head"):
            conn.exec_driver_sql("UPDATE log_head SET size = size + 1")

    event.listen(log.engine, "after_cursor_execute", engine_without_locks)
    with log.writing() as conn, pytest.raises(IntegrityError, match="left size 2"):
        ledger.append(conn, LeafKind.SWEEP, {"number": 3}, 1)


def test_the_columns_of_the_head_are_one_row(log):
    log.grow(6)
    with log.reading() as conn:
        row = conn.execute(select(log_head)).one()
        assert (row.id, row.size, len(row.peaks)) == (1, 6, 2 * 32)
        assert json.loads(ledger.leaf(conn, 5).data) == {"at": 1_005, "kind": "sweep", "number": 5}

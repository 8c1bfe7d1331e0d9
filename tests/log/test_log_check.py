"""What an administrator with every right can change in the log's tables, and that `check` names the place.

The last tests state what the database alone cannot tell: that needs a head kept elsewhere.
"""

import re

import pytest

from collector.errors import IntegrityError, QueryError
from collector.log import ledger, tree
from collector.log.leaf import LeafKind, decode_leaf, encode_leaf

_SIZE = 43
_OTHER_LEAF = encode_leaf(LeafKind.SWEEP, 1_004, {"number": 99})
_OTHER_HASH = b"\x5a" * 32

_CHANGES = {
    "a leaf's bytes become those of another leaf": (
        "UPDATE log_leaf SET bytes = :leaf WHERE idx = 4",
        "log node 4/0: it is not the hash of leaves 0 to 15",
    ),
    "the last leaf's bytes become those of another leaf": (
        "UPDATE log_leaf SET bytes = :leaf, at = 1004 WHERE idx = 42",
        "log head: its root is not that of the 43 leaves",
    ),
    "a leaf's bytes stop being a leaf": ("UPDATE log_leaf SET bytes = :hash WHERE idx = 4", "log leaf 4: not a leaf"),
    "a leaf's bytes are emptied": ("UPDATE log_leaf SET bytes = :none WHERE idx = 4", "log leaf 4: not a leaf"),
    "a leaf's kind column changes": ("UPDATE log_leaf SET kind = 'tag' WHERE idx = 4", "log leaf 4: its column says"),
    "a leaf's time column changes": ("UPDATE log_leaf SET at = at + 1 WHERE idx = 4", "log leaf 4: its column says"),
    "the first leaf is removed": ("DELETE FROM log_leaf WHERE idx = 0", "log leaf 0: it is missing"),
    "a leaf is removed": ("DELETE FROM log_leaf WHERE idx = 4", "log leaf 4: it is missing"),
    "the last leaf is removed": ("DELETE FROM log_leaf WHERE idx = 42", "log leaf 42: it is missing"),
    "the tail is cut": (
        "DELETE FROM log_leaf WHERE idx > 6",
        "log leaf 7: it is missing",
    ),
    "all leaves are removed": ("DELETE FROM log_leaf", "log leaf 0: it is missing"),
    "a leaf moves to the end": ("UPDATE log_leaf SET idx = 43 WHERE idx = 4", "log leaf 4: it is missing"),
    "a leaf is added at the end": (
        "INSERT INTO log_leaf SELECT 43, kind, at, bytes FROM log_leaf WHERE idx = 42",
        "log leaf 43: the head counts 43 leaves, not 44",
    ),
    "a leaf is added before the first": (
        "INSERT INTO log_leaf SELECT -1, kind, at, bytes FROM log_leaf WHERE idx = 42",
        "log leaf -1: the head counts 43 leaves, not 44",
    ),
    "a second genesis is put in a leaf's place": (
        "UPDATE log_leaf SET kind = 'genesis', at = 1000, bytes = (SELECT bytes FROM log_leaf WHERE idx = 0) "
        "WHERE idx = 4",
        "log leaf 4: a genesis leaf cannot stand here",
    ),
    "the genesis becomes another kind": (
        "UPDATE log_leaf SET kind = 'sweep', at = 1004, bytes = :leaf WHERE idx = 0",
        "log leaf 0: a sweep leaf cannot stand here",
    ),
    "a node's hash changes": (
        "UPDATE log_node SET hash = :hash WHERE level = 4 AND idx = 1",
        "log node 4/1: it is not",
    ),
    "a node's hash is cut": (
        "UPDATE log_node SET hash = :none WHERE level = 4 AND idx = 1",
        "log node 4/1: 0 bytes are not a SHA-256",
    ),
    "a node is removed": ("DELETE FROM log_node WHERE level = 4 AND idx = 0", "log node 4/0: it is missing"),
    "a node moves along its level": (
        "UPDATE log_node SET idx = 7 WHERE level = 4 AND idx = 1",
        "log node 4/1: it is missing",
    ),
    "a node moves to another level": ("UPDATE log_node SET level = 8 WHERE level = 4", "log node 4/0: it is missing"),
    "a node is added": ("INSERT INTO log_node VALUES (4, 2, :hash)", "log nodes of level 4: 3 instead of 2"),
    "a node is added above the root": ("INSERT INTO log_node VALUES (8, 0, :hash)", "log nodes of level 8: 1"),
    "a node is added at a level that is not stored": (
        "INSERT INTO log_node VALUES (3, 0, :hash)",
        "log nodes of level 3: 1 instead of 0",
    ),
    "a node is added at the level of the leaves": ("INSERT INTO log_node VALUES (0, 0, :hash)", "log nodes of level 0"),
    "a node is added at no level": ("INSERT INTO log_node VALUES (-1, 0, :hash)", "log nodes of level -1: 1"),
    "the head's size grows": ("UPDATE log_head SET size = 44", "log head: its size, peaks and root contradict"),
    "the head's size is negative": ("UPDATE log_head SET size = -1", "log head: -1 is not a size"),
    "the head's root changes": ("UPDATE log_head SET root = :hash", "log head: its size, peaks and root contradict"),
    "the head's root is cut": ("UPDATE log_head SET root = :none", "log head root: 0 bytes are not a SHA-256"),
    "the head's peaks are emptied": ("UPDATE log_head SET peaks = :none", "log head: its size, peaks and root"),
    "the head is removed": ("DELETE FROM log_head", "log head: 0 rows instead of one"),
    "the head becomes that of an empty log": (
        "UPDATE log_head SET size = 0, peaks = :none, root = :empty",
        "the head counts 0 leaves, not 43",
    ),
    "the head becomes another of the same size": (
        "UPDATE log_head SET peaks = :peaks, root = :of_peaks",
        "log head: its root is not that of the 43 leaves",
    ),
}


@pytest.fixture
def values():
    peaks = [_OTHER_HASH] * 4
    return {
        "leaf": _OTHER_LEAF,
        "hash": _OTHER_HASH,
        "none": b"",
        "empty": tree.EMPTY_ROOT,
        "peaks": b"".join(peaks),
        "of_peaks": tree.root(peaks),
    }


def _administer(log, sql, values):
    log.execute(sql, **{name: values[name] for name in re.findall(r":(\w+)", sql)})


def test_a_log_that_nobody_touched_is_proven(log):
    for size in (1, 2, 3, 7, 8):
        log.start_again()
        assert log.grow(size) == log.check()


@pytest.mark.parametrize("change", _CHANGES)
def test_a_change_is_found_where_it_is(log, values, change):
    sql, place = _CHANGES[change]
    log.grow(_SIZE)
    _administer(log, sql, values)
    with pytest.raises(IntegrityError) as found:
        log.check()
    assert place in found.value.message


def test_two_leaves_that_changed_places_are_found(log):
    log.grow(_SIZE)
    for old, new in ((4, 99), (5, 4), (99, 5)):
        log.execute("UPDATE log_leaf SET idx = :new WHERE idx = :old", old=old, new=new)
    with pytest.raises(IntegrityError, match="log node 4/0: it is not the hash of leaves 0 to 15"):
        log.check()


def test_every_single_byte_of_a_leaf_counts(log):
    log.grow(4)
    with log.reading() as conn:
        data = ledger.leaf(conn, 2).data
    for place in range(len(data)):
        changed = bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]])
        log.execute("UPDATE log_leaf SET bytes = :changed WHERE idx = 2", changed=changed)
        with pytest.raises(IntegrityError):
            log.check()


def test_values_of_another_type_are_a_verdict_not_a_crash(sqlite_log):
    """SQLite keeps any type in any column; a number read as a BLOB would become that many zero bytes."""
    changes = (
        ("UPDATE log_leaf SET bytes = 'text' WHERE idx = 4", "log leaf 4: str stands where bytes were stored"),
        ("UPDATE log_leaf SET bytes = 99999999999 WHERE idx = 4", "log leaf 4: int stands where bytes were stored"),
        ("UPDATE log_leaf SET kind = x'ff' WHERE idx = 4", "log leaf 4: its column says"),
        ("UPDATE log_leaf SET kind = CAST(x'ff' AS TEXT) WHERE idx = 4", "its kind is not text"),
        ("UPDATE log_leaf SET at = 1004.5 WHERE idx = 4", "log leaf 4: its column says"),
        ("UPDATE log_leaf SET at = 'soon' WHERE idx = 4", "log leaf 4: its column says"),
        ("UPDATE log_node SET hash = 99999999999 WHERE level = 4 AND idx = 1", "log node 4/1: int stands"),
        ("UPDATE log_node SET level = 'x' WHERE level = 4", "log node 4/0: it is missing"),
        ("INSERT INTO log_node VALUES ('x', 0, x'00')", "log nodes of level x: 1 instead of 0"),
        ("UPDATE log_head SET size = 'many'", "log head: 'many' is not a size"),
        ("UPDATE log_head SET root = 99999999999", "log head root: int stands"),
        ("UPDATE log_head SET peaks = 'text'", "log head peaks: str stands"),
    )
    for sql, place in changes:
        sqlite_log.start_again()
        sqlite_log.grow(_SIZE)
        sqlite_log.execute(sql)
        with pytest.raises(IntegrityError) as found:
            sqlite_log.check()
        assert place in found.value.message


def test_what_is_missing_is_never_read_as_not_there(log):
    log.grow(_SIZE)
    log.execute("DELETE FROM log_leaf WHERE idx IN (4, 42)")
    log.execute("DELETE FROM log_node WHERE level = 4 AND idx = 1")
    with log.reading() as conn:
        for ask, place in (
            (lambda: ledger.leaf(conn, 4), "log leaf 4"),
            (lambda: list(ledger.leaves(conn)), "log leaf 4"),
            (lambda: list(ledger.leaves(conn, 5)), "log leaf 42"),
            (lambda: ledger.inclusion_proof(conn, 5, _SIZE), "log node 0/4"),
            (lambda: ledger.inclusion_proof(conn, 0, 32), "log node 0/4"),
            (lambda: ledger.consistency_proof(conn, 16, 40), "log node 4/1"),
        ):
            with pytest.raises(IntegrityError, match=f"{place}: it is missing"):
                ask()


def test_the_log_is_checked_only_in_a_transaction_that_sees_one_state(log):
    """Else a leaf appended meanwhile would be reported to security as tampering."""
    log.grow(3)
    if log.engine.dialect.name == "sqlite":
        assert log.check().size == 3  # every SQLite transaction sees one state
        return
    with log.writing() as conn, pytest.raises(ValueError, match="REPEATABLE READ"):
        ledger.check(conn)


def test_a_log_rewritten_as_a_whole_passes_but_not_against_a_head_kept_elsewhere(log):
    """Not detected from the database alone: the forger rewrote every leaf, node and the head."""
    kept = log.grow(_SIZE)
    with log.reading() as conn:
        true_leaves = list(ledger.leaves(conn))
    log.start_again()
    with log.writing() as conn:
        ledger.create(conn, true_leaves[0].payload, true_leaves[0].at_ms)
        for leaf in true_leaves[1:]:
            content = decode_leaf(_OTHER_LEAF) if leaf.index == 4 else leaf.content
            ledger.append(conn, content.kind, content.payload, content.at_ms)
        ledger.append(conn, LeafKind.SWEEP, {"number": _SIZE}, 2_000)
    forged = log.check()
    with log.reading() as conn:
        assert ledger.root_at(conn, kept.size) != kept.root
        proof = ledger.consistency_proof(conn, kept.size, forged.size)
    with pytest.raises(IntegrityError):
        tree.verify_consistency(kept.size, forged.size, kept.root, forged.root, proof)


def test_a_log_cut_back_as_a_whole_passes_but_not_against_a_head_kept_elsewhere(log):
    """Not detected from the database alone: an old backup was put back."""
    log.grow(_SIZE - 3)
    old = log.check()
    with log.writing() as conn:
        for number in range(3):
            ledger.append(conn, LeafKind.SWEEP, {"number": number}, 3_000)
        kept = ledger.head(conn)
    log.start_again()
    log.grow(_SIZE - 3)
    assert log.check() == old
    with log.reading() as conn, pytest.raises(QueryError, match="never"):
        ledger.consistency_proof(conn, kept.size, ledger.head(conn).size)

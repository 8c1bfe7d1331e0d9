"""An old backup restored and continued: refused, until the loss is declared, on each engine."""

from __future__ import annotations

import pytest

from collector.anchors.directory import DirectoryAnchor
from collector.errors import HistoryError, QueryError
from collector.log.checkpoint import open_checkpoint
from collector.log.leaf import LeafKind
from collector.restore import compare, new_epoch


def standing(office, anchors=None):
    return compare(office.store, office.signer, office.anchors if anchors is None else anchors)


@pytest.fixture
def restored(office):
    """A store put back to what it was before its last checkpoint."""
    office.grow(3)
    office.take()
    office.back_up()
    office.grow(3)
    office.lost = office.take()
    office.pass_time(hours=1)
    office.restore()
    return office


def test_a_store_that_only_grew_is_whole(office):
    standing(office).require_whole()
    office.take()
    office.grow(2)
    office.take()
    office.grow(2)
    found = standing(office)
    found.require_whole()
    assert [head.where for head in found.heads] == ["the signer's memory", "the anchor vault"]


def test_a_restored_store_is_behind_the_signers_memory(restored):
    with pytest.raises(HistoryError, match=r"the signer's memory has a checkpoint of \d+ leaves; the store has"):
        standing(restored, anchors={}).require_whole()


def test_a_restored_store_is_behind_its_anchor_though_the_signers_memory_was_lost_too(restored):
    restored.memory.unlink()
    with pytest.raises(HistoryError, match="the anchor vault has a checkpoint"):
        standing(restored).require_whole()


def test_a_restored_store_that_went_on_has_forked(restored):
    """Past the size of the lost checkpoint, only its root tells."""
    restored.grow(9)
    with pytest.raises(HistoryError, match="forked"):
        standing(restored).require_whole()
    with pytest.raises(HistoryError, match="forked"):
        restored.checkpointer.take()


def test_no_checkpoint_is_taken_of_a_restored_store(restored):
    with pytest.raises(HistoryError, match="shrank"):
        restored.checkpointer.take()


def test_a_declared_loss_begins_an_epoch_that_names_the_lost_checkpoint(restored):
    size = restored.checkpoints.head().size
    epoch = new_epoch(restored.store, restored.signer, restored.anchors, reason="disk lost", actor="Ana")
    assert (epoch.number, epoch.size, epoch.note) == (2, size, restored.lost.note)
    (leaf,) = list(restored.store.leaves(size))
    assert (leaf.kind, leaf.payload["epoch"], leaf.payload["size"]) == (LeafKind.GAP, 2, size)
    assert "disk lost" not in leaf.data.decode()
    assert restored.checkpoints.epochs() == [epoch]


def test_after_the_declaration_the_log_goes_on_under_a_name_of_its_own(restored):
    new_epoch(restored.store, restored.signer, restored.anchors, reason="disk lost", actor="Ana")
    standing(restored).require_whole()
    restored.grow(20)
    taken = restored.take()
    checkpoint, _ = open_checkpoint(taken.note, f"{restored.log}/2", restored.signer.held(restored.log))
    assert checkpoint.size == taken.size
    standing(restored).require_whole()
    assert (restored.vault / restored.log / "2" / f"{taken.size:020}.note").read_bytes() == taken.note


def test_a_second_restore_to_before_the_declaration_is_seen(restored):
    new_epoch(restored.store, restored.signer, restored.anchors, reason="disk lost", actor="Ana")
    restored.take()
    restored.restore()
    for forget in (False, True):
        if forget:
            restored.memory.unlink()
        with pytest.raises(HistoryError, match="in epoch 2 of the log, the store in 1"):
            standing(restored).require_whole()
    epoch = new_epoch(restored.store, restored.signer, restored.anchors, reason="again", actor="Ana")
    assert epoch.number == 3
    standing(restored).require_whole()


def test_a_declaration_that_the_signer_did_not_hear_of_is_finished_by_the_next(restored):
    note = restored.lost.note
    restored.checkpoints.add_epoch(2, note, reason="disk lost", actor="Ana")
    with pytest.raises(HistoryError, match="in epoch 1 of the log, the store in 2"):
        standing(restored).require_whole()
    assert new_epoch(restored.store, restored.signer, restored.anchors, reason="x", actor="Ana").number == 2
    standing(restored).require_whole()
    assert len(restored.checkpoints.epochs()) == 1


def test_without_a_loss_there_is_nothing_to_declare(office):
    office.take()
    with pytest.raises(QueryError, match="no loss to declare"):
        new_epoch(office.store, office.signer, office.anchors, reason="x", actor="Ana")


def test_an_anchor_that_is_away_is_noted_and_does_not_stop_the_others(restored):
    anchors = {"gone": DirectoryAnchor("gone", restored.folder / "nowhere"), **restored.anchors}
    found = standing(restored, anchors)
    assert "no such directory" in found.unasked["gone"].message
    with pytest.raises(HistoryError):
        found.require_whole()


def test_a_checkpoint_that_no_known_key_signed_is_seen(small_office, tmp_path):
    small_office.take()
    (kept,) = small_office.vault.rglob("*.note")
    kept.chmod(0o644)
    other = small_office.checkpoints.last().note.decode().rpartition("—")[0] + "— other AAAAAAAAAAAA\n"
    kept.write_text(other)
    with pytest.raises(HistoryError, match="that no known key signed"):
        standing(small_office).require_whole()

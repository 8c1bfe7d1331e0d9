"""A checkpoint is the log's head as a signed note, and a leaf of the log itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

import pytest

from collector.errors import BusyError, ConfigError
from collector.log.checkpoint import open_checkpoint
from collector.log.leaf import LeafKind
from collector.log.tree import verify_consistency, verify_inclusion
from collector.model import Sweep, Trigger


def test_a_checkpoint_is_a_signed_note_over_the_logs_head(office):
    office.grow(5)
    head = office.checkpoints.head()
    taken = office.checkpointer.take()
    checkpoint, signed = open_checkpoint(taken.note, office.log, office.signer.held(office.log))
    assert (checkpoint.size, checkpoint.root, signed) == (head.size, head.root, office.signer.held(office.log))
    assert (taken.id, taken.epoch, taken.size, taken.at) == (1, 1, head.size, office.clock.at)
    assert office.checkpoints.all() == [taken] == [office.checkpoints.of_size(head.size)]


def test_a_checkpoint_is_a_leaf_that_names_the_digest_of_its_note(office):
    taken = office.checkpointer.take()
    (leaf,) = list(office.store.leaves(taken.leaf))
    assert (leaf.kind, leaf.at_ms) == (LeafKind.CHECKPOINT, int(taken.at.timestamp() * 1000))
    digest = sha256(taken.note).hexdigest()
    assert leaf.payload == {"checkpoint": 1, "epoch": 1, "size": taken.size, "note": digest}
    assert taken.leaf == taken.size


def test_each_checkpoint_proves_that_it_extends_the_one_before(office):
    taken = []
    for _ in range(4):
        office.grow(3)
        taken.append(office.take())
    for old, new in pairwise(taken):
        proof = office.checkpoints.consistency(old.size, new.size)
        roots = [open_checkpoint(each.note, office.log, office.signer.held(office.log))[0].root for each in (old, new)]
        verify_consistency(old.size, new.size, *roots, proof)
        (leaf,) = list(office.store.leaves(old.leaf, old.leaf + 1))
        path = office.checkpoints.inclusion(old.leaf, new.size)
        verify_inclusion(leaf.hash, old.leaf, new.size, path, roots[1])


def test_a_sweep_quotes_the_last_checkpoint(office):
    sweep = Sweep("paper:hq", office.clock.at, Trigger.SCHEDULE, 1, ())
    first = office.store.append(sweep)
    taken = office.checkpointer.take()
    second = office.store.append(replace(sweep, due=sweep.due + timedelta(hours=1)))
    before, after = (next(office.store.leaves(each.leaf, each.leaf + 1)).payload for each in (first, second))
    assert "checkpoint" not in before
    assert (after["checkpoint"], after["signed"]) == (taken.size, sha256(taken.note).hexdigest()[:32])


def test_a_log_without_a_key_has_no_checkpoint(small_office):
    (only,) = small_office.checkpointer.keys()
    small_office.checkpointer.revoke_key(only.key.id.hex(), None, "Ana", "lost")
    with pytest.raises(ConfigError, match="no key signs this log") as refused:
        small_office.checkpointer.take()
    assert "evidenced keys create" in refused.value.hint()


def test_a_crash_between_signing_and_recording_leaves_a_log_that_goes_on(small_office):
    """What was signed and not recorded was never given out; the next head extends it all the same."""
    office = small_office
    head = office.checkpoints.head()
    office.signer.sign(office.log, 1, (head.size, head.root), [], office.signer.held(office.log))
    office.grow(2)
    assert office.take().size == head.size + 2


def test_two_processes_do_not_take_one_at_a_time(small_office):
    with small_office.store.lock("checkpoint"), pytest.raises(BusyError):
        small_office.checkpointer.take()


def test_the_next_checkpoint_is_due_an_interval_after_the_last(small_office):
    hour = timedelta(hours=1)
    assert small_office.checkpointer.due(hour) == small_office.clock.at
    taken = small_office.take()
    small_office.pass_time(minutes=20)
    assert small_office.checkpointer.due(hour) == taken.at + hour


def test_nothing_of_a_person_is_in_a_leaf_of_keys_and_checkpoints(small_office):
    (only,) = small_office.checkpointer.keys()
    small_office.take()
    small_office.checkpointer.revoke_key(only.key.id.hex(), None, "Ana Lovelace", "the laptop of Ana was stolen")
    said = b"".join(leaf.data for leaf in small_office.store.leaves())
    assert b"Ana" not in said
    assert b"laptop" not in said
    assert small_office.checkpoints.key_events()[-1].reason == "the laptop of Ana was stolen"

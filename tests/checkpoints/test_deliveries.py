"""Authorities and anchors have queues of their own: what one does not take waits for it, and holds up nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.checkpointing import places
from collector.config import load_config
from collector.log.leaf import LeafKind
from collector.tokens import stamped_at


def waiting(deliveries, now=True):
    return {place: error.message for place, error in deliveries.send(now=now).items()}


def test_a_delivered_checkpoint_has_a_receipt_with_a_leaf(office):
    taken = office.take()
    (receipt,) = office.checkpoints.receipts(taken.id)
    path = office.vault / office.log / f"{taken.size:020}.note"
    assert (receipt.anchor, receipt.receipt) == ("vault", {"path": str(path)})
    assert path.read_bytes() == taken.note
    (leaf,) = list(office.store.leaves(receipt.leaf))
    assert (leaf.kind, leaf.payload["checkpoint"], leaf.payload["anchor"]) == (LeafKind.CHECKPOINT, taken.id, "vault")


def test_a_stamped_checkpoint_has_its_token_with_a_leaf(office, stamper):
    taken = office.take()
    assert waiting(office.deliveries({"paper": stamper})) == {}
    (token,) = office.checkpoints.tokens(taken.id)
    assert stamped_at(token.token) is not None
    (leaf,) = list(office.store.leaves(token.leaf))
    assert (leaf.payload["checkpoint"], leaf.payload["authority"]) == (taken.id, "paper")


def test_what_is_delivered_is_not_delivered_again(small_office, tsa, stamper):
    small_office.take()
    deliveries = small_office.deliveries({"paper": stamper})
    for _ in range(3):
        assert waiting(deliveries) == {}
    assert tsa.asked == 1
    size = small_office.checkpoints.head().size
    assert waiting(small_office.deliveries({"paper": stamper})) == {}
    assert small_office.checkpoints.head().size == size


def test_an_authority_that_is_down_is_asked_again_for_everything_it_missed(small_office, tsa, stamper):
    deliveries = small_office.deliveries({"paper": stamper})
    tsa.down()
    for _ in range(3):
        small_office.checkpointer.take()
        assert list(waiting(deliveries)) == ["authority paper"]
        small_office.pass_time(hours=1)
    assert small_office.checkpoints.tokens() == []
    assert small_office.checkpoints.held_by("vault") == small_office.checkpoints.last()
    tsa.up()
    assert waiting(deliveries) == {}
    assert [each.checkpoint for each in small_office.checkpoints.tokens()] == [1, 2, 3]


def test_a_queue_is_the_stores_and_survives_a_restart(small_office, tsa, stamper):
    small_office.take()
    assert waiting(small_office.deliveries({"paper": stamper})) == {}
    tsa.down()
    for _ in range(2):
        small_office.checkpointer.take()
        waiting(small_office.deliveries({"paper": stamper}))
    tsa.up()
    assert waiting(small_office.deliveries({"paper": stamper})) == {}
    assert [each.checkpoint for each in small_office.checkpoints.tokens()] == [1, 2, 3]


def test_a_place_that_fails_is_left_alone_for_longer_and_longer(small_office, tsa, stamper):
    small_office.checkpointer.take()
    deliveries = small_office.deliveries({"paper": stamper})
    tsa.down()
    tries = []
    for minute in range(40):
        if waiting(deliveries, now=False):
            tries.append(minute)
        small_office.pass_time(minutes=1)
    assert tries == [0, 1, 3, 7, 15, 31]


def test_a_new_place_begins_with_the_newest_checkpoint(small_office, tsa, stamper):
    for _ in range(3):
        small_office.checkpointer.take()
    assert waiting(small_office.deliveries({"paper": stamper})) == {}
    assert [each.checkpoint for each in small_office.checkpoints.tokens()] == [3]


@pytest.fixture
def ages(small_office):
    """How the places of a configuration with one anchor and one authority stand."""
    path = small_office.folder / "evidenced.toml"
    path.write_text(
        f'[store]\nurl = "{small_office.url}"\n[checkpoints]\nlate_after = "3h"\n'
        f'[checkpoints.anchors.vault]\ntype = "directory"\npath = "{small_office.vault}"\n'
        '[checkpoints.authorities.far]\nurl = "http://127.0.0.1:9/"\n'
    )
    config = load_config(path, {})
    return lambda: {each.name: each for each in places(config, small_office.store, small_office.clock.now())}


def test_the_age_of_a_place_is_that_of_the_newest_checkpoint_it_has(small_office, ages):
    assert (ages()["vault"].age, ages()["vault"].late) == (None, False)
    taken = small_office.take()
    small_office.pass_time(hours=2)
    small_office.checkpointer.take()
    small_office.pass_time(hours=1)
    vault, far = ages()["vault"], ages()["far"]
    assert (vault.newest, vault.age, vault.waiting, vault.late) == (taken, timedelta(hours=3), 1, False)
    assert (far.newest, far.age, far.waiting, far.late) == (None, timedelta(hours=3), 2, False)
    small_office.pass_time(seconds=1)
    assert ages()["vault"].late
    assert ages()["far"].late

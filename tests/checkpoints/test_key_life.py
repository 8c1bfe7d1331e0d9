"""Keys are created, rotated with an overlap, retired and revoked; each leaf says what they are trusted for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.errors import ConfigError, IntegrityError, QueryError
from collector.log.checkpoint import open_checkpoint
from collector.log.keys import KeyAct, KeyEvent, KeyState, trust, trusted
from collector.log.leaf import LeafKind
from collector.log.note import SignerKey

WEEK = timedelta(days=7)
KEYS = [SignerKey.generate("evidenced/x").key for _ in range(3)]


def signers(office, checkpoint):
    """Which keys of the log signed *checkpoint* and are trusted for it."""
    keys = trusted(office.checkpointer.keys(), checkpoint.size)
    return set(open_checkpoint(checkpoint.note, office.log, keys)[1])


@pytest.fixture
def rotating(office):
    """An installation in the overlap of its first key and its second."""
    office.first = office.take()
    office.use(*office.references, f"file:{office.folder}/two.key")
    office.checkpointer.rotate_key(WEEK, "Ana", "yearly")
    office.old, office.new = (each.key for each in trust(office.checkpoints.key_events()))
    return office


def test_a_created_key_is_a_leaf_with_its_verifier_key(office):
    (event,) = office.checkpoints.key_events()
    (leaf,) = list(office.store.leaves(event.leaf))
    assert (leaf.kind, leaf.payload["act"], leaf.payload["key"]) == (LeafKind.KEY, "created", str(event.key))
    assert (event.act, event.actor, event.key.name) == (KeyAct.CREATED, "Ana", office.log)
    (key,) = office.checkpointer.keys()
    assert (key.state, key.since, key.until) == (KeyState.ACTIVE, event.leaf + 1, None)


def test_a_second_key_is_not_created_beside_the_first(office):
    with pytest.raises(QueryError, match="signs this log already"):
        office.checkpointer.create_key("Ana")


def test_a_rotation_needs_a_place_for_the_new_key(office):
    with pytest.raises(ConfigError, match="is there already") as refused:
        office.checkpointer.rotate_key(WEEK, "Ana")
    assert "keys = [" in refused.value.hint()


def test_in_the_overlap_both_keys_sign(rotating):
    taken = rotating.take()
    assert signers(rotating, rotating.first) == {rotating.old}
    assert signers(rotating, taken) == {rotating.old, rotating.new}
    states = {each.key: each.state for each in trust(rotating.checkpoints.key_events())}
    assert states == {rotating.old: KeyState.OVERLAP, rotating.new: KeyState.ACTIVE}


def test_after_the_overlap_the_old_key_is_retired_at_the_last_size_it_signed(rotating):
    both = rotating.take()
    rotating.pass_time(days=7)
    rotating.grow(2)
    taken = rotating.take()
    assert signers(rotating, taken) == {rotating.new}
    old, new = rotating.checkpointer.keys()
    assert (old.state, old.until) == (KeyState.RETIRED, both.size)
    assert (new.state, new.until) == (KeyState.ACTIVE, None)
    event = rotating.checkpoints.key_events()[-1]
    assert (event.act, event.until, event.actor) == (KeyAct.RETIRED, both.size, "")


def test_a_key_is_not_retired_before_the_new_one_signed_beside_it(rotating):
    """Else no checkpoint would hand the trust over."""
    rotating.pass_time(days=8)
    taken = rotating.take()
    assert signers(rotating, taken) == {rotating.old, rotating.new}
    assert signers(rotating, rotating.take()) == {rotating.new}


def test_a_daemon_that_does_not_hold_the_new_key_yet_signs_with_the_old_one(rotating):
    rotating.use(rotating.references[0])
    assert signers(rotating, rotating.take()) == {rotating.old}
    assert rotating.checkpointer.silent_keys(rotating.take()) == (rotating.new,)


def test_one_rotation_at_a_time(rotating):
    with pytest.raises(QueryError, match="a rotation is under way"):
        rotating.checkpointer.rotate_key(WEEK, "Ana")


def test_a_revoked_key_signs_no_more_and_is_trusted_up_to_the_size_named(rotating):
    before, after = rotating.take(), rotating.take()
    event = rotating.checkpointer.revoke_key(rotating.old.id.hex(), before.size, "Ana", "laptop lost")
    (leaf,) = list(rotating.store.leaves(event.leaf))
    assert (leaf.payload["act"], leaf.payload["until"]) == ("revoked", before.size)
    assert signers(rotating, before) == {rotating.old, rotating.new}
    assert signers(rotating, after) == {rotating.new}
    assert signers(rotating, rotating.take()) == {rotating.new}


def test_what_a_stolen_key_signs_after_its_last_trusted_size_is_not_believed(office):
    first = office.take()
    (key,) = office.checkpointer.keys()
    later = office.take()
    office.checkpointer.revoke_key(key.key.id.hex(), first.size, "Ana", "stolen")
    with pytest.raises(IntegrityError, match="not signed by any key"):
        signers(office, later)


def test_a_key_is_revoked_up_to_the_last_checkpoint_when_no_size_is_named(office):
    taken = office.take()
    (key,) = office.checkpointer.keys()
    assert office.checkpointer.revoke_key(key.key.id.hex(), None, "Ana", "lost").until == taken.size


def test_after_a_revocation_another_key_is_created(office):
    (key,) = office.checkpointer.keys()
    office.checkpointer.revoke_key(key.key.id.hex(), None, "Ana", "lost")
    office.use(f"file:{office.folder}/two.key")
    event = office.checkpointer.create_key("Ana")
    assert signers(office, office.take()) == {event.key}


def test_a_key_that_is_not_of_this_log_is_not_revoked(office):
    with pytest.raises(QueryError, match="no key of this log has the id 00000000"):
        office.checkpointer.revoke_key("00000000", None, "Ana", "x")
    with pytest.raises(QueryError, match="never had 99 leaves"):
        office.checkpointer.revoke_key(office.checkpointer.keys()[0].key.id.hex(), 99, "Ana", "x")


def test_the_key_of_another_log_is_refused(small_office, monkeypatch):
    (key,) = small_office.checkpointer.keys()
    small_office.checkpointer.revoke_key(key.key.id.hex(), None, "Ana", "x")
    monkeypatch.setenv("OTHER", SignerKey.generate("evidenced/other").secret_text())
    small_office.use("env:OTHER")
    with pytest.raises(ConfigError, match="another log's key"):
        small_office.checkpointer.create_key("Ana")


def test_a_key_is_not_trusted_for_checkpoints_before_its_own_leaf():
    (key,) = trust([KeyEvent(KeyAct.CREATED, KEYS[0], 0, leaf=7)])
    assert [key.covers(size) for size in (7, 8, 9)] == [False, True, True]


def test_a_later_word_takes_trust_away_and_never_gives_it_back():
    created = KeyEvent(KeyAct.CREATED, KEYS[0], 0, leaf=1)
    for later, until in ((30, 20), (10, 10)):
        retired = KeyEvent(KeyAct.RETIRED, KEYS[0], 0, leaf=40, until=20)
        (key,) = trust([created, retired, KeyEvent(KeyAct.REVOKED, KEYS[0], 0, leaf=50, until=later)])
        assert (key.state, key.until) == (KeyState.REVOKED, until)


def test_words_about_a_key_nobody_made_are_of_no_effect():
    assert trust([KeyEvent(KeyAct.REVOKED, KEYS[0], 0, leaf=5, until=2)]) == []

"""No command appends to a store that was put back, whether a daemon is there to notice or not."""

from __future__ import annotations

import pytest

REFUSED = "error: the store is not the one that gave out its checkpoints; nothing is appended"
COMMANDS = {
    "the daemon": ["run"],
    "a tag": ["tag", "1-0", "--control", "AC-01", "--note", "reviewed"],
    "a withdrawal": ["tag", "withdraw", "1", "--note", "wrong"],
    "a snapshot": ["snapshot", "--source", "paper:hq", "--reason", "before the change"],
    "a checkpoint": ["log", "checkpoint"],
    "a revocation": ["keys", "revoke", "00000000", "--reason", "x"],
}


@pytest.fixture
def lived_in(sourced):
    """A site with a run, a tag and a checkpoint, and a backup of it."""
    for name in ("a snapshot", "a tag", "a checkpoint"):
        answer = sourced.evidenced(*COMMANDS[name])
        assert answer.code == 0, answer.err
    sourced.backup = sourced.back_up()
    return sourced


@pytest.fixture
def restored(lived_in):
    """The same site, put back to the backup after another checkpoint was given out."""
    lived_in.evidenced(*COMMANDS["a tag"])
    lived_in.evidenced("log", "checkpoint")
    lived_in.restore(lived_in.backup)
    return lived_in


def contents(site):
    store = site.store()
    found = store.checkpoints.head(), len(store.pending_requests())
    store.close()
    return found


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_nothing_is_appended_to_a_store_that_was_put_back(restored, command):
    before = contents(restored)
    answer = restored.evidenced(*command)
    assert answer.code == 7
    assert answer.err.startswith(REFUSED)
    assert "evidenced log new-epoch --reason TEXT" in answer.err
    assert contents(restored) == before


def test_a_verification_of_a_store_that_was_put_back_is_shown_and_not_recorded(restored):
    before = contents(restored)
    answer = restored.evidenced("verify")
    assert (answer.code, "verdict   intact" in answer.out) == (7, True)
    assert REFUSED in answer.err
    assert contents(restored) == before


@pytest.mark.parametrize("name", ["a tag", "a snapshot"])
def test_without_the_signers_memory_an_anchor_alone_tells(restored, name):
    (restored.folder / "evidenced.signer.json").unlink()
    answer = restored.evidenced(*COMMANDS[name])
    assert (answer.code, "the anchor vault has a checkpoint" in answer.err) == (7, True)


@pytest.mark.parametrize("name", ["a tag", "a withdrawal", "a snapshot"])
def test_they_go_on_once_the_loss_is_declared(restored, name):
    assert restored.evidenced("log", "new-epoch", "--reason", "disk lost", "--as", "Ana").code == 0
    answer = restored.evidenced(*COMMANDS[name])
    assert answer.code == 0, answer.err


def test_an_anchor_that_does_not_answer_is_a_warning_beside_the_answer(lived_in):
    (lived_in.folder / "vault").rename(lived_in.folder / "away")
    answer = lived_in.evidenced(*COMMANDS["a tag"], "--json")
    assert (answer.code, answer.json) == (0, {"tag": 2})
    assert "an anchor was not compared with" in answer.err


def test_while_the_daemon_runs_it_is_the_daemon_that_compared(lived_in):
    store = lived_in.store()
    with store.lock("daemon"):
        (lived_in.folder / "vault").rename(lived_in.folder / "away")
        answer = lived_in.evidenced(*COMMANDS["a tag"])
    store.close()
    assert (answer.code, answer.err) == (0, "")

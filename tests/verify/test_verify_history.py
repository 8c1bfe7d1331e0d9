"""A history that is whole in itself and yet not the one that was: only a checkpoint held elsewhere tells."""

from __future__ import annotations

import shutil

import pytest

from collector.log.note import SignerKey, VerifierKey
from collector.store import open_store
from collector.verify import HeldNote, Verdict, anchored_notes, held_notes, read_key, record, verify
from tests.fakes.clock import PlayedClock


@pytest.fixture
def site(site_at, tmp_path, store_url):
    """A site with a key and a short history, on each engine in turn."""
    site = site_at(tmp_path, store_url)
    site.checkpointer.create_key("Ana")
    site.see(site.users, {"ann": {"v": 1}})
    site.take()
    yield site
    site.close()


@pytest.fixture
def small(site_at, tmp_path, sqlite_url):
    """A site with a key and a short history, on SQLite alone."""
    site = site_at(tmp_path, sqlite_url)
    site.checkpointer.create_key("Ana")
    site.see(site.users, {"ann": {"v": 1}})
    site.take()
    yield site
    site.close()


@pytest.fixture
def backup(small):
    """What puts the small site back to how it was at this moment."""
    path = small.folder / "evidence.db"
    small.close()
    shutil.copyfile(path, small.folder / "old.db")
    small.open()

    def restore():
        small.close()
        shutil.copyfile(small.folder / "old.db", path)
        small.open()

    return restore


def held(site):
    return [HeldNote("the auditor's note", site.held)]


def keys(site):
    return [event.key for event in site.store.checkpoints.key_events()]


def test_a_lived_in_store_is_intact_on_each_engine(site):
    site.live()
    found = site.verify(notes=held(site), keys=keys(site))
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    assert found.remarks == ("erased, each by a tombstone: 4 contents, 3 items, 2 names of people",)
    assert [(each.trouble, each.known) for each in found.held] == [("", True)]


def test_an_old_backup_is_intact_in_itself_and_behind_the_checkpoint_that_was_held(small, backup):
    small.see(small.users, {"ann": {"v": 2}})
    small.take()
    backup()
    assert small.verify().verdict is Verdict.INTACT, "not detected from the database alone"
    found = small.verify(notes=held(small), keys=keys(small))
    assert found.verdict is Verdict.ALTERED
    assert "the tail was cut or an older store put back" in found.differences[0].what


def test_an_old_backup_that_went_on_is_intact_in_itself_and_another_log_than_was_held(small, backup):
    small.see(small.users, {"ann": {"v": 2}})
    small.take()
    backup()
    for number in range(9):
        small.see(small.users, {"ann": {"v": number}})
    assert small.verify().verdict is Verdict.INTACT, "not detected from the database alone"
    found = small.verify(notes=held(small), keys=keys(small))
    assert "the log is not the one that it covers" in found.differences[0].what
    assert record(small.store, found) is None, "nothing is appended to a log that is not the one that was"


def test_a_tail_that_was_cut_neatly_is_intact_in_itself_and_shorter_than_was_held(small, backup):
    """Whoever cuts every row of the last sweep and makes the head again has what a backup would have been."""
    for _ in range(2):
        small.see(small.users, {"bob": {"v": 2}})
    small.take()
    backup()
    assert small.verify(notes=held(small), keys=keys(small)).verdict is Verdict.ALTERED


def test_a_forged_database_with_a_stolen_key_is_intact_in_itself_and_not_what_was_held(small, backup):
    small.see(small.users, {"ann": {"v": 2}})
    small.take()
    note = held(small)
    (small.folder / "signer.json").unlink()  # the thief has the key, and no memory that would refuse
    backup()
    small.see(small.users, {"ann": {"v": "forged"}})
    small.take()
    assert small.verify().verdict is Verdict.INTACT, "not detected from the database alone"
    assert small.verify(notes=held(small), keys=keys(small)).verdict is Verdict.INTACT, "the thief's own note"
    found = small.verify(notes=note, keys=keys(small))
    assert "the log is not the one that it covers" in found.differences[0].what


def test_a_log_that_went_on_agrees_with_every_checkpoint_that_an_anchor_holds(small):
    folder = small.folder / "vault"
    (folder / "log").mkdir(parents=True)
    for number in range(5):
        small.see(small.users, {"ann": {"v": number}})
        small.take()
        (folder / "log" / f"{number}.note").write_bytes(small.held)
    found = small.verify(notes=anchored_notes(folder), keys=keys(small))
    assert (found.verdict, len(found.held), {each.trouble for each in found.held}) == (Verdict.INTACT, 5, {""})


def test_a_note_that_no_known_key_signed_or_of_another_log_or_none_at_all_is_no_agreement(small):
    stranger = SignerKey.generate(small.checkpointer.log).key
    for note, known in (
        (small.held, [stranger]),
        (small.held.replace(b"evidenced/", b"evidenceD/"), keys(small)),
        (b"not a note", keys(small)),
    ):
        found = small.verify(notes=[HeldNote("mine", note)], keys=known)
        assert found.verdict is Verdict.ALTERED
        assert found.held[0].trouble


def test_a_key_that_was_only_found_in_the_log_is_said_to_be_just_that(small):
    found = small.verify(notes=held(small))
    assert (found.verdict, found.held[0].known) == (Verdict.INTACT, False)


def test_the_result_is_a_leaf_that_the_next_verification_checks(small):
    found = small.verify()
    assert record(small.store, found) == found.size
    leaf = list(small.store.leaves())[-1]
    assert leaf.kind == "verify"
    assert leaf.payload == {"size": found.size, "root": found.root, "verdict": "intact", "differences": 0}
    assert small.verify().verdict is Verdict.INTACT
    small.store.checkpoints.add_verification(leaf.payload | {"root": "00" * 32})
    assert [each.row for each in small.verify().differences] == [str(found.size + 1)]


def test_a_clock_that_was_set_back_is_a_remark(small):
    small.clock.at -= small.hour * 5
    small.store.append_tag("run:1-0", "C-1", "note", "Ana")
    found = small.verify()
    assert found.verdict is Verdict.INTACT
    assert "the clock was set back" in found.remarks[0]


def test_a_key_may_be_given_as_text_or_as_a_file(small, tmp_path):
    known = keys(small)[0]
    (tmp_path / "vkey").write_text(f"{known}\n")
    assert read_key(str(known)) == read_key(str(tmp_path / "vkey")) == known
    assert isinstance(known, VerifierKey)


def test_a_note_is_read_from_its_file(small, tmp_path):
    (tmp_path / "held.note").write_bytes(small.held)
    assert verify(small.store, notes=held_notes(tmp_path / "held.note")).held[0].size == small.held_size


def test_the_store_that_was_made_for_these_tests_opens(made, tmp_path):
    shutil.copyfile(made / "evidence.db", tmp_path / "evidence.db")
    store = open_store(f"sqlite:///{tmp_path}/evidence.db", clock=PlayedClock())
    assert verify(store).verdict is Verdict.INTACT
    store.close()

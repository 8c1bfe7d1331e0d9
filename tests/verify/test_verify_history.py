"""A history that is whole in itself and yet not the one that was: only a checkpoint held elsewhere tells."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from collector.log import tree
from collector.log.leaf import LeafKind
from collector.log.note import SignerKey, VerifierKey
from collector.log.packing import unpack_leaf
from collector.log.tables import log_head, log_leaf, metadata
from collector.store import erasing, open_store
from collector.store.evidence import leaf_tables
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
def backup(site):
    """What puts the site back to how it was at this moment."""
    return site.put_aside("old")


def held(site):
    return [HeldNote("the auditor's note", site.held)]


def keys(site):
    return [event.key for event in site.store.checkpoints.key_events()]


def test_a_lived_in_store_is_intact_on_each_engine(site):
    site.live()
    found = site.verify(notes=held(site), keys=keys(site))
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    assert found.remarks == ("erased, each by a tombstone: 8 contents, 3 items, 2 names of people",)
    assert [(each.trouble, each.known) for each in found.held] == [("", True)]


def test_a_tombstone_of_the_version_that_said_less_of_it_is_no_difference(small, monkeypatch):
    """Its leaf has no root over what it took; what it does say is compared."""
    new = erasing.tombstone_payload
    monkeypatch.setattr(erasing, "tombstone_payload", lambda row, artifacts, _: new(row, artifacts, ()))
    small.live()
    monkeypatch.undo()
    said = [leaf.payload for leaf in small.store.leaves() if leaf.kind is LeafKind.TOMBSTONE]
    assert said
    assert not [each for each in said if "erased" in each]
    assert small.verify().verdict is Verdict.INTACT


def test_an_old_backup_is_intact_in_itself_and_behind_the_checkpoint_that_was_held(site, backup):
    site.see(site.users, {"ann": {"v": 2}})
    site.take()
    backup()
    assert site.verify().verdict is Verdict.INTACT, "not detected from the database alone"
    found = site.verify(notes=held(site), keys=keys(site))
    assert found.verdict is Verdict.ALTERED
    assert "the tail was cut or an older store put back" in found.differences[0].what


def test_an_old_backup_that_went_on_is_intact_in_itself_and_another_log_than_was_held(site, backup):
    site.see(site.users, {"ann": {"v": 2}})
    site.take()
    backup()
    for number in range(9):
        site.see(site.users, {"ann": {"v": number}})
    assert site.verify().verdict is Verdict.INTACT, "not detected from the database alone"
    found = site.verify(notes=held(site), keys=keys(site))
    assert "the log is not the one that it covers" in found.differences[0].what
    assert record(site.store, found) is None, "nothing is appended to a log that is not the one that was"


@pytest.mark.parametrize("last", ["tag", "sweep"])
def test_a_tail_that_was_cut_neatly_is_intact_in_itself_and_shorter_than_was_held(site, last):
    """The newest records are taken away with their leaves, and the tree and its head made again to fit."""
    site.live()
    while (size := site.store.checkpoints.head().size) % 16 != 14:  # so that a node of the tree is among what is cut
        site.store.append_tag("run:1-0", "C-1", "one more", "Ana")
    for number in range(3):
        if last == "tag":
            site.store.append_tag("run:1-0", "C-1", f"note {number}", "Ana")
        else:
            site.fail(site.users)
    note = HeldNote("the auditor's note", site.signed())
    cut(site, size, head=False)
    assert site.verify().verdict is Verdict.ALTERED, "the head still counts them"
    cut(site, size, head=True)
    assert site.verify().verdict is Verdict.INTACT, "not detected from the database alone"
    found = site.verify(notes=[note], keys=keys(site))
    assert "the tail was cut or an older store put back" in found.differences[0].what


def cut(site, size, *, head):
    """Cut the log of *site* down to *size* leaves, with every row that names a later one."""
    with lifted(site) as conn:
        for name in leaf_tables():
            table = metadata.tables[name]
            conn.execute(table.delete().where(table.c.leaf >= size))
        conn.execute(log_leaf.delete().where(log_leaf.c.idx >= size))
        conn.exec_driver_sql(f"DELETE FROM log_node WHERE (idx + 1) << level > {size}")
        if head:
            peaks = []
            leaves = conn.execute(select(log_leaf.c.bytes).order_by(log_leaf.c.idx)).scalars()
            for index, data in enumerate(leaves):
                _, peaks = tree.append(index, peaks, tree.leaf_hash(unpack_leaf(data)))
            conn.execute(update(log_head).values(size=size, root=tree.root(peaks), peaks=b"".join(peaks)))


@contextmanager
def lifted(site):
    """A transaction on the database of *site*, as its owner has it: nothing is refused."""
    engine = site.store._database.engine
    with engine.begin() as conn:
        if conn.dialect.name == "sqlite":
            for (name,) in conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                conn.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for name in metadata.tables:
                conn.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER ALL")
        yield conn


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

"""Whoever holds the signing key can make a whole history that never was: what others hold of the true one tells."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from collector.anchors.directory import DirectoryAnchor
from collector.canonical import canonical, digest
from collector.errors import HistoryError
from collector.log.checkpoint import Checkpoint
from collector.log.note import parse_note
from collector.model import Missed, Period
from collector.restore import compare
from collector.timestamps import Authority
from collector.verify import HeldNote, Verdict, anchored_notes
from tests.conftest import fresh_database
from tests.fakes.authority import TimeStampAuthority

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# A forger who holds the key makes the whole database again, as it would be had this been otherwise.
FORGERIES = {
    "another document was seen": lambda steps: {**steps, "see 1": ("see", {"ann": {"v": "forged"}})},
    "an item was left out": lambda steps: {**steps, "see 2": ("see", {"ann": {"v": 2}})},
    "a sweep was left out": lambda steps: {name: step for name, step in steps.items() if name != "see 2"},
    "a sweep was put in between": lambda steps: between(steps, "see 2", ("see", {"eve": {"v": 1}})),
    "two sweeps were exchanged": lambda steps: {**steps, "see 1": steps["see 3"], "see 3": steps["see 1"]},
    "records came in another order": lambda steps: dict(sorted(steps.items(), reverse=True)),
    "a failure was a reading": lambda steps: {**steps, "fail": ("see", {"ann": {"v": 3}})},
    "a missed interval was kept quiet": lambda steps: {name: step for name, step in steps.items() if name != "missed"},
    "another plan was in force": lambda steps: {**steps, "plan": ("plan", {"sources": [], "note": "forged"})},
    "another claim was made": lambda steps: {**steps, "tag": ("tag", "never reviewed")},
    "the tail was never written": lambda steps: dict(list(steps.items())[:3]),
}
STEPS = {
    "plan": ("plan", {"sources": []}),
    "see 1": ("see", {"ann": {"v": 1}, "bob": {"v": 1}}),
    "see 2": ("see", {"ann": {"v": 2}, "bob": {"v": 1}}),
    "fail": ("fail",),
    "missed": ("missed",),
    "see 3": ("see", {"ann": {"v": 2}}),
    "tag": ("tag", "reviewed"),
}


def between(steps, name, step):
    found = list(steps.items())
    found.insert(list(steps).index(name), ("put in", step))
    return dict(found)


def live(site, steps, *, more=0):
    """Let *site* have the history *steps*, from one and the same moment on, then *more* notes; and sign it."""
    site.clock.at = NOON
    doing = {
        "plan": lambda document: site.store.append_plan(document, digest(canonical(document)), NOON),
        "see": lambda documents: site.see(site.users, documents),
        "fail": lambda: site.fail(site.users),
        "missed": lambda: site.store.append_missed(Missed("paper:hq", Period(NOON, NOON + HOUR), "asleep", 1)),
        "tag": lambda note: site.store.append_tag("run:1-0", "C-1", note, "Ana"),
    }
    for name, *given in steps.values():
        doing[name](*given)
    for number in range(more):
        site.store.append_tag("run:1-0", "C-2", f"note {number}", "Ana")
    site.take()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def born(request, site_at, tmp_path_factory):
    """A site with the history `STEPS`, made once on each engine; `be_born_again` makes it as new, for a forger."""
    folder = tmp_path_factory.mktemp("born")
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/evidence.db"
        if request.param == "postgresql":
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgresql_server")))
        site = site_at(folder, url)
        site.checkpointer.create_key("Ana")
        site.as_new = site.put_aside("new")
        live(site, STEPS)
        site.truth = [HeldNote("the auditor's note", site.held)]
        site.known = [event.key for event in site.store.checkpoints.key_events()]
        yield site
        site.close()


def be_born_again(site):
    """Make *site* as new: its id, its key, and nothing that happened."""
    site.memory.unlink(missing_ok=True)  # the thief has the key, and no memory that would refuse
    site.as_new()


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_database_with_a_stolen_key_is_intact_in_itself_and_not_what_was_held(born, forged):
    be_born_again(born)
    live(born, forged(STEPS), more=12)
    assert born.verify().verdict is Verdict.INTACT, "not detected from the database alone"
    assert born.verify(notes=[HeldNote("the thief's own", born.held)], keys=born.known).verdict is Verdict.INTACT, (
        "it is well signed"
    )
    found = born.verify(notes=born.truth, keys=born.known)
    assert found.verdict is Verdict.ALTERED
    assert {each.table for each in found.differences} == {"log_head"}
    assert found.held[0].trouble


def test_a_history_that_was_made_again_just_as_it_was_is_what_was_held(born):
    """So it is the forgery that the others find, and not that the database was made again."""
    be_born_again(born)
    live(born, STEPS)
    assert born.verify(notes=born.truth, keys=born.known).verdict is Verdict.INTACT


def test_a_forged_database_does_not_fit_the_time_stamp_that_somebody_kept(born, tmp_path):
    """By the auditor's own openssl: the authority's token is over the note as it was."""
    authority = TimeStampAuthority(tmp_path)
    authority.up()
    (tmp_path / "token").write_bytes(Authority("paper", authority.url, authority.root).stamp(born.truth[0].data))
    authority.down()
    be_born_again(born)
    live(born, FORGERIES["another document was seen"](STEPS))
    assert born.held_size == Checkpoint.parse(parse_note(born.truth[0].data).text).size
    for note, expected in ((born.truth[0].data, 0), (born.held, 1)):
        (tmp_path / "note").write_bytes(note)
        files = ["-in", tmp_path / "token", "-data", tmp_path / "note", "-CAfile", authority.root]
        done = subprocess.run(["openssl", "ts", "-verify", *files], capture_output=True, check=False)
        assert done.returncode == expected


def test_a_forged_database_does_not_agree_with_an_anchor_that_others_keep(born, tmp_path):
    anchor = DirectoryAnchor("vault", tmp_path)
    anchor.push(born.checkpointer.log, Checkpoint.parse(parse_note(born.truth[0].data).text).size, born.truth[0].data)
    be_born_again(born)
    live(born, FORGERIES["a failure was a reading"](STEPS), more=3)
    assert born.verify(notes=anchored_notes(tmp_path), keys=born.known).verdict is Verdict.ALTERED
    with pytest.raises(HistoryError, match="forked"):
        compare(born.store, born.signer, {"vault": anchor}).require_whole()

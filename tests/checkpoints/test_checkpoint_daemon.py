"""The daemon takes checkpoints by the clock, beside the reading, and does not start on a store that was put back."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from datetime import timedelta

import pytest

from collector.checkpointing import require_whole
from collector.config import load_config
from collector.daemon import Daemon
from collector.errors import HistoryError
from collector.log import tree
from collector.log.leaf import LeafKind
from collector.log.packing import unpack_leaf
from tests.fakes.paper import Paper


@pytest.fixture
def ticking(small_office, configured):
    """The daemon's part for checkpoints, and `pass_time`, which ticks as the daemon does."""
    checkpointing = configured(
        f'keys = ["file:{small_office.folder}/one.key"]\n'
        f'[checkpoints.anchors.vault]\ntype = "directory"\npath = "{small_office.vault}"\n'
    )

    def pass_time(hours, *, step=timedelta(minutes=5)):
        end = small_office.clock.at + timedelta(hours=hours)
        while small_office.clock.at < end:
            checkpointing.tick()
            small_office.clock.move(step)
        checkpointing.tick()

    checkpointing.pass_time = pass_time
    return checkpointing


def test_a_checkpoint_is_taken_at_once_and_then_every_hour(small_office, ticking):
    start = small_office.clock.at
    ticking.pass_time(5)
    assert [each.at - start for each in small_office.checkpoints.all()] == [timedelta(hours=hour) for hour in range(6)]
    assert len(list(small_office.vault.rglob("*.note"))) == 6


def test_one_taken_by_hand_counts(small_office, ticking):
    ticking.pass_time(1)
    small_office.pass_time(minutes=30)
    by_hand = small_office.checkpointer.take()
    small_office.pass_time(minutes=30)
    ticking.tick()
    assert small_office.checkpoints.last() == by_hand
    small_office.pass_time(minutes=30)
    ticking.tick()
    assert small_office.checkpoints.last().at == by_hand.at + timedelta(hours=1)


def test_a_key_that_cannot_be_read_is_said_once_and_tried_again(small_office, ticking, lines):
    key = small_office.folder / "one.key"
    key.chmod(0o644)
    ticking.pass_time(0.5)
    assert small_office.checkpoints.last() is None
    assert [line["event"] for line in lines()] == ["no checkpoint was taken"]
    key.chmod(0o600)
    ticking.pass_time(0.1)
    assert small_office.checkpoints.last() is not None


def test_an_anchor_that_is_away_holds_up_no_checkpoint_and_is_warned_about_once_when_it_is_late_and_when_it_is_back(
    small_office, ticking, lines
):
    small_office.vault.rename(small_office.vault.with_name("away"))
    ticking.pass_time(8)
    assert len(small_office.checkpoints.all()) == 9
    late = [line for line in lines() if "getting out" in line["event"]]
    assert [(line["level"], line["to"], line["newest"]) for line in late] == [("warning", "anchor vault", "never")]
    small_office.vault.with_name("away").rename(small_office.vault)
    ticking.pass_time(2)
    assert small_office.checkpoints.held_by("vault") == small_office.checkpoints.last()
    late = [line["event"] for line in lines() if "getting out" in line["event"]]
    assert late == ["checkpoints are not getting out", "checkpoints are getting out again"]


def test_a_signer_that_lost_its_memory_is_warned_about(small_office, ticking, lines):
    ticking.pass_time(1)
    small_office.memory.unlink()
    require_whole(load_config(small_office.folder / "evidenced.toml", {}), small_office.store)
    assert any("the signer remembers nothing of this log" in line["event"] for line in lines())


def test_an_anchor_that_was_away_when_the_daemon_started_is_asked_when_it_is_back(small_office, configured):
    """The machine was lost, and the signer's memory with it; the backup went on before the anchor answered."""
    small_office.back_up()
    small_office.grow(3)
    small_office.take()
    small_office.pass_time(hours=1)
    small_office.restore()
    small_office.memory.unlink()
    vault, away = small_office.vault, small_office.vault.with_name("away")
    vault.rename(away)
    text = f'keys = ["file:{small_office.folder}/one.key"]\n[checkpoints.anchors.vault]\ntype = "directory"\n'
    checkpointing = configured(f'{text}path = "{vault}"\n', unasked=["vault"])
    small_office.grow(20)
    checkpointing.tick()
    small_office.pass_time(minutes=1)
    checkpointing.tick()
    away.rename(vault)
    small_office.pass_time(minutes=1)
    with pytest.raises(HistoryError, match="the anchor vault has another root"):
        checkpointing.tick()
    assert len(list(vault.rglob("*.note"))) == 1


def test_a_log_that_nobody_signs_is_warned_about(configured, lines):
    configured("").tick()
    assert "the log is not signed" in [line["event"] for line in lines()]


def test_a_log_that_changed_under_the_daemon_ends_it(small_office, ticking):
    small_office.grow(4)
    ticking.pass_time(0)
    _rewrite(small_office)
    with pytest.raises(HistoryError, match="forked"):
        ticking.pass_time(1)


def _rewrite(office):
    """Put another history of the same length in the place of the one that was signed, roots and all."""
    office.store.close()
    path = office.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as conn:
        triggers = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in triggers:
            conn.execute(f"DROP TRIGGER {name}")
        rows = conn.execute("SELECT idx, bytes FROM log_leaf ORDER BY idx").fetchall()
        conn.execute("DELETE FROM log_node")
        peaks, nodes = [], []
        for index, data in rows:
            whole = unpack_leaf(data)
            forged = whole.replace(b"tag", b"taG") if index == 2 else whole
            completed, peaks = tree.append(index, peaks, tree.leaf_hash(forged))
            nodes += [(node.level, node.index, each) for node, each in completed]
            conn.execute("UPDATE log_leaf SET bytes = ? WHERE idx = ?", (forged, index))
        conn.executemany("INSERT INTO log_node VALUES (?, ?, ?)", nodes)
        conn.execute("UPDATE log_head SET root = ?, peaks = ?", (tree.root(peaks), b"".join(peaks)))


class Running:
    """A real daemon on the paper vendor, in a thread; `await_` waits until something is so."""

    def __init__(self, office, more=""):
        self.office = office
        path = office.folder / "evidenced.toml"
        path.write_text(
            f'[store]\nurl = "{office.url}"\n[plan]\njitter = "0s"\n[sources."paper:hq"]\n'
            f'[checkpoints]\nmemory = "signer.json"\nkeys = ["file:{office.folder}/one.key"]\n{more}'
        )
        paper = Paper({"paper.users": [{"id": "ana"}], "paper.rooms": [], "paper.doors": []})
        connectors = {"paper": paper}
        self.daemon = Daemon(path, load_config(path, connectors), connectors, office.clock)
        self.error = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            self.daemon.run()
        except HistoryError as error:
            self.error = error

    def await_(self, so):
        for _ in range(600):
            if so():
                return
            time.sleep(0.05)
        raise AssertionError("it did not come to be")

    def stop(self):
        self.daemon.stop()
        self.thread.join(60)


@pytest.fixture
def start(small_office):
    """What starts a daemon; it is stopped when the test ends."""
    started = []

    def start(more=""):
        started.append(Running(small_office, more))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def test_the_daemon_takes_checkpoints_as_hours_pass(small_office, start):
    running = start()
    running.await_(lambda: len(small_office.checkpoints.all()) == 1)
    for count in (2, 3):
        small_office.pass_time(hours=1)
        running.await_(lambda count=count: len(small_office.checkpoints.all()) == count)
    kinds = {leaf.kind for leaf in small_office.store.leaves()}
    assert {LeafKind.SWEEP, LeafKind.CHECKPOINT, LeafKind.KEY} <= kinds


def test_the_daemon_does_not_start_on_a_restored_store_and_appends_nothing(small_office, start):
    small_office.back_up()
    small_office.grow(3)
    small_office.take()
    small_office.restore()
    before = small_office.checkpoints.head()
    running = start()
    running.thread.join(30)
    assert not running.thread.is_alive()
    assert "shrank" in str(running.error) or "behind" in str(running.error)
    assert small_office.checkpoints.head() == before


def test_an_authority_that_hangs_keeps_no_slot_from_being_read(small_office, start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        running = start(f'[checkpoints.authorities.far]\nurl = "http://127.0.0.1:{silent.getsockname()[1]}/"\n')
        conn, _ = silent.accept()
        running.await_(lambda: small_office.store.runs(limit=1))
        with conn:
            small_office.pass_time(hours=1)
            running.await_(lambda: small_office.store.runs(limit=1)[0].due == small_office.clock.at)
    running.stop()
    assert small_office.checkpoints.tokens() == []

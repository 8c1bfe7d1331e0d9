"""Anchors keep each checkpoint once and give it back; another under its name is an alarm, not an update."""

from __future__ import annotations

import io
import json
import stat
import subprocess

import pytest

from collector.anchors import anchor_type
from collector.errors import DeliveryError, HistoryError
from collector.logs import configure_logs

LOG = "evidenced/x"


def git(folder, *arguments):
    command = ["git", "-c", "user.name=Ana", "-c", "user.email=ana@localhost", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def opened(type_, **values):
    kind = anchor_type(type_)
    return kind.open("mine", kind.settings(type=type_, **values))


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "vault").mkdir()
    return opened("directory", path=str(tmp_path / "vault"))


@pytest.fixture
def bare(tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    return tmp_path / "bare.git"


@pytest.fixture
def clone(tmp_path):
    """A clone with a work tree, a commit of its own and an uncommitted change."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", "clone")
    (tmp_path / "clone" / "README").write_text("ours\n")
    git(tmp_path / "clone", "add", "README")
    git(tmp_path / "clone", "commit", "--quiet", "-m", "Ours")
    (tmp_path / "clone" / "README").write_text("ours, being edited\n")
    return tmp_path / "clone"


@pytest.fixture(params=["directory", "bare", "clone", "remote"])
def anchor(request, tmp_path):
    """An anchor that can be read back, of each sort."""
    if request.param == "directory":
        return request.getfixturevalue("directory")
    if request.param != "remote":
        return opened("git", path=str(request.getfixturevalue(request.param)))
    bare, clone = request.getfixturevalue("bare"), request.getfixturevalue("clone")
    git(clone, "remote", "add", "origin", str(bare))
    return opened("git", path=str(clone), remote="origin")


def test_the_newest_checkpoint_is_given_back(anchor):
    assert anchor.newest(LOG) is None
    for size in (9, 10, 2):
        anchor.push(LOG, size, f"note {size}\n".encode())
    assert anchor.newest(LOG) == b"note 10\n"


def test_a_checkpoint_that_is_there_already_is_left_and_its_receipt_given(anchor):
    receipt = anchor.push(LOG, 7, b"note\n")
    assert anchor.push(LOG, 7, b"note\n") == receipt


def test_another_checkpoint_of_the_same_size_is_refused(anchor):
    anchor.push(LOG, 7, b"note\n")
    with pytest.raises(HistoryError, match="the anchor mine holds another checkpoint of size 7"):
        anchor.push(LOG, 7, b"forged\n")
    assert anchor.newest(LOG) == b"note\n"


def test_logs_and_epochs_are_kept_apart(anchor):
    anchor.push(LOG, 7, b"first\n")
    anchor.push(f"{LOG}/2", 5, b"second\n")
    anchor.push("evidenced/y", 9, b"other\n")
    assert anchor.newest(LOG) == b"first\n"
    assert anchor.newest(f"{LOG}/2") == b"second\n"
    assert anchor.newest(f"{LOG}/3") is None


# Directory


def test_a_file_is_written_once_and_nobody_may_write_to_it(directory, tmp_path):
    receipt = directory.push(LOG, 7, b"note\n")
    path = tmp_path / "vault" / LOG / "00000000000000000007.note"
    assert receipt == {"path": str(path)}
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_volume_that_is_not_mounted_is_not_an_empty_anchor(tmp_path):
    anchor = opened("directory", path=str(tmp_path / "not-mounted"))
    with pytest.raises(DeliveryError, match="no such directory"):
        anchor.push(LOG, 7, b"note\n")
    with pytest.raises(DeliveryError, match="no such directory"):
        anchor.newest(LOG)


def test_what_is_not_named_like_a_checkpoint_is_passed_over(directory, tmp_path):
    directory.push(LOG, 7, b"note\n")
    for name in ("99999999999999999999.note.bak", "zzz.note", ".00000000000000000008.note.1"):
        (tmp_path / "vault" / LOG / name).write_text("x")
    assert directory.newest(LOG) == b"note\n"


# Git


def test_each_checkpoint_is_a_commit_on_the_one_before(bare):
    anchor = opened("git", path=str(bare), branch="log")
    receipts = [anchor.push(LOG, size, f"note {size}\n".encode()) for size in (5, 6)]
    commits = git(bare, "log", "--format=%H", "log").split()
    assert [each["commit"] for each in receipts] == commits[::-1]
    assert git(bare, "show", f"log:{LOG}/00000000000000000005.note") == "note 5\n"


def test_the_work_tree_of_a_clone_is_not_touched(clone):
    before = git(clone, "status", "--porcelain", "--branch")
    opened("git", path=str(clone)).push(LOG, 5, b"note\n")
    assert git(clone, "status", "--porcelain", "--branch") == before
    assert git(clone, "ls-tree", "--name-only", "checkpoints").split() == ["evidenced"]


def test_commits_are_made_on_top_of_what_the_remote_has(bare, clone):
    git(clone, "remote", "add", "origin", str(bare))
    anchor = opened("git", path=str(clone), remote="origin")
    anchor.push(LOG, 5, b"note 5\n")
    opened("git", path=str(bare)).push("evidenced/other", 3, b"theirs\n")
    anchor.push(LOG, 6, b"note 6\n")
    subjects = git(bare, "log", "--format=%s", "checkpoints").splitlines()
    assert subjects == [f"Checkpoint 6 of {LOG}", "Checkpoint 3 of evidenced/other", f"Checkpoint 5 of {LOG}"]


def test_a_remote_that_is_away_is_told_and_catches_up(bare, clone):
    git(clone, "remote", "add", "origin", str(bare))
    anchor = opened("git", path=str(clone), remote="origin")
    anchor.push(LOG, 5, b"note 5\n")
    hidden = bare.rename(bare.with_name("away.git"))
    with pytest.raises(DeliveryError, match="the anchor mine: git ls-remote"):
        anchor.push(LOG, 6, b"note 6\n")
    hidden.rename(bare)
    anchor.push(LOG, 6, b"note 6\n")
    assert anchor.newest(LOG) == b"note 6\n"


def test_a_folder_that_is_no_repository_is_told(tmp_path):
    with pytest.raises(DeliveryError, match=r"not a git repository|cannot change to"):
        opened("git", path=str(tmp_path / "nowhere")).push(LOG, 5, b"note\n")


# Log line


def test_a_log_line_carries_the_whole_note():
    out = io.StringIO()
    configure_logs(form="json", stream=out)
    anchor = opened("log")
    note = "evidenced/x\n7\nroot=\n\n— evidenced/x sig=\n"
    assert anchor.push(LOG, 7, note.encode()) == {"log": "checkpoint"}
    line = json.loads(out.getvalue())
    assert (line["event"], line["origin"], line["size"], line["note"]) == ("checkpoint", LOG, 7, note)
    assert anchor.newest(LOG) is None

"""`evidenced keys` and `evidenced log` as an operator types them, and how a stranger checks a note."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from collector.checkpoints import Checkpointer
from collector.log.leaf import LeafKind
from collector.signer import FileSigner
from tests.fakes.clock import PlayedClock

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "from collector.cli import main; main()"


def test_a_key_is_made_recorded_and_shown_as_verifiers_read_it(site):
    made = site.evidenced("keys", "create", "--json").json
    assert (made["act"], made["leaf"]) == ("created", 1)
    shown = site.evidenced("keys", "show")
    assert shown.out.splitlines()[-1] == made["key"]
    (key,) = site.evidenced("keys", "show", "--json").json["keys"]
    assert (key["state"], key["since"], key["until"]) == ("active", 2, None)
    assert made["key"].startswith(f"evidenced/{site.store().id}+{key['id']}+")


def test_without_a_key_in_the_configuration_the_lines_to_write_are_told(site):
    (site.folder / "evidenced.toml").write_text("")
    answer = site.evidenced("keys", "create")
    assert answer.code == 3
    assert 'keys = ["file:/absolute/path/signing.key"]' in answer.err


def test_a_checkpoint_is_taken_and_shown_with_who_holds_it(keyed):
    taken = keyed.evidenced("log", "checkpoint")
    assert (taken.code, taken.out) == (0, "Checkpoint of 2 leaves\n")
    shown = keyed.evidenced("log", "show").out
    assert re.search(r"^ +2 .* vault$", shown, re.MULTILINE)
    assert re.search(r"^anchor vault +2 .* old +0  in time$", shown, re.MULTILINE)
    (checkpoint,) = keyed.evidenced("log", "show", "--json").json["checkpoints"]
    assert (keyed.folder / "vault").joinpath(checkpoint["receipts"]["vault"]["path"]).read_text() == checkpoint["note"]


def test_the_status_tells_how_far_the_log_is_signed(keyed):
    assert "no checkpoint yet" in keyed.evidenced("status").out
    keyed.evidenced("log", "checkpoint")
    assert re.search(
        r"^log +4 leaves, 2 of them under a checkpoint .* ago$", keyed.evidenced("status").out, re.MULTILINE
    )
    place = keyed.evidenced("status", "--json").json["log"]["places"][0]
    assert (place["name"], place["size"], place["late"]) == ("vault", 2, False)


def test_the_status_ends_with_1_when_a_place_has_no_recent_checkpoint(keyed):
    store = keyed.store()
    signer = FileSigner([f"file:{keyed.folder}/one.key"], keyed.folder / "evidenced.signer.json")
    Checkpointer(store, signer, PlayedClock()).take()
    store.close()
    late = keyed.evidenced("status")
    assert (late.code, "error: too old" in late.out) == (1, True)
    assert keyed.evidenced("log", "checkpoint").code == 0
    assert keyed.evidenced("status").code == 0


def test_a_place_that_is_away_is_told_and_the_checkpoint_stands(keyed):
    (keyed.folder / "vault").rename(keyed.folder / "away")
    taken = keyed.evidenced("log", "checkpoint")
    assert taken.code == 0
    assert "not delivered yet: the anchor vault" in taken.out
    assert "never" in keyed.evidenced("log", "show").out


def test_keys_are_rotated_and_revoked(keyed):
    keyed.evidenced("log", "checkpoint")
    refused = keyed.evidenced("keys", "rotate")
    assert refused.code == 3
    keyed.configure(keys=("one", "two"))
    rotated = keyed.evidenced("keys", "rotate", "--overlap", "12h", "--reason", "yearly", "--json").json
    assert rotated["act"] == "rotated"
    note = keyed.evidenced("log", "checkpoint", "--json").json["note"]
    assert note.count("\n— ") == 2
    old = keyed.evidenced("keys", "show", "--json").json["keys"][0]
    assert (old["state"], bool(old["overlap_until"])) == ("overlap", True)
    revoked = keyed.evidenced("keys", "revoke", old["id"], "--last-size", "2", "--reason", "lost")
    assert revoked.out.startswith("Revoked, leaf ")
    states = [(each["state"], each["until"]) for each in keyed.evidenced("keys", "show", "--json").json["keys"]]
    assert states == [("revoked", 2), ("active", None)]


def test_a_restored_store_takes_no_checkpoint_and_no_key_until_the_loss_is_declared(keyed):
    backup = keyed.back_up()
    keyed.evidenced("log", "checkpoint")
    keyed.evidenced("log", "checkpoint")
    lost = keyed.evidenced("log", "note").out
    keyed.restore(backup)
    for command in (["log", "checkpoint"], ["keys", "revoke", "00000000", "--reason", "x"]):
        refused = keyed.evidenced(*command)
        assert refused.code == 7
        assert "it is behind" in refused.err
        assert "evidenced log new-epoch --reason TEXT" in refused.err
    declared = keyed.evidenced("log", "new-epoch", "--reason", "disk lost", "--as", "Ana")
    assert declared.out == f"Epoch 2 begins at 2 leaves; the last checkpoint before it was:\n\n{lost}"
    taken = keyed.evidenced("log", "checkpoint", "--json").json
    assert taken["epoch"] == 2
    assert taken["note"].splitlines()[0].endswith("/2")
    assert "epoch 2 since" in keyed.evidenced("log", "show").out


def test_a_loss_is_not_declared_while_the_daemon_runs(keyed):
    store = keyed.store()
    with store.lock("daemon"):
        assert keyed.evidenced("log", "new-epoch", "--reason", "x").code == 6
    store.close()


def test_a_note_is_written_once_and_exactly(keyed):
    keyed.evidenced("log", "checkpoint")
    assert keyed.evidenced("log", "note", "-o", "checkpoint.note").code == 0
    assert (keyed.folder / "checkpoint.note").read_text() == keyed.evidenced("log", "note", "2").out
    again = keyed.evidenced("log", "note", "-o", "checkpoint.note")
    assert (again.code, "cannot be written" in again.err) == (2, True)


@pytest.mark.parametrize("command", [["note"], ["note", "9"], ["token"]])
def test_what_is_not_there_is_told(keyed, command):
    answer = keyed.evidenced("log", *command)
    assert answer.code == 2
    assert "hint: " in answer.err


def test_the_signer_runs_by_itself_and_ends_when_told(keyed):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, "keys", "serve", "--socket", "s", "--config", "evidenced.toml"]
    signer = subprocess.Popen(command, cwd=keyed.folder, env=environment, stderr=subprocess.PIPE, text=True)
    assert signer.stderr.readline() == "signing at s\n"
    key = keyed.evidenced("keys", "show").out.splitlines()[-1]
    (keyed.folder / "evidenced.toml").write_text('[checkpoints]\nsigner = "s"\n')
    (keyed.folder / "one.key").rename(keyed.folder / "only-the-signer-knows")
    refused = keyed.evidenced("log", "checkpoint")
    assert refused.code == 3
    (keyed.folder / "only-the-signer-knows").rename(keyed.folder / "one.key")
    taken = keyed.evidenced("log", "checkpoint", "--json").json
    assert taken["note"].splitlines()[0] == key.partition("+")[0]
    signer.send_signal(signal.SIGTERM)
    assert signer.wait(20) == 0
    assert not (keyed.folder / "s").exists()


# By plain commands


@pytest.fixture
def stranger(keyed, tsa):
    """A folder with nothing but what a stranger is given: a program called evidenced, the key, the authority's root."""
    authority = f'[checkpoints.authorities.paper]\nurl = "{tsa.url}"\nroots = "{tsa.root}"\n'
    keyed.configure(authority)
    assert keyed.evidenced("log", "checkpoint", "--json").json["waiting"] == {}
    folder = keyed.folder / "stranger"
    folder.mkdir()
    program = folder / "evidenced"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{PROGRAM}" "$@"\n')
    program.chmod(0o755)
    (folder / "vkey").write_text(keyed.evidenced("keys", "show").out.splitlines()[-1] + "\n")
    shutil.copyfile(tsa.root, folder / "root.pem")
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "EVIDENCED_CONFIG": str(keyed.folder / "evidenced.toml"),
        "LC_ALL": "C.UTF-8",
    }

    def shell(script):
        return subprocess.run(
            ["sh", "-eu", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    shell.folder, shell.site = folder, keyed
    return shell


@pytest.fixture
def commands():
    """The commands that docs/checkpoints.md shows."""
    text = (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return found


def test_the_note_and_the_token_are_verified_by_the_commands_of_the_docs(stranger, commands):
    done = stranger(commands)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Signature Verified Successfully" in said
    assert "Verification: OK" in said
    assert "Time stamp: " in said
    store = stranger.site.store()
    (leaf,) = [each for each in store.leaves() if each.kind is LeafKind.CHECKPOINT and "note" in each.payload]
    store.close()
    assert f"{leaf.payload['note']}  checkpoint.note" in said
    assert leaf.payload["note"] == sha256((stranger.folder / "checkpoint.note").read_bytes()).hexdigest()


@pytest.mark.parametrize("spoil", ["s/^2$/3/", "s/^evidenced/evidencex/"], ids=["size", "origin"])
def test_the_same_commands_refuse_a_note_that_was_changed(stranger, commands, spoil):
    fetch, _, check = commands.partition("\n\n")
    assert stranger(fetch).returncode == 0
    assert stranger(f"sed -i '{spoil}' checkpoint.note").returncode == 0
    assert stranger(check).returncode != 0
    (stamp,) = [each for each in check.split("\n\n") if "openssl ts -verify" in each]
    done = stranger(stamp)
    assert "Verification: FAILED" in done.stdout + done.stderr

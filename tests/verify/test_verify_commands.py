"""`evidenced verify` and `evidenced proof`, as a user calls them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from collector.cli.exits import run
from collector.store import open_store
from tests.fakes.clock import PlayedClock


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """A folder with the made store, its configuration, the note that was held and the key that is known."""
    shutil.copyfile(made / "evidence.db", tmp_path / "evidence.db")
    shutil.copyfile(made / "held.note", tmp_path / "held.note")
    (tmp_path / "evidenced.toml").write_text('[store]\nurl = "sqlite:///evidence.db"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    store = opened(tmp_path)
    (tmp_path / "vkey").write_text(f"{store.checkpoints.key_events()[0].key}\n")
    store.close()
    return tmp_path


def opened(place):
    return open_store(f"sqlite:///{place}/evidence.db", clock=PlayedClock())


@pytest.fixture
def ask(capsys):
    """What calls `evidenced` and gives its exit code and what it printed."""

    def ask(*arguments):
        code = run([str(each) for each in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


def alter(place, statement):
    with closing(sqlite3.connect(place / "evidence.db")) as conn, conn:
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f"DROP TRIGGER {name}")
        conn.execute(statement)


def leaves(place):
    with closing(sqlite3.connect(place / "evidence.db")) as conn:
        return conn.execute("SELECT count(*) FROM log_leaf").fetchone()[0]


def test_a_rebuild_says_what_differed_puts_it_right_and_is_recorded(place, ask):
    alter(place, "UPDATE item_version SET since = since - 1 WHERE item = 1 AND state = 1")
    code, out, _ = ask("verify", "--rebuild")
    assert (code, out.splitlines()[:2]) == (
        0,
        ["item_version: made again; 2 rows differed", "slot_page: made again, and the same"],
    )
    store = opened(place)
    assert list(store.leaves())[-1].payload["rebuilt"] == {"item_version": 2, "slot_page": 0}
    store.close()


def test_an_intact_store_is_said_to_be_so_and_the_result_is_recorded(place, ask):
    before = leaves(place)
    code, out, _ = ask("verify")
    assert code == 0
    assert "verdict   intact" in out
    assert "No checkpoint held elsewhere was given" in out
    assert leaves(place) == before + 1
    code, out, _ = ask("verify", "--no-record", "--json")
    assert (code, json.loads(out)["verification"]["verdict"], json.loads(out)["recorded"]) == (0, "intact", None)
    assert leaves(place) == before + 1


def test_an_altered_store_is_exit_code_1_with_each_difference_named(place, ask):
    alter(place, "UPDATE tag SET note = 'never mind' WHERE id = 1")
    code, out, _ = ask("verify", "--no-record")
    assert code == 1
    assert "altered" in out
    assert "says otherwise: digest" in out
    found = json.loads(ask("verify", "--no-record", "--json")[1])["verification"]
    assert [(each["table"], each["row"]) for each in found["differences"]] == [("tag", "1")]


def test_a_checkpoint_that_was_held_and_the_key_that_is_known_are_compared(place, ask):
    code, out, _ = ask("verify", "--no-record", "--since", "held.note", "--key", "vkey")
    assert (code, "agrees" in out, "found in the log itself" in out) == (0, True, False)
    assert "found in the log itself" in ask("verify", "--no-record", "--since", "held.note")[1]
    (place / "anchor" / "log").mkdir(parents=True)
    shutil.copyfile(place / "held.note", place / "anchor" / "log" / "1.note")
    assert ask("verify", "--no-record", "--anchors", "anchor")[0] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_head SET size = 0",
        "DELETE FROM log_head",
        "UPDATE log_leaf SET bytes = x'00' WHERE idx = 0",
        "UPDATE log_leaf SET bytes = (SELECT bytes FROM log_leaf WHERE idx = 3) WHERE idx = 0",
    ],
)
def test_a_log_that_cannot_even_be_opened_is_a_verdict(place, ask, statement):
    alter(place, statement)
    code, out, _ = ask("verify")
    assert code == 1
    assert "altered" in out
    assert "log_head" in out


def test_a_proof_is_written_and_checked_without_a_store(place, ask):
    code, out, _ = ask("proof", "1-0", "-o", "run.proof")
    assert (code, "run.proof: 1-0 is in leaf" in out) == (0, True)
    (place / "evidence.db").unlink()
    (place / "evidenced.toml").unlink()
    code, out, _ = ask("verify", "run.proof", "--key", "vkey")
    assert (code, "verdict    holds" in out or "holds" in out) == (0, True)
    (place / "run.proof").write_text((place / "run.proof").read_text().replace("run 1-0", "run 2-0"))
    code, out, _ = ask("verify", "run.proof", "--key", "vkey", "--json")
    assert (code, "leaf is not that of run 2-0" in json.loads(out)["trouble"]) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("verify", "none.proof"), 2),
        (("verify", "--since", "none.note"), 2),
        (("verify", "--anchors", "none"), 2),
        (("verify", "--key", "rubbish"), 3),
        (("proof", "999-0", "-o", "x"), 2),
        (("proof", "1-0", "-o", "none/x"), 2),
        (("verify", "held.note", "--since", "held.note"), 2),
    ],
)
def test_what_cannot_be_asked_is_an_error_with_its_code(place, ask, arguments, code):
    given, out, err = ask(*arguments)
    assert (given, out) == (code, "")
    assert err.startswith("error: ")

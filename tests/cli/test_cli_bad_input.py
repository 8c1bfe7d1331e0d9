"""What is wrong is said in one line with what to do about it, and ends with a documented code: never a traceback."""

from __future__ import annotations

import stat

import pytest

from collector.cli import opening
from collector.errors import (
    BusyError,
    ConfigError,
    Denied,
    EvidencedError,
    IntegrityError,
    QueryError,
    StoreError,
    Unavailable,
)
from tests.cli.conftest import Site, clock_time

CASES = [
    (["as-of", "paper.users", "--at", "yesterday"], 2, "not a date or time: 'yesterday'"),
    (["as-of", "paper.users", "--at", "2999-01-01"], 2, "has not come yet"),
    (["as-of", "paper.user", "--at", "2025-03-14"], 2, "Did you mean: paper.users"),
    (["as-of", "paper.users", "--at", clock_time("09:00"), "--scope", "south"], 2, "no scope 'south'"),
    (["as-of", "paper.users", "--at", clock_time("09:00"), "--source", "paper:x"], 2, "no source 'paper:x'"),
    (["as-of", "paper.users", "--at", clock_time("09:00"), "--field", "[[["], 2, "not a JMESPath expression"),
    (["diff", "paper.users", "--from", "2025-03-15", "--to", "2025-03-14"], 2, "is not before"),
    (["diff", "paper.users", "--from", "2999-01-01", "--to", "2999-01-02"], 2, "has not come yet"),
    (["history", "paper.users", "nobody"], 2, "was ever observed"),
    (["coverage", "--from", "2025-03-15", "--to", "2025-03-14"], 2, "the period is empty"),
    (["coverage", "--from", "2999-01-01", "--to", "2999-02-01"], 2, "has not begun"),
    (["coverage", "--criterion", "CC61"], 2, "Nearest: CC6.1"),
    (["coverage", "--control", "nope"], 2, "no control on record"),
    (["coverage", "--kind", "paper.usrs"], 2, "Nearest: paper.users"),
    (["coverage", "--by", "colour"], 2, "Group by criterion"),
    (["runs", "--outcome", "missed"], 2, "evidenced coverage"),
    (["runs", "--limit", "0"], 2, "--limit"),
    (["run", "show", "twelve"], 2, "'twelve' is not the id of a run"),
    (["run", "show", "999-0"], 2, "999"),
    (["plan", "show", "--at", "2020-01-01"], 2, "no plan was in force"),
    (["plan", "show", "--source", "paper:x"], 2, "no source 'paper:x'"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "said"), CASES, ids=lambda case: " ".join(case) if isinstance(case, list) else None
)
def test_a_question_that_makes_no_sense_is_explained(story, arguments, code, said):
    answer = story.evidenced(*arguments)
    assert answer.out == ""
    assert answer.code == code
    assert said in answer.err
    assert answer.err.startswith("error: ")
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["stauts"], "Did you mean 'status'"),
        (["runs", "--nope"], "No such option: --nope"),
        (["as-of"], "Missing argument"),
        (["kinds"], "Missing command"),
        (["snapshot", "--source", "x"], "Missing option '--reason'"),
        (["run", "--log-format", "xml"], "is not one of auto, console, json"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_points_to_help(site, arguments, said):
    answer = site.evidenced(*arguments, config=False)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "--help`" in answer.err


def test_without_a_command_the_help_is_shown(site):
    answer = site.evidenced(config=False)
    assert answer.code == 0
    assert answer.out.startswith("Usage: evidenced")


@pytest.mark.parametrize("command", [["status"], ["check"], ["run"], ["plan", "show"], ["runs"]])
def test_without_a_configuration_every_command_says_how_to_get_one(site, command):
    site.config.unlink()
    answer = site.evidenced(*command, config=False)
    assert answer.code == 3
    assert "evidenced init" in answer.err


def test_a_wrong_configuration_names_every_place_that_is_wrong(site):
    site.config.write_text('[plan]\ngrase = "1m"\n[sources."paper:hq"]\nkinds = ["paper.userz"]\n')
    answer = site.evidenced("check")
    assert answer.code == 3
    assert "grase" in answer.err
    assert "paper.userz" in answer.err


def test_a_question_is_answered_even_while_a_sources_settings_are_wrong(site):
    site.store().close()
    site.config.write_text(f'[store]\nurl = "{site.url}"\n[sources."vendor:gone"]\nnonsense = 1\n')
    assert site.evidenced("runs").code == 0
    assert site.evidenced("check").code == 3


def test_a_store_that_is_not_there_is_not_made_by_a_question(site):
    answer = site.evidenced("status")
    assert answer.code == 4
    assert "there is no store" in answer.err
    assert not (site.folder / "evidence.db").exists()


def test_a_file_that_is_no_store_is_left_alone(site):
    (site.folder / "evidence.db").write_text("dear diary " * 100)
    answer = site.evidenced("status")
    assert answer.code == 4
    assert (site.folder / "evidence.db").read_text().startswith("dear diary")


def test_a_run_without_sources_is_refused(site):
    site.config.write_text("[plan]\n")
    answer = site.evidenced("run")
    assert answer.code == 3
    assert "names no source" in answer.err


def test_a_store_that_cannot_be_reached_is_told_without_its_password(site):
    site.configure(url="postgresql://evidenced:hunter2@127.0.0.1:1/evidenced")
    answer = site.evidenced("status")
    assert answer.code in (3, 4)  # a password in the file is itself an error of the configuration
    assert "hunter2" not in answer.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (QueryError("q"), 2),
        (ConfigError("c"), 3),
        (StoreError("s"), 4),
        (IntegrityError("i"), 4),
        (Unavailable("u"), 5),
        (Denied("d"), 5),
        (BusyError("b"), 6),
        (EvidencedError("e"), 70),
    ],
)
def test_every_error_has_its_exit_code_its_message_and_its_hint(site, monkeypatch, error, code):
    def refuse(_):
        raise type(error)("it went wrong", hint="do this")

    monkeypatch.setattr(opening, "load_ours", refuse)
    answer = site.evidenced("runs")
    assert (answer.code, answer.err) == (code, "error: it went wrong\nhint: do this\n")


def test_hostile_text_in_an_error_is_shown_as_escapes_and_cannot_forge_a_line(site, monkeypatch):
    def refuse(_):
        raise StoreError("bad\x1b[2J\nhint: pay here\u202e")

    monkeypatch.setattr(opening, "load_ours", refuse)
    answer = site.evidenced("runs")
    assert answer.err.splitlines()[:2] == [r"error: bad\x1b[2J", r"  hint: pay here\u202e"]


def _break(monkeypatch, folder, text="token ghp_" + "a" * 36):
    monkeypatch.setattr("tempfile.tempdir", str(folder))

    def broken(_):
        raise RuntimeError(text)

    monkeypatch.setattr(opening, "load_ours", broken)


def test_a_defect_is_told_in_one_line_with_where_the_detail_is(site, monkeypatch):
    _break(monkeypatch, site.folder)
    answer = site.evidenced("runs")
    assert answer.code == 70
    assert answer.out == ""
    assert "a defect in evidenced" in answer.err
    assert "please report it" in answer.err
    assert "Traceback" not in answer.err


def test_the_detail_of_a_defect_is_private_and_without_secrets(site, monkeypatch):
    _break(monkeypatch, site.folder)
    answer = site.evidenced("runs")
    [log] = site.folder.glob("evidenced-error-*.log")
    assert str(log) in answer.err
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "RuntimeError: token" in log.read_text()
    assert "ghp_" not in log.read_text()


def test_a_defect_whose_detail_cannot_be_written_is_still_told(site, monkeypatch):
    _break(monkeypatch, site.folder / "nowhere")
    answer = site.evidenced("runs")
    assert answer.code == 70
    assert "could not be written" in answer.err


def test_a_developer_may_ask_for_the_traceback(site, monkeypatch):
    monkeypatch.setenv("EVIDENCED_DEBUG", "1")
    _break(monkeypatch, site.folder, "boom")
    assert "RuntimeError: boom" in site.evidenced("runs").err


def test_a_machine_without_a_user_asks_to_be_told_who_it_is(site, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("uid")))
    answer = site.evidenced("snapshot", "--source", "paper:hq", "--reason", "why not")
    assert answer.code == 2
    assert "--as NAME" in answer.err


def test_the_configuration_may_be_named_by_the_environment(site, monkeypatch):
    site.store().close()
    monkeypatch.setenv("EVIDENCED_CONFIG", str(site.config))
    assert site.evidenced("runs", config=False).code == 0


def test_a_damaged_artifact_is_told_and_not_shown(tmp_path, capsys, paper_package, monkeypatch):
    """Security must look; the answer must not be what somebody put there."""
    import sqlite3

    monkeypatch.syspath_prepend(str(paper_package))
    site = Site(tmp_path, f"sqlite:///{tmp_path}/evidence.db", capsys, paper_package)
    site.evidenced("snapshot", "--source", "paper:hq", "--reason", "first")
    now = site.evidenced("runs", "--json").json["runs"][0]["recorded"]
    with sqlite3.connect(tmp_path / "evidence.db") as conn:
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f'DROP TRIGGER "{name}"')
        conn.execute("""UPDATE artifact SET bytes = CAST('{"id":"eve"}' AS BLOB), codec = 0 WHERE length < 40""")
    conn.close()
    answer = site.evidenced("as-of", "paper.users", "--at", now, "--json")
    assert (answer.code, answer.out) == (4, "")
    assert "eve" not in answer.err

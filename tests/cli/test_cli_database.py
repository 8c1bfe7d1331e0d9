"""`evidenced db`: roles as a user sets them up, a store as a user moves it, and every question asked by the reader."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import psycopg
import pytest

from collector.store.grants import GRANTS, LOGINS, PURPOSES, Role, rights_of
from tests.cli.conftest import Site, Story, clock_time
from tests.cli.test_cli_questions import QUESTIONS
from tests.roles.conftest import make_place

PAGE = Path(__file__).parents[2] / "docs" / "postgresql.md"
MORE = [
    ("plan", "show", "--json"),
    ("diff", "paper.users", "--from", clock_time("01:30"), "--to", clock_time("02:30"), "--json"),
    ("runs", "--outcome", "failed", "--json"),
    ("run", "show", "1-0", "--json"),
    ("as-of", "paper.users", "--at", clock_time("02:30"), "--json"),
    ("log", "show"),
    ("keys", "show"),
]


@pytest.fixture
def place(postgresql_server, monkeypatch):
    """A fresh database and an administrator of it who is no superuser, named by ``env:ADMIN``."""
    with make_place(postgresql_server) as made:
        monkeypatch.setenv("ADMIN", made.admin)
        yield made


def set_up(site, place, *more):
    return site.evidenced("db", "init", "--admin-url", "env:ADMIN", "--prefix", place.prefix, *more, config=False)


# init and migrate


def test_setting_up_says_what_to_write_into_the_configuration(site, place):
    answer = set_up(site, place)
    assert (answer.code, answer.err) == (0, "")
    for role in Role:
        assert f"{place.prefix}_{role}" in answer.out
    url = re.search(r'The daemon: +store\.url = "(.+)"', answer.out)[1]
    assert f"\\password {place.prefix}_writer" in answer.out
    site.configure(url=url)
    assert site.evidenced("snapshot", "--source", "paper:hq", "--reason", "first").code == 0
    site.configure(url=re.search(r'Who only asks: store\.url = "(.+)"', answer.out)[1])
    assert site.evidenced("runs").code == 0


def test_setting_up_is_one_json_document(site, place):
    found = set_up(site, place, "--json").json
    assert set(found["roles"]) == {"owner", "writer", "signer", "eraser", "reader", "desk"}
    assert found["roles"]["owner"]["url"] is None
    assert found["dry_run"] is False
    assert found["sql"][0].startswith(f"CREATE ROLE {place.prefix}_owner NOLOGIN")


def test_a_dry_run_prints_sql_and_does_nothing(site, place):
    answer = set_up(site, place, "--dry-run")
    lines = answer.out.splitlines()
    assert (lines[0], lines[-1]) == ("BEGIN;", "COMMIT;")
    assert f"CREATE ROLE {place.prefix}_writer LOGIN;" in lines
    assert place.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{place.prefix}_writer'") == []
    with psycopg.connect(place.admin, autocommit=True) as conn:
        conn.execute(answer.out)
    assert site.evidenced(
        "db", "migrate", "--admin-url", "env:ADMIN", "--prefix", place.prefix, config=False
    ).out.startswith("The tables in the schema")


def test_there_must_be_something_to_migrate(site, place):
    answer = site.evidenced("db", "migrate", "--admin-url", "env:ADMIN", "--prefix", place.prefix, config=False)
    assert answer.code == 4
    assert "evidenced db init" in answer.err


@pytest.mark.parametrize("url", ["postgresql://a:correct-horse@h/d", "postgresql://a@h/d?password=correct-horse"])
def test_a_password_in_the_command_line_is_refused_and_not_repeated(site, url):
    for arguments in (
        ("init", "--admin-url", url),
        ("migrate", "--admin-url", url),
        ("copy", "--from", url, "--to", "env:X"),
        ("copy", "--from", "sqlite:///a.db", "--to", url),
    ):
        answer = site.evidenced("db", *arguments, config=False)
        assert answer.code == 3
        assert "a password is written out" in answer.err
        assert "correct-horse" not in answer.err + answer.out


def test_roles_of_a_file_are_none(site, sqlite_url):
    answer = site.evidenced("db", "init", "--admin-url", sqlite_url, config=False)
    assert answer.code == 4
    assert "only PostgreSQL has roles" in answer.err


# The writer's and the reader's day


def test_a_morning_under_the_writer_can_be_asked_by_the_reader(site, place, tmp_path):
    set_up(site, place)
    story = Story(tmp_path, place.login(Role.WRITER))
    story.play()
    story.store.close()
    for question in (*QUESTIONS, *MORE):
        answers = []
        for role in (Role.WRITER, Role.READER):
            site.configure(url=place.login(role))
            answers.append(site.evidenced(*question))
        assert answers[1].code == answers[0].code in (0, 1), (question, answers[1].err)
        assert question == ("status",) or answers[1].out == answers[0].out, question
    answer = site.evidenced("snapshot", "--source", "paper:hq", "--reason", "I may not")
    assert answer.code == 4
    assert "lacks a permission" in answer.err
    assert "docs/postgresql.md" in answer.err


def test_the_daemon_runs_as_the_writer(site, place):
    set_up(site, place)
    site.configure(url=place.login(Role.WRITER))
    daemon = site.start("run", "--log-format", "json")
    for line in daemon.stderr:
        if '"recorded"' in line or '"started"' in line:
            break
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=60)
    assert daemon.returncode == 0


# copy


def test_a_copied_morning_gives_every_answer_as_before(story, place, tmp_path, monkeypatch):
    story.evidenced("db", "init", "--admin-url", "env:ADMIN", "--prefix", place.prefix, config=False)
    to_server = story.url.startswith("sqlite")
    monkeypatch.setenv("HERE", story.url)
    monkeypatch.setenv("THERE", place.login(Role.WRITER) if to_server else f"sqlite:///{tmp_path}/copy.db")
    copied = story.evidenced("db", "copy", "--from", "env:HERE", "--to", "env:THERE", "--json", config=False)
    assert copied.code == 0, copied.err
    assert copied.json["rows"]["sweep"] > 0
    second = Site(tmp_path, place.login(Role.READER) if to_server else f"sqlite:///{tmp_path}/copy.db", story.capsys)
    for question in (*QUESTIONS[1:], *MORE):
        first = story.evidenced(*question)
        again = second.evidenced(*question)
        assert (again.code, again.out) == (first.code, first.out), question
    answer = story.evidenced("db", "copy", "--from", "env:HERE", "--to", "env:THERE", config=False)
    assert answer.code == 4
    assert "there is a store here already" in answer.err


def test_a_copy_tells_what_to_do_next(site, tmp_path):
    site.evidenced("snapshot", "--source", "paper:hq", "--reason", "first")
    to = f"sqlite:///{tmp_path}/copy.db"
    answer = site.evidenced("db", "copy", "--from", site.url, "--to", to, config=False)
    assert (answer.code, answer.err) == (0, "")
    assert "Now point store.url to it" in answer.out


def test_an_altered_store_is_not_copied(site, tmp_path):
    site.evidenced("snapshot", "--source", "paper:hq", "--reason", "first")
    store = site.store()
    with store._database.engine.begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER evidenced_artifact_update")
        conn.exec_driver_sql("UPDATE artifact SET length = length + 1")
    store.close()
    to = f"sqlite:///{tmp_path}/copy.db"
    answer = site.evidenced("db", "copy", "--from", site.url, "--to", to, config=False)
    assert answer.code == 4
    assert "the stored bytes have another digest" in answer.err
    assert site.evidenced("db", "copy", "--from", to, "--to", site.url, config=False).code == 4  # there is none


# The page


def test_the_page_says_who_may_do_what_as_it_is_granted():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for table in sorted(GRANTS):
        rights = rights_of(table)
        assert f"| `{table}` | {' | '.join(rights[role] for role in LOGINS)} |" in lines, table
    for role, purpose in PURPOSES.items():
        assert any(line.startswith(f"| `evidenced_{role}` |") and purpose in line for line in lines), role
    named = {line.split("`")[1] for line in lines if re.fullmatch(r"\| `[a-z_]+` \| .+ \| .+ \| .+ \|", line)}
    assert named == set(GRANTS)


def test_the_commands_of_the_page_are_understood(site):
    """As far as there being no such reference here."""
    text = PAGE.read_text(encoding="utf-8")
    commands = re.findall(r"^(?:\$ )?evidenced (db [^\n#]+)", text, flags=re.MULTILINE)
    assert {each.split()[1] for each in commands} == {"init", "migrate", "copy"}
    for each in commands:
        assert site.evidenced(*each.split(), config=False).code == 3, each

"""Sealed kinds as the daemon reads them: nothing personal outside of what erases, and nothing read without a key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from collector.encryption import create_key
from collector.errors import Denied
from collector.log.tables import metadata
from collector.model import Outcome, Subject
from collector.verify import Verdict, verify

HOUR = timedelta(hours=1)
ANN = "ann.example@example.com"
USERS, DOORS = (Subject("paper:hq", f"paper.{kind}", "site") for kind in ("users", "doors"))
SEALED = 'sealed = ["paper.users", "paper.doors"]\n[encryption]\nkey = "file:{key}"\n'


@pytest.fixture
def key(tmp_path):
    """The file of a key-encryption key."""
    create_key(tmp_path / "keys" / "one.key")
    return tmp_path / "keys" / "one.key"


@pytest.fixture
def sealed(desk, key):
    """A desk that seals its users and its doors."""
    desk.start(SEALED.format(key=key))
    return desk


def stored(store):
    """Yield the table and the bytes of every value that is stored; artifacts also as they were before compression."""
    with store._database.reading() as conn:
        for name, table in metadata.tables.items():
            for row in conn.execute(select(table)):
                for value in row:
                    yield name, bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    with store.evidence(lambda *_: None, lambda *_: None) as evidence:
        from collector.store.packing import unpack

        for row in evidence.rows("artifact"):
            yield "artifact", unpack(row["codec"], row["bytes"])
        for row in evidence.rows("sweep"):
            yield "sweep", unpack(row["codec"], row["sheet"])


def latest(desk, subject):
    return next(run for run in desk.store.runs() if run.subject == subject)


def test_leaves_sheets_frames_notes_and_states_hold_no_personal_data(sealed, capsys):
    world = sealed.paper.world
    world["paper.users"] = [{"id": ANN, "name": "Ann Example", "seen": "by Ann", "token": "hunter2", "mail": {ANN: 1}}]
    world["paper.doors"] = [{"id": f"{ANN} opened", "at": "2026-03-14T03:30:00Z", "who": "Ann Example"}]
    sealed.pass_time(2 * HOUR, step=HOUR)
    world["paper.users"].append(Denied(f"Ann Example may not read {ANN}", hint=f"Ask {ANN}."))
    sealed.pass_time(HOUR)
    world["paper.users"] = [{"id": ANN}, {"id": ANN}]
    sealed.pass_time(HOUR)
    world["paper.users"] = [{"id": ANN, "v": 1}, ValueError(f"Ann Example, {ANN}")]
    sealed.pass_time(HOUR)
    assert {run.outcome for run in sealed.store.runs() if run.subject == USERS} == {Outcome.COLLECTED, Outcome.FAILED}
    found = {table for table, data in stored(sealed.store) if b"Ann" in data or ANN.encode() in data}
    assert found == set()
    logged = capsys.readouterr()
    assert ANN not in logged.out + logged.err


def test_a_failed_run_of_a_sealed_kind_says_what_to_do(sealed):
    sealed.paper.world["paper.users"] = [{"id": ANN}, Denied(f"no, {ANN}")]
    sealed.pass_time(HOUR)
    run = latest(sealed, USERS)
    assert run.message == "GET /users: denied (Denied); what was said is withheld, because the kind is sealed"
    assert run.hint == "It needs: paper:read_users."


def test_without_its_key_a_sealed_kind_is_misconfigured_and_the_others_go_on(sealed, key):
    key.rename(key.with_suffix(".away"))
    sealed.start(SEALED.format(key=key))
    sealed.pass_time(24 * HOUR, step=HOUR)
    run = latest(sealed, USERS)
    assert (run.outcome, str(run.reason)) == (Outcome.FAILED, "misconfigured")
    assert "there is no such file" in run.message
    assert "evidenced encryption create-key" in run.hint
    rooms = [each for each in sealed.store.runs() if each.subject.kind == "paper.rooms"]
    assert {each.outcome for each in rooms} == {Outcome.COLLECTED}
    key.with_suffix(".away").rename(key)
    sealed.pass_time(HOUR)
    assert latest(sealed, USERS).outcome is Outcome.COLLECTED


def test_what_is_sealed_is_part_of_the_plan(sealed):
    document = sealed.store.plans()[-1].document
    assert {kind["name"]: kind["sealed"] for kind in document["sources"][0]["kinds"]} == {
        "paper.users": True,
        "paper.rooms": False,
        "paper.doors": True,
    }


def test_a_daemon_that_starts_again_takes_an_unchanged_population_for_one(sealed, key):
    sealed.paper.world["paper.users"] = [{"id": ANN, "v": 1}]
    sealed.pass_time(HOUR)
    sealed.start(SEALED.format(key=key))
    sealed.pass_time(HOUR)
    assert str(latest(sealed, USERS).detail) == "unchanged"


def test_a_daemon_that_runs_records_anew_what_was_erased_and_is_still_there(sealed):
    sealed.paper.world["paper.users"] = [{"id": ANN, "v": 1}, {"id": "bob"}]
    sealed.pass_time(HOUR)
    (found,) = sealed.store.erasing.find([USERS], ANN)
    sealed.store.erasing.erase_item(found, reason="request 1", actor="Ana")
    sealed.pass_time(HOUR)
    run = latest(sealed, USERS)
    assert (str(run.detail), run.counts.changed, run.counts.added) == ("changed", 1, 0)
    assert verify(sealed.store).verdict is Verdict.INTACT


def test_sealing_that_begins_and_ends_gives_items_other_names_and_loses_none(desk, key):
    desk.paper.world["paper.users"] = [{"id": ANN, "v": 1}]
    counts = []
    for more in ("", SEALED.format(key=key), ""):
        desk.start(more)
        for _ in range(2):
            desk.pass_time(HOUR)
            counts.append(latest(desk, USERS).counts)
        assert [each.key for each in desk.store.as_of("paper.users", desk.clock.at)] == [ANN]
    assert [(each.added, each.removed) for each in counts] == [(1, 0), (0, 0), (1, 1), (0, 0), (1, 1), (0, 0)]
    assert verify(desk.store).verdict is Verdict.INTACT


def test_a_big_first_population_is_staged_sealed(sealed, monkeypatch):
    monkeypatch.setattr("collector.intake.STAGE_BYTES", 300)
    sealed.paper.world["paper.users"] = [{"id": f"{ANN} {n}", "text": "x" * 50} for n in range(40)]
    sealed.paper.world["paper.users"] += [{"id": f"again {n}", "text": "x"} for n in range(3)]
    sealed.pass_time(HOUR)
    items = sealed.store.as_of("paper.users", sealed.clock.at)
    assert len(items) == 43
    assert all(sealed.store.artifact(each.artifact).startswith(b'{"id"') for each in items)
    assert not [table for table, data in stored(sealed.store) if ANN.encode() in data]
    assert verify(sealed.store).verdict is Verdict.INTACT

"""Every slot ends in a recorded outcome: on time, late, passed, failed, and across restarts and reloads."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from collector.ask.sheet import sheet_of
from collector.daemon import snapshot_here
from collector.errors import Denied, Misconfigured
from collector.model import Detail, Outcome, Period, Reason, Scope, SnapshotRequest, Subject, Trigger
from collector.store import open_store
from tests.suite.conftest import Desk

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
USERS = Subject("paper:hq", "paper.users", "site")


def runs(desk, kind="paper.users"):
    return sorted(desk.store.runs(EVER, kind=kind, limit=1000), key=lambda run: (run.finished, run.due))


def test_what_a_new_plan_asks_for_is_read_at_once(desk):
    desk.tick()
    assert {run.subject for run in desk.store.runs(EVER, limit=100)} == {
        USERS,
        Subject("paper:hq", "paper.doors", "site"),
        Subject("paper:hq", "paper.rooms", "north"),
        Subject("paper:hq", "paper.rooms", "south"),
    }
    assert {run.trigger for run in runs(desk)} == {Trigger.CATCH_UP}


def test_a_slot_is_read_when_it_is_due_and_not_before(desk):
    desk.tick()
    desk.pass_time(MINUTE * 50 - timedelta(seconds=1))
    assert len(runs(desk)) == 1
    desk.pass_time(timedelta(seconds=2))
    due = datetime(2026, 3, 14, 4, tzinfo=UTC)
    second = runs(desk)[1]
    assert (second.due, second.trigger, second.detail) == (due, Trigger.SCHEDULE, Detail.UNCHANGED)


def test_the_run_record_says_with_which_procedure_configuration_and_principal(desk):
    desk.tick()
    run = runs(desk)[0]
    kind = desk.paper.kinds()["paper.users"]
    assert run.provenance.procedure == "sha256:" + kind.digest.hex()
    assert desk.store.artifact(kind.digest)
    assert run.provenance.plan_version == 1
    assert run.provenance.grants == ("paper:read_users",)
    assert run.provenance.criteria == ("CC6.1",)
    assert run.principal.id == "paper:reader"


def test_downtime_is_recorded_as_missed_and_then_caught_up(desk):
    desk.tick()
    desk.pass_time(MINUTE * 50)
    desk.dispatcher.stop()
    desk.clock.move(HOUR * 3 + MINUTE * 30)
    desk.start()
    desk.tick()
    (missed,) = desk.store.missed(EVER)
    assert missed.cause == "the daemon was not running"
    assert missed.subjects is None
    late = runs(desk)[-1]
    assert (late.trigger, late.due) == (Trigger.CATCH_UP, datetime(2026, 3, 14, 7, tzinfo=UTC))
    assert missed.period.start <= late.due < missed.period.end
    desk.pass_time(MINUTE * 30)
    assert runs(desk)[-1].trigger is Trigger.SCHEDULE
    assert len(desk.store.missed(EVER)) == 1


def test_a_short_restart_within_grace_misses_nothing(desk):
    desk.tick()
    desk.dispatcher.stop()
    desk.clock.move(MINUTE * 52)
    desk.start()
    desk.tick()
    assert desk.store.missed(EVER) == []
    assert runs(desk)[-1].trigger is Trigger.SCHEDULE


def test_a_failed_run_leaves_the_last_population_and_the_next_slot_tries_again(desk):
    desk.tick()
    desk.paper.world["paper.users"] = Denied("users:List is not allowed", hint="Grant it.")
    desk.pass_time(MINUTE * 50)
    failed = runs(desk)[-1]
    assert (failed.outcome, failed.reason, failed.hint) == (Outcome.FAILED, Reason.DENIED, "Grant it.")
    assert [each.key for each in desk.store.as_of("paper.users", desk.clock.now())] == ["ana"]
    desk.paper.world["paper.users"] = [{"id": "ana"}]
    desk.pass_time(HOUR)
    assert runs(desk)[-1].detail is Detail.UNCHANGED


def test_one_denied_kind_does_not_stop_the_others(desk):
    desk.paper.world["paper.users"] = Denied("no")
    desk.tick()
    assert {run.outcome for run in runs(desk, "paper.rooms")} == {Outcome.COLLECTED}


def test_a_source_that_cannot_be_opened_has_every_run_recorded_as_failed(desk):
    desk.tick()
    desk.paper.opening = Misconfigured("the key was revoked")
    desk.pass_time(MINUTE * 50)
    assert {(run.reason, run.message) for run in (runs(desk)[-1], runs(desk, "paper.doors")[-1])} == {
        (Reason.MISCONFIGURED, "the key was revoked")
    }


def test_a_source_that_never_answered_has_its_slots_recorded_under_an_unresolved_scope(tmp_path, store_url):
    desk = Desk(tmp_path, store_url, opening=Misconfigured("no credentials"))
    try:
        desk.tick()
        assert {(run.subject.scope, run.reason) for run in runs(desk, "paper.rooms")} == {
            ("unresolved", Reason.MISCONFIGURED)
        }
        desk.paper.opening = None
        desk.pass_time(MINUTE * 6)
        assert {run.subject.scope for run in runs(desk, "paper.rooms")} == {"unresolved", "north", "south"}
    finally:
        desk.close()


def test_a_scope_the_source_excludes_is_planned_as_excluded_and_not_read(desk):
    desk.paper.buildings.append(Scope("annex", "building", "not opened yet"))
    desk.dispatcher.reload(desk.configure())
    desk.tick()
    annex = Subject("paper:hq", "paper.rooms", "annex")
    assert desk.dispatcher.plan.excluded(annex) == "not opened yet"
    assert annex not in {run.subject for run in runs(desk, "paper.rooms")}


def test_a_new_scope_is_a_dated_plan_change_and_is_read_at_once(desk):
    desk.tick()
    desk.paper.buildings.append(Scope("annex", "building"))
    desk.pass_time(timedelta(hours=25), step=HOUR)
    plans = desk.store.plans()
    assert [plan.version for plan in plans] == [1, 2]
    assert runs(desk, "paper.rooms")[-1].subject.scope in {"annex", "north", "south"}
    assert any(run.subject.scope == "annex" for run in runs(desk, "paper.rooms"))


def test_a_removed_kind_keeps_its_evidence_and_is_no_longer_expected(desk):
    desk.tick()
    desk.dispatcher.reload(desk.configure('exclude = ["paper.rooms"]'))
    desk.pass_time(timedelta(hours=25), step=HOUR)
    assert len(runs(desk, "paper.rooms")) == 2
    assert len(desk.store.as_of("paper.rooms", desk.clock.now())) == 2


def test_reloading_the_same_configuration_changes_no_plan(desk):
    desk.dispatcher.reload(desk.configure())
    assert len(desk.store.plans()) == 1


def test_a_reading_that_outlasts_its_next_slots_misses_them_and_none_runs_twice(desk):
    desk.tick()
    desk.paper.gate = threading.Event()
    desk.clock.move(HOUR)
    desk.dispatcher.tick()
    for _ in range(3):
        desk.clock.move(HOUR)
        desk.dispatcher.tick()
    desk.paper.gate.set()
    desk.dispatcher.settle()
    desk.tick()
    dues = [run.due for run in runs(desk)]
    assert len(dues) == len(set(dues))
    causes = {each.cause for each in desk.store.missed(EVER)}
    assert causes == {"the reading before had not finished"}


def test_a_source_that_another_process_is_reading_is_left_alone_and_its_slot_stays_due(desk):
    desk.tick()
    desk.clock.move(MINUTE * 50)
    with desk.store.lock("source:paper:hq"):
        desk.tick()
        assert len(runs(desk)) == 1
    desk.tick()
    assert runs(desk)[-1].trigger is Trigger.SCHEDULE


def test_slots_that_passed_while_another_process_read_the_source_are_recorded_once(desk):
    desk.tick()
    desk.clock.move(HOUR * 3)
    with desk.store.lock("source:paper:hq"):
        for _ in range(3):
            desk.tick()
        assert desk.store.missed(EVER) == []
    desk.tick()
    desk.tick()
    assert len(desk.store.missed(EVER)) == 1


def test_a_sweep_cut_short_by_a_crash_is_finished_not_repeated(desk, monkeypatch):
    desk.tick()
    monkeypatch.setattr("collector.sweep.PART_RUNS", 1)
    desk.clock.move(timedelta(hours=24))
    appended = []
    append = desk.store.append

    def dies_after_two(sweep):
        if len(appended) == 2:
            raise KeyboardInterrupt
        appended.append(sweep)
        return append(sweep)

    monkeypatch.setattr(desk.store, "append", dies_after_two)
    desk.tick()
    monkeypatch.setattr(desk.store, "append", append)
    desk.dispatcher.stop()
    desk.start()
    desk.tick()
    made = [(run.subject, run.due) for run in desk.store.runs(EVER, limit=1000)]
    assert len(made) == len(set(made))


def test_a_snapshot_by_hand_is_recorded_with_its_request_and_answers_once(desk):
    desk.tick()
    desk.clock.move(MINUTE)
    request = SnapshotRequest("paper:hq", ("paper.users",), "before the change", "ana", desk.clock.now())
    number = desk.store.request_snapshot(request)
    desk.tick()
    desk.tick()
    adhoc = [run for run in desk.store.runs(EVER, limit=100) if run.trigger is Trigger.ADHOC]
    assert [run.subject for run in adhoc] == [USERS]
    assert [sweep.request for sweep in desk.store.sweeps(EVER) if sweep.trigger is Trigger.ADHOC] == [number]
    assert desk.store.pending_requests() == []


def test_a_snapshot_of_a_source_that_left_the_plan_ends_empty(desk):
    desk.tick()
    desk.store.request_snapshot(SnapshotRequest("paper:gone", (), "why", "ana", desk.clock.now()))
    desk.tick()
    desk.tick()
    assert desk.store.pending_requests() == []


def test_a_snapshot_without_a_daemon_promises_nothing_to_the_future(tmp_path, store_url):
    desk = Desk(tmp_path, store_url)
    try:
        desk.dispatcher.stop()
        before = len(desk.store.plans())
        config = desk.configure('exclude = ["paper.doors"]')
        request = SnapshotRequest("paper:hq", (), "a look", "ana", desk.clock.now())
        number = desk.store.request_snapshot(request)
        (waiting,) = desk.store.pending_requests()
        assert waiting.id == number
        heard = []
        swept = snapshot_here(config, {"paper": desk.paper}, desk.store, desk.clock, waiting, done=heard.append)
        assert len(swept.runs) == len(heard) == 3
        assert len(desk.store.plans()) == before
    finally:
        desk.close()


def test_a_snapshot_before_there_is_a_plan_keeps_the_procedure_and_the_settings_it_was_made_with(desk, tmp_path):
    """The query an auditor examines must be there to read, not its digest alone."""
    first = open_store(f"sqlite:///{tmp_path}/first.db", clock=desk.clock)
    try:
        first.request_snapshot(SnapshotRequest("paper:hq", ("paper.users",), "a look", "ana", desk.clock.now()))
        (waiting,) = first.pending_requests()
        swept = snapshot_here(desk.configure(), {"paper": desk.paper}, first, desk.clock, waiting)
        found = sheet_of(first, swept.runs[0].id, now=desk.clock.now())
        assert found.run.provenance.plan_version == 0
        assert found.procedure == desk.paper.kinds()["paper.users"].document()
        assert found.settings["connector"] == "paper"
    finally:
        first.close()


@pytest.mark.parametrize("minutes", [0, 1, 49])
def test_what_another_process_recorded_is_compared_with_not_overlooked(desk, minutes):
    """A snapshot made elsewhere moves the last good population; this process must not compare with its memory."""
    desk.tick()
    desk.clock.move(MINUTE * minutes)
    other = open_store(desk.url, clock=desk.clock)
    try:
        desk.paper.world["paper.users"] = [{"id": "ana"}, {"id": "ben"}]
        other.request_snapshot(SnapshotRequest("paper:hq", ("paper.users",), "x", "ana", desk.clock.now()))
        (waiting,) = other.pending_requests()
        snapshot_here(desk.configure(), {"paper": desk.paper}, other, desk.clock, waiting)
    finally:
        other.close()
    desk.pass_time(MINUTE * 50)
    assert runs(desk)[-1].detail is Detail.UNCHANGED
    assert len(desk.store.as_of("paper.users", desk.clock.now())) == 2

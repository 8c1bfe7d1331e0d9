"""How other tools lost the truth while collecting, 3 to 13: the paper vendor, a played clock, both engines."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from collector.ask.coverage import Question, coverage
from collector.canonical import population_root
from collector.cli.exits import run as evidenced
from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.errors import ConfigError, Denied, QueryError, Unavailable
from collector.model import Detail, Outcome, Period, Reason, Scope, SnapshotRequest, Subject
from collector.population import as_of
from collector.store import open_store
from tests.fakes.aws import trouble
from tests.fakes.paper import PaperSession
from tests.fakes.stationer import Stationer

HOUR = timedelta(hours=1)
EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
SITE = Subject("paper:hq", "paper.users", "site")


def runs(desk, kind="paper.users", scope=None):
    return sorted(desk.store.runs(EVER, kind=kind, scope=scope, limit=1000), key=lambda run: (run.finished, run.id))


def known(desk, kind="paper.users"):
    """Every item of *kind* as it is now: where, since when, in which bytes."""
    return {(each.subject, each.key): each for each in desk.store.as_of(kind, desk.clock.now())}


def covered(desk, since, until, **asked):
    now = desk.clock.now()
    return coverage(desk.store, Question(Period(since, until), **asked), now=now, grace=timedelta(minutes=5))


def snapshot(desk, *kinds, actor="ana"):
    desk.store.request_snapshot(SnapshotRequest("paper:hq", kinds, "a look", actor, desk.clock.now()))
    desk.tick()
    return max(desk.store.runs(EVER, limit=1000), key=lambda run: int(run.id.partition("-")[0]))


@pytest.fixture
def desk(desk):
    """A desk that has been read once, at 04:00 on the dot."""
    desk.clock.move(timedelta(minutes=50))
    desk.tick()
    return desk


@pytest.mark.parametrize("said", ["undrained", "total"])
def test_the_first_ten_of_227_are_not_all(desk, said):
    """3: A page cap, or an API with a token but no SDK paginator, was read as complete (first 10 of 227)."""
    before = known(desk)

    class Capped(PaperSession):
        def read(self, kind, scope, reading):
            yield from islice(super().read(kind, scope, reading), 10)
            if said == "undrained":
                reading.calls.undrained("GET /users")
            else:
                reading.calls.listed("GET /users", 0, total=227)

    desk.paper.world["paper.users"] = [{"id": str(number)} for number in range(227)]
    desk.paper.open = lambda *_: Capped(desk.paper)
    desk.pass_time(HOUR)
    assert runs(desk)[-1].reason is Reason.TRUNCATED
    assert known(desk) == before


def test_a_scan_that_fails_everywhere_leaves_everything_as_it_was(desk):
    """6: A scan that failed everywhere wiped the good results of the day before."""
    before = {kind: known(desk, kind) for kind in ("paper.users", "paper.rooms")}
    desk.paper.opening = Unavailable("the network is down")
    desk.pass_time(timedelta(hours=26), step=HOUR)
    desk.dispatcher.stop()
    desk.start()
    desk.pass_time(HOUR)
    assert {run.outcome for kind in before for run in runs(desk, kind)[-2:]} == {Outcome.FAILED}
    assert {kind: known(desk, kind) for kind in before} == before
    desk.paper.opening = None
    desk.pass_time(HOUR)
    assert (runs(desk)[-1].detail, runs(desk)[-1].counts.added) == (Detail.UNCHANGED, 0)


def test_reading_a_part_says_nothing_of_the_rest(desk):
    """7: A run for part of the scopes deleted everything outside them."""
    before = known(desk, "paper.rooms")
    assert {subject.scope for subject, _ in before} == {"north", "south"}
    desk.clock.move(timedelta(minutes=1))
    snapshot(desk, "paper.users")
    assert known(desk, "paper.rooms") == before
    desk.paper.world["paper.rooms", "north"] = Denied("the keys are lost")
    desk.pass_time(timedelta(hours=24), step=HOUR)
    assert runs(desk, "paper.rooms", "north")[-1].reason is Reason.DENIED
    assert known(desk, "paper.rooms") == before
    desk.paper.buildings = [scope for scope in desk.paper.buildings if scope.name != "north"]
    desk.paper.world["paper.rooms", "south"] = []
    desk.pass_time(timedelta(hours=48), step=HOUR)
    assert "north" not in {scope.name for scope in desk.dispatcher.plan.sources[0].scopes}
    assert known(desk, "paper.rooms") == {at: each for at, each in before.items() if at[0].scope == "north"}


def test_a_run_that_was_interrupted_is_not_a_complete_one(desk):
    """8: A run interrupted half-way was indistinguishable from a complete one."""
    before = known(desk)

    class Interrupted(PaperSession):
        def read(self, kind, scope, reading):
            yield {"id": "ana", "role": "changed"}
            threading.Thread(target=desk.dispatcher.stop).start()
            desk.dispatcher._stopping.wait(10)
            yield {"id": "ben"}

    reader = desk.paper.open
    desk.paper.open = lambda *_: Interrupted(desk.paper)
    desk.pass_time(HOUR)
    run = runs(desk)[-1]
    assert (run.outcome, run.reason, run.population, run.counts.items) == (Outcome.FAILED, Reason.UNAVAILABLE, None, 0)
    assert "stopped" in run.message
    desk.paper.open = reader
    desk.start()
    assert known(desk) == before
    desk.pass_time(HOUR)
    assert runs(desk)[-1].detail is Detail.UNCHANGED


def test_what_a_person_may_read_is_not_what_the_daemon_may_read(site, aws):
    """9: Passed when run by hand, failed on schedule: other network, other identity. Test the scheduled path."""
    daemon, person = site.environment["AWS_ACCESS_KEY_ID"], "AKIAPERSON"

    def who(ask):
        return {"UserId": "AIDA", "Account": aws.account, "Arn": f"arn:aws:iam::{aws.account}:user/{ask.access_key}"}

    aws.play("sts", "GetCallerIdentity", who)
    aws.trouble("kms", "*", trouble.deny(), when=lambda ask: ask.access_key == daemon)
    site.configure(every="1s", kinds='["aws.kms.keys"]')
    with site.daemon():
        site.wait(lambda: len(site.said("run failed")) >= 2)
    site.environment["AWS_ACCESS_KEY_ID"] = person
    assert site.ask("snapshot", "--source", "aws:test", "--reason", "it works for me").returncode == 0
    (by_hand,), scheduled = site.runs(trigger="adhoc"), site.runs(trigger="schedule")
    assert (by_hand["outcome"], {run["reason"] for run in scheduled}) == ("collected", {"denied"})
    sheets = [site.answer("run", "show", run["id"])["run"] for run in (by_hand, scheduled[0])]
    assert [sheet["principal"]["id"].rpartition("/")[2] for sheet in sheets] == [person, daemon]
    total = site.answer("coverage", "--from", "2020-01-01", "--kind", "aws.kms.keys")["total"]
    assert (total["collected"], total["failed"] >= len(scheduled)) == (0, True)


def test_nothing_is_read_under_a_plan_that_names_other_settings(desk):
    """9: while a reload waits for a source, a run would be made with the new settings and say the old ones."""
    asked, answer = threading.Event(), threading.Event()

    class Slow(PaperSession):
        def scopes(self):
            asked.set()
            answer.wait(10)
            return super().scopes()

    desk.clock.move(timedelta(minutes=58))
    desk.paper.open = lambda *_: Slow(desk.paper)
    reload = threading.Thread(target=desk.dispatcher.reload, args=[desk.configure('run_limit = "7m"')])
    reload.start()
    assert asked.wait(10)
    desk.pass_time(timedelta(minutes=2))
    assert len(runs(desk)) == 1
    answer.set()
    reload.join()
    desk.tick()
    assert len(runs(desk)) == 2
    planned = {plan.version: plan.document["sources"][0]["config"] for plan in desk.store.plans()}
    assert {(run.provenance.plan_version, run.provenance.config) for run in runs(desk)} == set(planned.items())


def test_a_schedule_that_nobody_keeps_is_missed_and_not_quiet(desk):
    """10: The scheduled set was silently empty; the person who owned the schedule left and it stopped."""
    desk.dispatcher.stop()
    left = desk.clock.now() + timedelta(minutes=1)
    desk.clock.move(timedelta(days=7, minutes=30))
    found = covered(desk, left, desk.clock.now(), kind="paper.users")
    assert (found.total.due, found.total.missed) == (7 * 24, 7 * 24)
    assert [gap.cause for gap in found.gaps] == ["no record"]


def test_kinds_that_would_silently_not_be_read_are_an_error(tmp_path):
    """10: a pattern that matches only what must be named in full would leave a source with nothing to read."""
    path = tmp_path / "evidenced.toml"
    path.write_text('[sources."stationer:hq"]\nkinds = ["stationer.shelves.d*"]\n')
    with pytest.raises(ConfigError, match=r"only optional kinds match; name them in full: stationer\.shelves\.dust"):
        load_config(path, {"stationer": Stationer()})
    path.write_text('[sources."stationer:hq"]\nkinds = ["stationer.shelves.dust", "stationer.shelves.p*"]\n')
    assert load_config(path, {"stationer": Stationer()}).sources


def test_seen_empty_and_never_seen_and_unknown_are_three_answers(desk):
    """11: Empty results were not stored at all; a missing connector was shown as "empty"."""
    desk.paper.world |= {"paper.users": [], ("paper.rooms", "annex"): Denied("no key")}
    desk.paper.buildings.append(Scope("annex", "building"))
    desk.pass_time(timedelta(hours=26), step=HOUR)
    run = runs(desk)[-1]
    assert (run.outcome, run.detail, run.population) == (Outcome.COLLECTED, Detail.EMPTY, population_root([]))
    (empty,) = as_of(desk.store, "paper.users", desk.clock.now(), now=desk.clock.now())
    assert (empty.run.id, empty.items) == (run.id, ())
    rooms = {
        each.subject.scope: each for each in as_of(desk.store, "paper.rooms", desk.clock.now(), now=desk.clock.now())
    }
    assert (rooms["annex"].run, bool(rooms["south"].run)) == (None, True)
    with pytest.raises(QueryError, match="knows no kind"):
        as_of(desk.store, "paper.cellars", desk.clock.now(), now=desk.clock.now())


def test_a_connector_that_is_not_installed_is_an_error_and_its_slots_are_missed(desk, capsys):
    """11: the paper vendor is no installed package here, so that the command line cannot load it."""
    assert evidenced(["run", "--config", str(desk.path)]) == 3
    assert 'no connector "paper" is installed' in capsys.readouterr().err
    asked = ["--from", "2026-03-15", "--to", "2026-03-16", "--kind", "paper.users", "--json"]
    assert evidenced(["coverage", *asked, "--config", str(desk.path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["total"]["missed"], found["total"]["empty"]) == (24, 0)


def test_every_run_of_a_day_stays_and_answers_for_its_own_time(desk):
    """12: Two runs on one day overwrote each other; the output folder was wiped by default."""
    seen = {}
    for role in ("reader", "admin", "reader"):
        desk.clock.move(timedelta(minutes=1))
        desk.paper.world["paper.users"] = [{"id": "ana", "role": role}]
        seen[snapshot(desk, "paper.users").id] = (desk.clock.now(), role)
    desk.dispatcher.stop()
    desk.store.close()
    desk.store = open_store(desk.url, clock=desk.clock)
    desk.start()
    assert len(runs(desk)) == 4 == len({run.id for run in runs(desk)})
    for run, (at, role) in seen.items():
        assert desk.store.run(run).finished == at
        (item,) = desk.store.as_of("paper.users", at)
        assert json.loads(desk.store.artifact(item.artifact))["role"] == role


def test_history_has_no_last_n(desk):
    """13: History pruned to the last N."""
    for number in range(60):
        desk.paper.world["paper.users"] = [{"id": "ana", "number": number}]
        desk.pass_time(HOUR)
    versions = desk.store.history("paper.users", "ana")
    numbers = [json.loads(desk.store.artifact(each.artifact)).get("number") for each in versions]
    assert numbers == [None, *range(60)]
    assert len(runs(desk)) == 61


def test_removing_a_source_removes_nothing_that_was_recorded(desk):
    """13: removing a connection cascaded to its evidence. Its gaps stay, also those that nobody was there to record."""
    start = desk.clock.now()
    desk.paper.world["paper.users"] = Denied("no")
    desk.pass_time(HOUR)
    before, read = known(desk), runs(desk)
    desk.dispatcher.stop()
    desk.clock.move(timedelta(hours=3, minutes=30))
    desk.path.write_text(desk.path.read_text().replace("paper:hq", "paper:annex"))
    desk.dispatcher = Dispatcher(
        load_config(desk.path, {"paper": desk.paper}), {"paper": desk.paper}, desk.store, desk.clock
    )
    desk.dispatcher.start()
    removed = desk.clock.now()
    desk.paper.world["paper.users"] = []
    desk.pass_time(timedelta(hours=5), step=HOUR)
    assert {at: each for at, each in known(desk).items() if at[0] == SITE} == before
    assert [run for run in runs(desk) if run.subject == SITE] == read
    found = covered(desk, start, removed, source="paper:hq", kind="paper.users")
    assert (found.total.collected, found.total.failed, found.total.missed) == (1, 1, 3)
    assert covered(desk, removed, removed + 3 * HOUR, source="paper:hq").total.due == 0

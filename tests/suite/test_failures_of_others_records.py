"""How other tools lost the truth in what they kept, 14 to 17, 20, 25: the paper vendor and a store on both engines."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect

from collector import coverage, model
from collector.canonical import canonical, digest, population_root
from collector.cli.exits import run as evidenced
from collector.clock import iso
from collector.errors import Denied, IntegrityError
from collector.log import ledger
from collector.log.tables import metadata
from collector.model import Detail, Outcome, Period, Reason, Subject
from collector.population import as_of, difference, life
from collector.procedure import Kind
from collector.store import open_store, records
from tests.fakes.paper import USERS

HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)
EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
START = datetime(2026, 3, 14, tzinfo=UTC)
SITE = Subject("paper:hq", "paper.users", "site")


@pytest.fixture
def desk(desk):
    """A desk that has been read once, at 04:00 on the dot."""
    desk.clock.move(timedelta(minutes=50))
    desk.tick()
    return desk


def last(desk):
    return desk.store.runs(EVER, kind="paper.users", limit=1)[0]


def forms(desk, key="ana"):
    return [each.artifact for each in desk.store.history("paper.users", key)]


def redeclare(desk, **changes):
    """Let the vendor's next release declare its users otherwise, and the daemon take it up."""
    declared = USERS.model_dump(by_alias=True, exclude_defaults=True) | changes
    kind = Kind.model_validate(declared)
    known = dict(desk.paper.kinds())
    desk.paper.kinds = lambda: known | {kind.name: kind}
    desk.dispatcher.reload(desk.configure())
    return kind


@pytest.mark.parametrize("module", [model, coverage, records])
def test_no_record_is_satisfied_by_default(module):
    """14: The default value of an enum meant "satisfied"."""
    for name, each in vars(module).items():
        for field in fields(each) if is_dataclass(each) and isinstance(each, type) else ():
            if "Outcome" in str(field.type) or "Detail" in str(field.type):
                assert field.default in (MISSING, None), (name, field.name)
    for nothing in ("", None, 0):
        with pytest.raises(ValueError, match="is not a valid Outcome"):
            Outcome(nothing)


def test_a_failure_whose_record_was_lost_does_not_read_as_collected(desk):
    """14: what a sheet leaves out stands for a good run; so what was said of a failed one may not just go missing."""
    desk.paper.world["paper.users"] = Denied("no")
    desk.pass_time(HOUR)
    assert last(desk).outcome is Outcome.FAILED
    with desk.store._database.engine.begin() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("DROP TRIGGER evidenced_sweep_update")
        else:
            conn.exec_driver_sql("ALTER TABLE sweep DISABLE TRIGGER evidenced_sweep")
        conn.exec_driver_sql("UPDATE sweep SET notes = NULL")
    again = open_store(desk.url, clock=desk.clock)
    with pytest.raises(IntegrityError):
        again.runs(EVER, kind="paper.users", limit=1)
    again.close()


def test_another_name_for_the_same_thing_starts_nothing_anew(desk):
    """15: Renaming a label started a new stream of evidence."""
    before = forms(desk)
    renamed = redeclare(desk, title="People of the paper vendor", criteria=["CC6.2", "CC6.3"], every="30m")
    assert renamed.digest == USERS.digest
    desk.pass_time(HOUR)
    assert (last(desk).detail, last(desk).provenance.criteria) == (Detail.UNCHANGED, ("CC6.2", "CC6.3"))
    assert forms(desk) == before
    assert [each.subject for each in life(desk.store, "paper.users", "ana")] == [SITE]


def test_items_of_another_shape_need_no_migration(desk):
    """15: typed per-table schemas were migrated and took history with them."""
    (old,) = forms(desk)
    data = desk.store.artifact(old)
    tables = inspect(desk.store._database.engine).get_table_names()
    redeclare(desk, list="GET /v2/users", volatile=[])
    desk.paper.world["paper.users"] = [{"id": "ana", "seen": 5, "groups": [{"id": 7}], "mail": None}]
    desk.pass_time(HOUR)
    assert (last(desk).counts.changed, last(desk).counts.added, last(desk).counts.removed) == (1, 0, 0)
    assert forms(desk)[0] == old
    assert desk.store.artifact(old) == data == canonical({"id": "ana"})
    assert inspect(desk.store._database.engine).get_table_names() == tables


def test_a_run_has_its_own_times_and_an_item_the_time_it_was_seen(desk):
    """16: One naive timestamp for the whole run; lookups by day only; stale rows stamped with today's date."""

    class Slow(list):
        def __iter__(self):
            for item in super().__iter__():
                desk.clock.move(timedelta(seconds=20))
                yield item

    desk.paper.world["paper.users"] = Slow([{"id": "ana", "role": "admin"}, {"id": "ben"}])
    desk.clock.move(timedelta(minutes=61))
    desk.tick()
    run = last(desk)
    assert iso(run.due) == "2026-03-14T05:00:00Z"
    assert run.due < run.started < run.finished <= run.recorded
    assert run.finished - run.started >= timedelta(seconds=40)
    assert {each.tzinfo for each in (run.due, run.started, run.finished, run.recorded)} == {UTC}
    first, second = desk.store.history("paper.users", "ana")
    assert first.end == second.start == run.finished
    for at, seen in ((run.finished - MS, first), (run.finished, second)):
        (item,) = desk.store.as_of("paper.users", at, key="ana")
        assert (item.artifact, item.start) == (seen.artifact, seen.start)
    with pytest.raises(TypeError):
        desk.store.as_of("paper.users", run.finished.replace(tzinfo=None))


def test_what_was_last_seen_days_ago_is_not_dated_today(desk):
    """16: stale rows stamped with today's date "without gaps"."""
    seen = last(desk)
    desk.paper.world["paper.users"] = Denied("no")
    desk.pass_time(timedelta(days=3), step=6 * HOUR)
    now = desk.clock.now()
    (population,) = as_of(desk.store, "paper.users", now, now=now)
    assert (population.run.id, population.run.finished, population.next) == (seen.id, seen.finished, None)
    assert [item.since for item in population.items] == [seen.finished]
    (form,) = life(desk.store, "paper.users", "ana")
    assert (form.first_seen, form.last_seen, form.ended) == (seen.finished, seen.finished, None)


def _deep():
    value = []
    for _ in range(400):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="no number"),
        pytest.param("\ud800", id="half a letter"),
        pytest.param(_deep(), id="nested too deeply"),
        pytest.param({1: "one"}, id="a name that is no text"),
        pytest.param(EVER.start.replace(tzinfo=None), id="a time without zone"),
        pytest.param(object(), id="no JSON"),
    ],
)
def test_what_has_no_digest_is_not_kept(desk, value):
    """17: A hash that could not be computed was saved as no hash."""
    before, leaves = forms(desk), len(list(desk.store.leaves()))
    desk.paper.world["paper.users"] = [{"id": "ana"}, {"id": "ben", "value": value}]
    desk.pass_time(HOUR)
    run = last(desk)
    assert (run.outcome, run.population) == (Outcome.FAILED, None)
    assert run.reason in (Reason.INVALID, Reason.INTERNAL)
    assert forms(desk) == before
    assert desk.store.history("paper.users", "ben") == []
    assert len(list(desk.store.leaves())) == leaves + 1


def test_no_table_has_room_for_a_missing_digest():
    """17: the columns that hold digests hold one in every row."""
    named = {"digest", "key_digest", "root", "hash"}
    columns = [column for table in metadata.tables.values() for column in table.columns if column.name in named]
    assert len(columns) >= 5
    assert [str(column) for column in columns if column.nullable] == []


def test_another_key_is_not_an_item_gone_and_an_item_new(desk, capsys):
    """20: Results compared across two engines with different keys gave false "resolved" items."""
    desk.paper.world["paper.users"] = [{"id": "ana", "mail": "ana@paper.test"}]
    desk.pass_time(HOUR)
    before = desk.clock.now()
    redeclare(desk, key="mail")
    desk.pass_time(HOUR)
    now = desk.clock.now()
    found = difference(desk.store, "paper.users", before, now, now=now)
    assert found.items == ()
    assert [(each.rekeyed, each.comparable) for each in found.subjects] == [(True, False)]
    assert [each.ending for each in life(desk.store, "paper.users", "ana")] == ["changed", "named otherwise"]
    asked = ["paper.users", "--from", iso(before), "--to", iso(now), "--config", str(desk.path)]
    assert evidenced(["diff", *asked]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "not compared, the procedure has named items by another key since" in printed
    desk.paper.world["paper.users"] = []
    desk.pass_time(HOUR)
    assert life(desk.store, "paper.users", "ana@paper.test")[-1].ending == "gone"


def test_both_database_engines_name_the_same_things_alike(desk):
    """20: what a run saw has one digest wherever it is kept."""
    item = digest(canonical({"id": "ana"}))
    assert forms(desk) == [item]
    assert last(desk).population == population_root([(digest(b"ana"), item)])


WRITER = """
import sys
from collector.clock import SystemClock
from collector.model import Subject
from collector.store import open_store
from tests.store.conftest import Hand

clock = SystemClock()
hand = Hand(open_store(sys.argv[1], clock=clock), Subject("paper:far", "paper.users", "site"))
print("ready", flush=True)
sys.stdin.readline()
for number in range(24):
    hand.see({"ana": {"number": number}}, clock.now())
"""


def test_many_writers_at_once_write_one_log(store, store_url):
    """25: Concurrent writers forked the hash chain (33 of 48 rows "tampered"): here another process and two threads."""
    from tests.store.conftest import Hand

    command = [sys.executable, "-c", WRITER, store_url]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "ready\n"

    def write(name):
        hand = Hand(store, Subject(name, "paper.users", "site"))
        for number in range(12):
            hand.see({"ana": {"number": number}}, START + number * HOUR)

    threads = [threading.Thread(target=write, args=[name]) for name in ("paper:near", "paper:here")]
    for each in threads:
        each.start()
    other.communicate("go\n", timeout=60)
    for each in threads:
        each.join()
    assert other.returncode == 0
    leaves = list(store.leaves())
    assert [leaf.index for leaf in leaves] == list(range(49))
    assert [leaf.payload["sweep"] for leaf in leaves[1:]] == list(range(1, 49))
    with store._database.reading() as conn:
        assert ledger.check(conn).size == 49
    written = [len(store.history("paper.users", "ana", source=f"paper:{name}")) for name in ("far", "near", "here")]
    assert written == [24, 12, 12]

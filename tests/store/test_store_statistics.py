"""The planner's statistics are made when there is something to count, and never at the price of anything else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from collector.errors import StoreError
from collector.upkeep import EVERY, Upkeep
from collector.verify import Verdict, verify
from tests.fakes.clock import PlayedClock


class Counted:
    """A store that counts how often it was analysed."""

    def __init__(self, store):
        self.store, self.sweeps_recorded, self.times = store, store.sweeps_recorded, 0

    def analyse(self):
        refused = self.store.analyse()
        self.times += 1
        return refused


@pytest.fixture
def upkeep(store, noon):
    """An upkeep of the store, what it counts, and the clock it goes by."""
    counted, clock = Counted(store), PlayedClock(noon)
    return Upkeep(counted, clock), counted, clock


def rows_known(store, table):
    """Return how many rows of *table* the planner believes in; None when it never looked."""
    with store._database.reading() as conn:
        if conn.dialect.name == "sqlite":
            there = conn.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")).scalar_one()
            said = there and conn.execute(text(f"SELECT max(stat) FROM sqlite_stat1 WHERE tbl = '{table}'")).scalar()
            return int(said.split()[0]) if said else None
        said = conn.execute(text(f"SELECT reltuples FROM pg_class WHERE oid = '{table}'::regclass")).scalar_one()
        return None if said < 0 else int(said)


def test_the_planner_knows_the_rows_after_the_store_was_analysed(store, hand, noon, hour):
    assert rows_known(store, "sweep") is None
    for number in range(3):
        hand.see({"a": {}}, noon + number * hour)
    assert store.analyse() == []
    assert rows_known(store, "sweep") == 3
    assert verify(store).verdict is Verdict.INTACT


def test_a_store_without_a_sweep_is_not_analysed(upkeep):
    keeping, counted, _ = upkeep
    keeping.tick()
    assert counted.times == 0


def test_a_store_is_analysed_after_its_first_sweep_after_ten_times_as_many_and_weekly(upkeep, hand, noon, hour):
    keeping, counted, clock = upkeep
    times = []
    for number in range(11):
        hand.see({"a": {}}, noon + number * hour)
        clock.move(timedelta(minutes=2))
        keeping.tick()
        times.append(counted.times)
    assert times == [1] * 9 + [2, 2]
    clock.move(EVERY)
    keeping.tick()
    keeping.tick()
    assert counted.times == 3


def test_a_store_that_is_away_is_analysed_when_it_is_back(upkeep, hand, noon):
    keeping, counted, clock = upkeep
    hand.see({"a": {}}, noon)
    there = counted.analyse

    def away():
        raise StoreError("the database is away")

    counted.analyse = away
    keeping.tick()
    counted.analyse = there
    clock.move(timedelta(minutes=2))
    keeping.tick()
    assert counted.times == 1

"""Contents of one family are packed with one dictionary, and are what they were."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from collector.canonical import canonical
from collector.errors import IntegrityError
from collector.model import Subject
from collector.store import open_store, tables
from collector.store.packing import TRAINED
from collector.verify import Verdict, verify

NOON, HOUR = datetime(2026, 3, 14, 12, tzinfo=UTC), timedelta(hours=1)
ROOT = Path(__file__).parents[2]
MANY = 200


def users(count, seed=1):
    """Return documents by key that have much in common, as those of a kind have."""
    rng = random.Random(seed)
    return {
        f"user{number}": {
            "Arn": f"arn:aws:iam::123456789012:user/user{number}",
            "Groups": rng.sample(["admins", "billing", "developers", "operators", "readers"], 3),
            "Keys": [{"AccessKeyId": f"{rng.getrandbits(64):016x}", "Status": "Active"}],
        }
        for number in range(count)
    }


@pytest.fixture
def rows(store):
    """What reads the rows of a table."""

    def read(table):
        with store._database.reading() as conn:
            return conn.execute(select(table).order_by(*table.primary_key)).all()

    return read


def of(documents, subject, hand):
    return [hand.of(subject).content(each) for each in documents.values()]


def test_contents_of_a_kind_that_come_in_number_share_a_dictionary_and_read_back(store, hand, rows):
    seen = users(MANY)
    hand.see(seen)
    (dictionary,) = rows(tables.dictionary)
    contents = [hand.content(each) for each in seen.values()]
    packed = {bytes(row.digest): row for row in rows(tables.artifact)}
    assert dictionary.family == hand.subject.kind
    assert {packed[each.digest].codec for each in contents} == {TRAINED + dictionary.id}
    assert [store.artifact(each.digest) for each in contents] == [each.data for each in contents]
    assert verify(store).verdict is Verdict.INTACT


def test_a_dozen_contents_are_a_dictionary_as_they_are(store, hand, rows, noon, hour):
    hand.see(users(12))
    later = users(12, seed=2)
    hand.see(later, noon + hour)
    packed = {bytes(row.digest): row for row in rows(tables.artifact)}
    assert len(rows(tables.dictionary)) == 1
    assert all(packed[hand.content(each).digest].codec == TRAINED + 1 for each in later.values())
    assert [store.artifact(hand.content(each).digest) for each in later.values()] == [*map(canonical, later.values())]
    assert verify(store).verdict is Verdict.INTACT


def test_very_few_contents_make_no_dictionary(hand, rows):
    hand.see(users(3))
    assert rows(tables.dictionary) == []


def test_contents_without_a_family_are_packed_by_themselves(store, hand, rows):
    bare = [type(each)(each.digest, each.data) for each in of(users(MANY), hand.subject, hand)]
    store.stage(bare)
    assert rows(tables.dictionary) == []
    assert store.artifact(bare[7].digest) == bare[7].data


def test_contents_without_anything_in_common_make_no_dictionary_that_gains_nothing(store, hand, rows):
    rng = random.Random(3)
    noise = {f"k{number}": {"v": rng.randbytes(300).hex()} for number in range(40)}
    hand.see(noise)
    plain = sum(len(row.bytes) for row in rows(tables.artifact))
    assert plain + sum(len(row.bytes) for row in rows(tables.dictionary)) < 40 * 700
    assert verify(store).verdict is Verdict.INTACT


def test_a_dictionary_is_used_by_the_next_writer_and_never_made_twice(store, store_url, hand, clock, rows):
    hand.see(users(MANY))
    with_it = open_store(store_url, clock=clock)
    later = users(MANY, seed=2)
    hand.__class__(with_it).see(later, NOON + HOUR)
    with_it.close()
    assert len(rows(tables.dictionary)) == 1
    codecs = {bytes(row.digest): row.codec for row in rows(tables.artifact)}
    assert {codecs[hand.content(each).digest] for each in later.values()} == {TRAINED + 1}
    assert verify(store).verdict is Verdict.INTACT


def test_what_comes_after_the_last_possible_dictionary_is_packed_by_itself(store, hand, rows, monkeypatch):
    monkeypatch.setattr("collector.store.dictionaries.MOST", 1)
    hand.see(users(MANY))
    other = hand.of(Subject("paper:hq", "paper.doors", "site"))
    other.see(users(MANY, seed=2))
    assert [row.family for row in rows(tables.dictionary)] == ["paper.users"]
    assert store.artifact(hand.content(users(MANY, seed=2)["user7"]).digest) == canonical(users(MANY, seed=2)["user7"])


def test_the_same_contents_make_the_same_dictionary(store, hand, rows, tmp_path, clock):
    hand.see(users(MANY))
    other = open_store(f"sqlite:///{tmp_path}/other.db", clock=clock)
    hand.__class__(other).see(users(MANY))
    with other._database.reading() as conn:
        assert [tuple(row) for row in conn.execute(select(tables.dictionary))] == [
            tuple(row) for row in rows(tables.dictionary)
        ]
    other.close()


def test_volatile_fields_of_later_days_are_packed_with_those_of_the_first(store, hand, noon, hour, rows):
    def used(day):
        return canonical({f"user{each}": {"Used": f"2026-03-{day}T0{each % 10}:00:00Z"} for each in range(60)})

    for day in (10, 11):
        hand.see({"a": {"v": day}}, noon + day * hour, volatile=used(day))
    packed = {row.id: row for row in rows(tables.artifact)}
    first, second = (packed[each.artifact] for each in rows(tables.volatile))
    assert first.codec == second.codec == TRAINED + 1
    assert len(second.bytes) < second.length / 10
    assert store.volatile(hand.subject, noon + 11 * hour)["user7"] == {"Used": "2026-03-11T07:00:00Z"}


@pytest.mark.parametrize("column", ["family", "digest", "bytes"])
def test_a_content_whose_dictionary_was_altered_is_not_read(store, hand, column):
    hand.see(users(MANY))
    content = hand.content(users(MANY)["user7"])
    with store._database.engine.begin() as conn:
        for statement in _without_guard(conn.dialect.name):
            conn.exec_driver_sql(statement)
        row = conn.execute(select(tables.dictionary)).one()
        value = getattr(row, column)
        altered = f"{value}x" if column == "family" else bytes(value)[:-1] + bytes([value[-1] ^ 1])
        conn.execute(tables.dictionary.update().values({column: altered}))
    with pytest.raises(IntegrityError):
        store.artifact(content.digest)
    found = verify(store)
    assert (found.verdict, found.differences[0].table) == (Verdict.ALTERED, "dictionary")


def _without_guard(engine):
    if engine == "sqlite":
        return ["DROP TRIGGER evidenced_dictionary_update"]
    return ["DROP TRIGGER evidenced_dictionary ON dictionary"]


@pytest.mark.parametrize("count", [3, MANY, 1200])
def test_a_population_stored_at_once_is_the_one_stored_item_by_item(store, hand, audit, count):
    """By COPY, by one statement, with a dictionary or without: what is recorded is the same."""
    seen = users(count)
    one, all_ = (hand.of(Subject(f"paper:{each}", "paper.users", "site")) for each in ("one", "all"))
    all_.see(seen, NOON)
    steps = list(seen.items())
    for upto in sorted({1, 2, count // 2, count}):
        one.see(dict(steps[:upto]), NOON + upto * HOUR)
    heads = [store.head(each.subject) for each in (one, all_)]
    assert heads[0].contents == heads[1].contents
    assert heads[0].keys == heads[1].keys
    assert heads[0].population == heads[1].population
    found = store.as_of("paper.users", NOON + 2 * count * HOUR, source="paper:all")
    assert {each.key: store.artifact(each.artifact) for each in found} == {
        key: canonical(document) for key, document in seen.items()
    }
    audit(store)


def test_two_runs_of_one_subject_in_a_sweep_follow_each_other(store, hand, audit, noon, hour):
    first = hand.saw(users(150), noon)
    head = store.head(hand.subject)
    head.contents = {each.key_digest: each.artifact for each in first.changes}
    head.keys = {each.key_digest: each.key for each in first.changes}
    head.population = first.run.population
    second = hand.saw(users(120, seed=2), noon + hour, head=head)
    hand.write(first, second)
    assert store.head(hand.subject).population == second.run.population
    audit(store)


STAGING = """
import sys, threading
from collector.clock import SystemClock
from collector.store import open_store
from tests.store.conftest import Hand
from tests.store.test_store_dictionaries import MANY, users

store = open_store(sys.argv[1], clock=SystemClock())
hand = Hand(store)
store.stage([hand.content(each) for each in users(MANY).values()])
print("staged", flush=True)
threading.Event().wait()
"""


def test_a_writer_that_dies_between_staging_and_its_sweep_leaves_contents_that_the_next_one_names(
    store, store_url, hand, rows, audit
):
    process = subprocess.Popen([sys.executable, "-c", STAGING, store_url], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "staged\n"
    process.kill()
    process.communicate()
    assert (len(rows(tables.artifact)), len(rows(tables.dictionary)), rows(tables.item)) == (MANY, 1, [])
    assert verify(store).verdict is Verdict.INTACT
    hand.see(users(MANY))
    assert len(rows(tables.dictionary)) == 1
    assert store.artifact(hand.content(users(MANY)["user7"]).digest) == canonical(users(MANY)["user7"])
    audit(store)

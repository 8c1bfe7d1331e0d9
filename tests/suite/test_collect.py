"""One run: what is read, what is recorded when it cannot be read, and what is never mistaken for the other."""

from __future__ import annotations

import threading
from datetime import timedelta

import orjson
import pytest

from collector.canonical import digest, population_root
from collector.collect import Task, collect
from collector.errors import (
    Denied,
    Misconfigured,
    NotEnabled,
    StoreError,
    Throttled,
    Truncated,
    Unavailable,
)
from collector.intake import STAGE_BYTES
from collector.model import Counts, Detail, Head, Outcome, Principal, Provenance, Reason, Scope, Subject, Trigger
from tests.fakes.clock import PlayedClock
from tests.fakes.paper import DOORS, USERS, Paper

SUBJECT = Subject("paper:hq", "paper.users", "site")
PROVENANCE = Provenance("paper", "1", "0", USERS.digest.hex(), "", 1)
ANA, BEN = {"id": "ana", "role": "admin"}, {"id": "ben", "role": "guest"}


@pytest.fixture
def clock():
    return PlayedClock()


def read(paper, clock, *, head=None, kind=USERS, trigger=Trigger.SCHEDULE, stage=lambda _: None, limit=60):
    session = paper.open("paper:hq", None, clock) if paper.opening is None else None

    def opening():
        if session is None:
            raise paper.opening
        return session, session.principal()

    subject = Subject("paper:hq", kind.name, "site")
    task = Task(subject, kind, Scope("site", "account"), clock.now(), trigger, PROVENANCE)
    return collect(
        opening,
        task,
        head or Head(subject),
        clock=clock,
        limit=timedelta(seconds=limit),
        stage=stage,
        stopping=threading.Event(),
    )


def head_after(observation):
    head = Head(observation.run.subject, observation.run.population, watermark=observation.run.watermark_after)
    head.contents = {change.key_digest: change.artifact for change in observation.changes}
    head.keys = {change.key_digest: change.key for change in observation.changes}
    return head


def test_a_first_reading_adds_every_item_and_names_who_asked(clock):
    run = (observation := read(Paper({"paper.users": [ANA, BEN]}), clock)).run
    assert (run.outcome, run.detail, run.counts) == (Outcome.COLLECTED, Detail.CHANGED, Counts(2, 2, 0, 0))
    assert run.principal == Principal("paper:reader", "site-1")
    assert run.operations[0].items == 2
    assert {orjson.loads(each.data)["id"] for each in observation.artifacts} == {"ana", "ben"}
    expected = {digest(orjson.dumps(each, option=orjson.OPT_SORT_KEYS)) for each in (ANA, BEN)}
    assert {each.digest for each in observation.artifacts} == expected
    assert run.population == population_root([(digest(b"ana"), digest(orjson.dumps(ANA))), _pair(BEN)])


def _pair(item):
    return digest(item["id"].encode()), digest(orjson.dumps(item, option=orjson.OPT_SORT_KEYS))


def test_the_same_state_again_is_unchanged_and_carries_no_bytes(clock):
    paper = Paper({"paper.users": [ANA, BEN]})
    head = head_after(first := read(paper, clock))
    paper.world["paper.users"] = [BEN, ANA]
    again = read(paper, clock, head=head)
    assert (again.run.detail, again.changes, again.artifacts) == (Detail.UNCHANGED, (), ())
    assert again.run.population == first.run.population


def test_a_change_and_a_removal_are_counted_and_the_rest_is_not_written_again(clock):
    paper = Paper({"paper.users": [ANA, BEN]})
    head = head_after(read(paper, clock))
    paper.world["paper.users"] = [{**ANA, "role": "guest"}]
    observation = read(paper, clock, head=head)
    assert observation.run.counts == Counts(items=1, added=0, changed=1, removed=1)
    assert {change.key: change.artifact is None for change in observation.changes} == {"ana": False, "ben": True}


def test_a_source_that_says_there_is_nothing_is_empty(clock):
    assert read(Paper({"paper.users": []}), clock).run.detail is Detail.EMPTY


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Denied("users:List is not allowed"), Reason.DENIED),
        (Throttled("slow down"), Reason.THROTTLED),
        (Unavailable("no answer"), Reason.UNAVAILABLE),
        (Truncated("a page cap"), Reason.TRUNCATED),
        (NotEnabled("switched off"), Reason.NOT_ENABLED),
        (Misconfigured("bad key"), Reason.MISCONFIGURED),
        (ValueError("a defect"), Reason.INTERNAL),
        (MemoryError(), Reason.INTERNAL),
    ],
)
def test_a_read_that_fails_in_the_middle_is_a_record_with_its_reason_and_changes_nothing(clock, error, reason):
    """Two items had come in before it failed; neither they nor the ones not reached may count."""
    head = head_after(read(Paper({"paper.users": [ANA, BEN]}), clock))
    observation = read(Paper({"paper.users": [{**ANA, "role": "x"}, error]}), clock, head=head)
    assert (observation.run.outcome, observation.run.reason) == (Outcome.FAILED, reason)
    assert (observation.changes, observation.artifacts, observation.run.population) == ((), (), None)
    assert observation.run.counts == Counts()
    assert observation.run.message


def test_a_source_that_cannot_be_opened_fails_the_run_with_that_reason(clock):
    paper = Paper()
    paper.opening = Misconfigured("no such profile")
    run = read(paper, clock).run
    assert (run.reason, run.message) == (Reason.MISCONFIGURED, "no such profile")


@pytest.mark.parametrize("item", [{"role": "x"}, {"id": ""}, {"id": None}, {"id": True}, ["id"], "ana"])
def test_an_item_without_a_key_makes_the_population_invalid(clock, item):
    assert read(Paper({"paper.users": [ANA, item]}), clock).run.reason is Reason.INVALID


def test_two_items_with_one_key_are_invalid_and_the_message_does_not_name_a_person(clock):
    run = read(Paper({"paper.users": [ANA, {**ANA, "role": "x"}]}), clock).run
    assert run.reason is Reason.INVALID
    assert "ana" not in run.message


def test_a_run_over_its_limit_is_unavailable_not_partial(clock):
    class Slow(list):
        def __iter__(self):
            for item in super().__iter__():
                clock.sleep(40)
                yield item

    run = read(Paper({"paper.users": Slow([ANA, BEN])}), clock, limit=60).run
    assert (run.reason, run.counts) == (Reason.UNAVAILABLE, Counts())
    assert "run_limit" in run.hint


def test_volatile_fields_do_not_change_the_digest_and_are_kept_once_a_day(clock):
    paper = Paper({"paper.users": [{**ANA, "seen": 1}]})
    first = read(paper, clock)
    assert orjson.loads(first.volatile) == {"ana": {"seen": 1}}
    head = head_after(first)
    head.volatile_day = clock.now().date().isoformat()
    paper.world["paper.users"] = [{**ANA, "seen": 2}]
    again = read(paper, clock, head=head)
    assert (again.run.detail, again.volatile) == (Detail.UNCHANGED, None)
    assert orjson.loads(read(paper, clock, head=head, trigger=Trigger.ADHOC).volatile) == {"ana": {"seen": 2}}
    clock.move(timedelta(days=1))
    assert read(paper, clock, head=head).volatile is not None


def test_a_secret_is_gone_before_the_digest_and_the_record_says_where(clock):
    secret = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----"
    observation = read(Paper({"paper.users": [{**ANA, "token": "abc", "note": secret}]}), clock)
    (artifact,) = observation.artifacts
    assert b"abc" not in artifact.data
    assert b"MIIEvQ" not in artifact.data
    assert {each.path for each in observation.run.redactions} == {"token", "note"}


def test_a_secret_in_an_error_message_is_not_recorded(clock):
    error = Unavailable("GET https://user:hunter2hunter2@paper.test/users failed")
    assert "hunter2hunter2" not in read(Paper({"paper.users": error}), clock).run.message


def test_new_contents_are_staged_when_they_grow_and_are_not_carried_twice(clock):
    big = [{"id": str(n), "text": "x" * (STAGE_BYTES // 4)} for n in range(6)]
    staged = []
    observation = read(Paper({"paper.users": big}), clock, stage=staged.extend)
    carried = [each.digest for each in (*staged, *observation.artifacts)]
    assert len(staged) >= 4
    assert sorted(carried) == sorted({change.artifact for change in observation.changes})


def test_the_stores_trouble_is_not_recorded_as_the_sources(clock):
    def full(_):
        raise StoreError("disk full")

    with pytest.raises(StoreError):
        read(Paper({"paper.users": [{"id": "a", "text": "x" * STAGE_BYTES}]}), clock, stage=full)


def test_events_are_read_by_window_with_overlap_and_absence_removes_nothing(clock):
    paper = Paper({"paper.doors": [{"id": "e1", "at": 1}]})
    first = read(paper, clock, kind=DOORS)
    assert first.run.window.since == clock.now() - timedelta(days=7)
    clock.move(timedelta(hours=2))
    paper.world["paper.doors"] = [{"id": "e2", "at": 2}, {"id": "e2", "at": 2}]
    second = read(paper, clock, kind=DOORS, head=head_after(first))
    assert second.run.window.since == first.run.watermark_after - timedelta(hours=1)
    assert [(change.key, change.artifact is None) for change in second.changes] == [("e2", False)]
    assert second.run.watermark_after == second.run.window.until


def test_a_failed_event_run_leaves_the_watermark_where_it_was(clock):
    paper = Paper({"paper.doors": [{"id": "e1", "at": 1}]})
    head = head_after(read(paper, clock, kind=DOORS))
    run = read(Paper({"paper.doors": Denied("no")}), clock, kind=DOORS, head=head).run
    assert (run.watermark_before, run.watermark_after) == (head.watermark, None)


def test_events_older_than_the_horizon_are_recorded_as_lost(clock):
    paper = Paper({"paper.doors": []})
    head = head_after(read(paper, clock, kind=DOORS))
    clock.move(timedelta(days=10))
    run = read(paper, clock, kind=DOORS, head=head).run
    assert run.window.since == clock.now() - timedelta(days=7)
    assert "are lost" in run.message
    assert "2026-03-14" in run.message

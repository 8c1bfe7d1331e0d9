"""Plans, control sets, tags and snapshot requests: what was expected, claimed and asked for, as records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from collector.canonical import canonical, digest
from collector.errors import IntegrityError, QueryError
from collector.model import (
    Period,
    SnapshotRequest,
    Subject,
    Trigger,
)

EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
BYTES = {"sqlite": "BLOB)", "postgresql": "BYTEA)"}
PEOPLE = {"ana@example.com": {"name": "Ana"}, "bo@example.com": {"name": "Bo"}}


def test_a_sweep_that_answers_an_unknown_request_is_refused(hand):
    with pytest.raises(IntegrityError, match="request 7, which was never recorded"):
        hand.write(trigger=Trigger.ADHOC, request=7)


def test_a_request_is_pending_until_the_last_part_of_its_sweep(store, hand, clock, noon):
    wanted = SnapshotRequest("paper:hq", ("paper.users",), "the auditor asked", "Ana", clock.at)
    number = store.request_snapshot(wanted)
    assert store.pending_requests() == [replace(wanted, id=number)]
    hand.write(hand.saw({}), trigger=Trigger.ADHOC, request=number, part=0, last=False)
    assert len(store.pending_requests()) == 1
    hand.write(hand.failed(), trigger=Trigger.ADHOC, request=number, part=1)
    assert store.pending_requests() == []


def test_a_plan_under_a_wrong_digest_is_refused(store, noon):
    with pytest.raises(IntegrityError, match="plan document"):
        store.append_plan({"sources": []}, digest(b"else"), noon)


def test_plans_and_controls_come_back_in_order_with_their_validity(store, clock, noon, hour):
    for number in (1, 2):
        document = {"sources": [], "number": number}
        assert store.append_plan(document, digest(canonical(document)), noon + number * hour) == number
        assert store.append_controls(document, digest(canonical(document)), noon + number * hour) == number
    for records in (store.plans(), store.controls()):
        assert [(each.version, each.document["number"], each.valid_from) for each in records] == [
            (1, 1, noon + hour),
            (2, 2, noon + 2 * hour),
        ]
        assert records[0].recorded == clock.at


def test_subjects_of_a_plan_are_known_before_they_are_observed(store, noon):
    document = {
        "sources": [
            {
                "name": "paper:hq",
                "scopes": [{"name": "north", "level": "floor"}, {"name": "site", "level": "site"}],
                "kinds": [{"name": "paper.rooms", "level": "floor"}],
            }
        ]
    }
    store.append_plan(document, digest(canonical(document)), noon)
    assert store.subjects() == [Subject("paper:hq", "paper.rooms", "north")]


def test_tags_are_withdrawn_by_later_ones_and_never_edited(store, clock):
    first = store.append_tag("sha256:" + "0" * 64, "C-1", "shows the policy", "Ana")
    second = store.append_tag("sha256:" + "0" * 64, "C-1", "an old copy", "Bo", withdraws=first)
    tags = store.tags()
    assert [(tag.id, tag.actor, tag.withdraws, tag.at) for tag in tags] == [
        (first, "Ana", None, clock.at),
        (second, "Bo", first, clock.at),
    ]
    assert store.tags(control="C-2") == []
    with pytest.raises(QueryError, match="no tag 9"):
        store.append_tag("run:1-0", "C-1", "", "Ana", withdraws=9)

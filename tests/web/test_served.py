"""What tests of the API and the pages stand on: the world is as it says, and the application answers."""

from __future__ import annotations

import pytest

from collector.ask.samples import sample_of
from collector.verify import Verdict, verify
from tests.web.world import ENGAGEMENT, MARK, OTHER, failed_run


@pytest.mark.parametrize(
    ("who", "engagements"),
    [
        ("auditor", [ENGAGEMENT]),
        ("foreigner", [OTHER]),
        ("reader", [ENGAGEMENT, OTHER]),
        ("admin", [ENGAGEMENT, OTHER]),
    ],
)
def test_a_token_opens_what_its_role_sees(either, who, engagements):
    assert either.api(who).get("/api/v1/me").json()["engagements"] == engagements


def test_the_world_is_a_store_that_verifies(served):
    assert verify(served.store).verdict is Verdict.INTACT


def test_the_world_has_the_failure_and_the_sample_that_tests_walk_to(served):
    assert served.store.run(failed_run(served.store)).reason == "denied"
    assert sample_of(served.store, str(served.world.made.sample)).reproduced


def test_everything_of_the_other_engagement_is_marked(served):
    other = next(each for each in served.store.engagements() if each.name == OTHER)
    named = [text for each in served.store.subjects() if other.terms.holds(each) for text in (each.source, each.kind)]
    assert named and all(MARK in each for each in named)

"""Who had access: every kind that serves a control at an instant, by the control set of the time; and calendars."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from collector.ask.calendar import Cell, calendar
from collector.ask.coverage import Question
from collector.ask.standing import standing
from collector.canonical import canonical, digest
from collector.engagement import Examination, Terms
from collector.errors import QueryError
from collector.model import Outcome, Period, Scope, Subject
from collector.plan import Plan, PlannedKind, PlannedSource
from collector.tag import ControlSet
from tests.fakes.paper import DOORS

DAY = timedelta(days=1)
USERS, GUESTS, EVENTS = (
    Subject("paper:hq", kind, "site") for kind in ("paper.users", "paper.guests", "paper.doors")
)  # fmt: skip
ELSEWHERE = Subject("paper:branch", "paper.users", "site")


def controls(*kinds, valid_from=None):
    document = {
        "controls": [{"id": "C-1", "title": "Known and allowed people only", "criteria": ["CC6.1"], "kinds": kinds}]
    }
    if valid_from:
        document["controls"][0]["from"] = valid_from
    return ControlSet.of(document)


NONE = ControlSet(())


@pytest.fixture
def seen(store, hand, noon):
    """Users of two sources and guests, seen at noon; users also a day later, when one was gone."""
    hand.of(USERS).see({"ana": {}, "ben": {}}, noon)
    hand.of(GUESTS).see({"gil": {}}, noon)
    hand.of(ELSEWHERE).see({"eve": {}}, noon)
    hand.of(USERS).see({"ana": {}}, noon + DAY)
    return store


def held(found):
    return {
        (each.subject.source, each.subject.kind): [item.key for item in each.items] if each.run else None
        for each in found.populations
    }


def test_standing_shows_every_kind_of_a_control_across_sources_with_the_run_that_saw_it(seen, noon):
    found = standing(seen, controls("paper.users", "paper.guests"), "C-1", noon, now=noon + 2 * DAY)
    assert held(found) == {
        ("paper:branch", "paper.users"): ["eve"],
        ("paper:hq", "paper.guests"): ["gil"],
        ("paper:hq", "paper.users"): ["ana", "ben"],
    }
    assert all(each.run.finished <= noon for each in found.populations)


def test_standing_at_a_later_instant_is_what_the_run_before_it_saw(seen, noon):
    found = standing(seen, controls("paper.users"), "C-1", noon + DAY, now=noon + 2 * DAY)
    assert held(found)["paper:hq", "paper.users"] == ["ana"]


def test_what_was_not_observed_yet_has_no_run(seen, noon):
    found = standing(seen, controls("paper.*"), "C-1", noon - DAY, now=noon + DAY)
    assert set(held(found).values()) == {None}


def test_standing_shows_only_what_the_terms_have_in_scope(seen, noon):
    terms = Terms(Examination.TYPE_II, Period(noon, noon + DAY), sources=("paper:hq",))
    found = standing(seen, controls("paper.users"), "C-1", noon, now=noon + DAY, terms=terms)
    assert held(found) == {("paper:hq", "paper.users"): ["ana", "ben"]}


def test_a_pattern_that_no_kind_on_record_fits_is_named(seen, noon):
    found = standing(seen, controls("paper.guests", "stone.*"), "C-1", noon, now=noon + DAY)
    assert found.unseen == ("stone.*",)


def test_kinds_of_events_are_named_and_not_shown_as_standing(store, hand, noon, hour):
    doors, procedure = hand.of(EVENTS), hand.content(DOORS.document())
    store.stage([procedure])
    seen = doors.happened({"d1": {"at": "2026-03-14T11:00:00Z"}}, noon - hour, noon)
    made = replace(seen.run.provenance, procedure="sha256:" + procedure.digest.hex())
    doors.write(replace(seen, run=replace(seen.run, provenance=made)))
    found = standing(store, controls("paper.*"), "C-1", noon, now=noon + DAY)
    assert (found.populations, found.events) == ((), ("paper.doors",))


def test_the_control_set_that_was_in_force_at_the_instant_rules(seen, noon, hour):
    for at, kind in ((noon - hour, "paper.guests"), (noon + hour, "paper.users")):
        said = controls(kind).document()
        seen.append_controls(said, digest(canonical(said)), at)
    before = standing(seen, NONE, "C-1", noon, now=noon + DAY)
    after = standing(seen, NONE, "C-1", noon + hour, now=noon + DAY)
    assert [{kind for _, kind in held(each)} for each in (before, after)] == [{"paper.guests"}, {"paper.users"}]


def test_before_the_first_set_on_record_that_one_rules(seen, noon, hour):
    said = controls("paper.guests").document()
    seen.append_controls(said, digest(canonical(said)), noon + hour)
    assert set(held(standing(seen, NONE, "C-1", noon, now=noon + DAY))) == {("paper:hq", "paper.guests")}


@pytest.mark.parametrize(
    ("name", "at", "words"),
    [
        ("C-2", 0, "no control on record is called 'C-2'"),
        ("C-1", 0, "not in force"),
        ("C-1", 9, "has not come yet"),
    ],
)
def test_a_question_about_no_control_or_no_time_of_it_is_refused(seen, noon, name, at, words):
    later = controls("paper.users", valid_from="2026-03-15")
    with pytest.raises(QueryError, match=words):
        standing(seen, later, name, noon + at * DAY, now=noon + 2 * DAY)


def planned(store, noon):
    source = PlannedSource(
        "paper:hq", "paper", "1", "sha256:" + "e" * 64, "x", "UTC", "03:00", 0, (Scope("site", "site"),),
        (PlannedKind("paper.users", "site", "sha256:" + "d" * 64, "12h", False, ("CC6.1",), ""),),
    )  # fmt: skip
    plan = Plan((source,))
    store.append_plan(plan.document(), plan.digest, noon - DAY)


def test_a_calendar_has_a_cell_for_every_day_the_period_touches_and_says_the_worst_of_it(store, hand, noon):
    planned(store, noon)
    midnight = noon.replace(hour=0)
    hand.see({}, midnight)
    hand.see({}, noon)
    hand.write(hand.failed(midnight + DAY))
    question = Question(Period(midnight, noon + 3 * DAY), by="kind")
    found = calendar(store, question, now=midnight + 2 * DAY, grace=timedelta(hours=1))
    assert found.days == tuple(date(2026, 3, 14 + number) for number in range(4))
    [row] = found.rows
    assert row.cells == (Cell(2, 2), Cell(2, 0, 1, 1), Cell(), Cell())
    assert [each.worst for each in row.cells] == [Outcome.COLLECTED, Outcome.MISSED, None, None]


def test_rows_of_a_calendar_are_in_the_order_of_the_standard_with_its_titles(store, hand, noon):
    planned(store, noon)
    found = calendar(store, Question(Period(noon - DAY, noon)), now=noon, grace=timedelta(0))
    assert [(each.name, bool(each.title)) for each in found.rows] == [("CC6.1", True)]


def test_a_calendar_by_day_is_refused(store, noon):
    with pytest.raises(QueryError, match="days already"):
        calendar(store, Question(Period(noon - DAY, noon), by="day"), now=noon, grace=timedelta(0))

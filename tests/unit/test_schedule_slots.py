"""Which slots a plan expects, and a history of plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.cadence import Cadence
from collector.clock import from_ms, parse_instant, to_ms
from collector.model import Period, Scope, Slot, Subject
from collector.plan import Plan, PlannedKind, PlannedSource
from collector.schedule import exclusions, reigns, slots, slots_through

PENS = PlannedKind("stationer.pens", "branch", "sha256:00", "6h", events=False)
USERS = PlannedKind("stationer.users", "account", "sha256:01", "daily", events=False)
OWNERS = PlannedKind("stationer.owners", "account", "sha256:02", "daily", events=False)
SITE, NORTH, SOUTH = Scope("site", "account"), Scope("north", "branch"), Scope("south", "branch")
DAY = Period(parse_instant("2026-03-14"), parse_instant("2026-03-15"))


def source(name: str = "stationer:a", *, kinds: tuple[PlannedKind, ...] = (PENS, USERS), jitter_ms: int = 0,
           scopes: tuple[Scope, ...] = (SITE, NORTH, SOUTH), timezone: str = "UTC") -> PlannedSource:  # fmt: skip
    return PlannedSource(name, "stationer", "1", "sha256:ff", "1", timezone, "06:00", jitter_ms, scopes, kinds)


def plan(*sources: PlannedSource, version: int = 1, since: str | datetime | None = None) -> Plan:
    return Plan(sources, version, parse_instant(since) if isinstance(since, str) else since)


def shown(found: list[Slot]) -> list[str]:
    return [f"{slot.due:%d %H:%M} {slot.subject.kind.partition('.')[2]} {slot.subject.scope}" for slot in found]


def test_slots_come_by_due_time_then_by_subject() -> None:
    assert shown(list(slots(plan(source()), DAY))) == [
        "14 00:00 pens north",
        "14 00:00 pens south",
        "14 06:00 pens north",
        "14 06:00 pens south",
        "14 06:00 users site",
        "14 12:00 pens north",
        "14 12:00 pens south",
        "14 18:00 pens north",
        "14 18:00 pens south",
    ]


def test_kinds_of_a_source_fall_due_together_whatever_its_jitter() -> None:
    found = list(slots(plan(source(jitter_ms=421_905)), DAY))
    assert {slot.due - timedelta(milliseconds=421_905) for slot in found} == {
        parse_instant(f"2026-03-14T{hour}:00") for hour in ("00", "06", "12", "18")
    }


def test_a_source_can_be_asked_for_alone() -> None:
    both = plan(source("stationer:a"), source("stationer:b", jitter_ms=1))
    assert {slot.subject.source for slot in slots(both, DAY)} == {"stationer:a", "stationer:b"}
    assert {slot.subject.source for slot in slots(both, DAY, "stationer:b")} == {"stationer:b"}
    assert list(slots(both, DAY, "stationer:c")) == []


def test_excluded_kinds_and_scopes_have_slots_too() -> None:
    closed = replace(SOUTH, excluded="closed")
    skipped = replace(USERS, excluded="excluded by the configuration: stationer.users")
    with_exclusions = plan(source(kinds=(PENS, skipped), scopes=(SITE, NORTH, closed)))
    assert list(slots(with_exclusions, DAY)) == list(slots(plan(source()), DAY))


def test_a_kind_without_a_scope_of_its_level_has_no_slots() -> None:
    assert {slot.subject.kind for slot in slots(plan(source(scopes=(SITE,))), DAY)} == {"stationer.users"}


def test_nothing_is_due_in_a_period_that_is_empty_or_backwards() -> None:
    assert list(slots(plan(source()), Period(DAY.start, DAY.start))) == []
    assert list(slots(plan(source()), Period(DAY.end, DAY.start))) == []


def test_each_plan_rules_from_its_validity_until_the_next_ones() -> None:
    history = [
        plan(source(kinds=(PENS,)), version=1, since="2026-03-14T03:00"),
        plan(source(kinds=(USERS,)), version=2, since="2026-03-14T12:00"),
        plan(source(kinds=(replace(OWNERS, cadence="12h"),)), version=3, since="2026-03-14T18:00"),
    ]
    two_days = Period(DAY.start, parse_instant("2026-03-15T12:00"))
    expected = ["14 06:00 pens north", "14 06:00 pens south", "15 00:00 owners site"]
    assert shown(list(slots_through(history, two_days))) == expected
    assert shown(list(slots_through(history[::-1], two_days))) == expected


def test_a_slot_on_the_instant_of_a_change_is_of_the_new_plan() -> None:
    history = [
        plan(source(kinds=(PENS,)), version=1, since="2026-03-14"),
        plan(source(kinds=(replace(USERS, cadence="6h"),)), version=2, since="2026-03-14T12:00"),
    ]
    assert shown(list(slots_through(history, Period(parse_instant("2026-03-14T11:59"), DAY.end)))) == [
        "14 12:00 users site",
        "14 18:00 users site",
    ]


def test_before_the_first_plan_nothing_was_due() -> None:
    history = [plan(source(), since="2026-03-15")]
    assert list(slots_through(history, DAY)) == []
    assert list(slots_through([], DAY)) == []


def test_a_plan_recorded_while_the_clock_was_behind_still_follows_the_one_before() -> None:
    """Versions are in the order of recording; the later one rules from its own time on, whatever the older one says."""
    history = [
        plan(source(kinds=(PENS,)), version=1, since="2026-03-14"),
        plan(source(kinds=(PENS,)), version=2, since="2026-03-14T12:00"),
        plan(source(kinds=(USERS,)), version=3, since="2026-03-14T09:00"),
    ]
    assert [(each.version, reign.start.hour) for each, reign in reigns(history, DAY)] == [(1, 0), (3, 9)]


def test_a_plan_that_was_never_recorded_always_rules() -> None:
    assert list(slots_through([plan(source())], DAY)) == list(slots(plan(source()), DAY))


def test_the_plan_of_the_time_says_why_a_slot_was_not_to_be_read() -> None:
    closed = source(scopes=(SITE, NORTH, replace(SOUTH, excluded="closed")))
    excluded = exclusions([plan(closed, since="2026-03-14"), plan(source(), version=2, since="2026-03-14T12:00")])
    south = Subject("stationer:a", "stationer.pens", "south")
    assert excluded(Slot(south, parse_instant("2026-03-14T06:00"))) == "closed"
    assert excluded(Slot(south, parse_instant("2026-03-14T12:00"))) == ""
    assert excluded(Slot(south, parse_instant("2026-03-13T12:00"))) == ""


YEAR_START = to_ms(parse_instant("2026-01-01"))
instants = st.integers(0, 60 * 86_400_000).map(lambda ms: from_ms(YEAR_START + ms))
kinds = st.builds(
    PlannedKind,
    name=st.sampled_from(["stationer.a", "stationer.b", "stationer.c"]),
    level=st.sampled_from(["account", "branch"]),
    procedure=st.just("sha256:00"),
    cadence=st.sampled_from(["hourly", "5h", "daily", "weekly", "30 2 * * *", "0 0 31 * *"]),
    events=st.booleans(),
)
sources = st.builds(
    source,
    st.sampled_from(["stationer:a", "stationer:b"]),
    kinds=st.lists(kinds, min_size=1, max_size=3, unique_by=lambda kind: kind.name).map(tuple),
    jitter_ms=st.integers(0, 600_000),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
plans = st.lists(sources, max_size=2, unique_by=lambda each: each.name).map(lambda found: plan(*found))
histories = st.lists(st.tuples(plans, instants), min_size=1, max_size=4).map(
    lambda found: [replace(each, version=number, valid_from=at) for number, (each, at) in enumerate(found, start=1)]
)


@settings(deadline=None)
@given(histories, instants, instants, instants)
def test_a_period_split_anywhere_has_the_slots_of_the_whole(
    history: list[Plan], one: datetime, two: datetime, three: datetime
) -> None:
    start, middle, end = sorted((one, two, three))
    whole = list(slots_through(history, Period(start, end)))
    parts = [*slots_through(history, Period(start, middle)), *slots_through(history, Period(middle, end))]
    assert parts == whole


@settings(deadline=None)
@given(histories, instants, instants, instants, instants)
def test_overlapping_and_nested_periods_agree_where_they_overlap(
    history: list[Plan], one: datetime, two: datetime, three: datetime, four: datetime
) -> None:
    first, second = Period(*sorted((one, two))), Period(*sorted((three, four)))
    both = Period(max(first.start, second.start), min(first.end, second.end))
    for each in (first, second):
        found = [slot for slot in slots_through(history, each) if both.start <= slot.due < both.end]
        assert found == list(slots_through(history, both))


@settings(deadline=None)
@given(histories, instants, instants)
def test_slots_are_ascending_each_once_and_the_same_every_time(
    history: list[Plan], one: datetime, two: datetime
) -> None:
    period = Period(*sorted((one, two)))
    found = list(slots_through(history, period))
    assert all((a.due, a.subject) < (b.due, b.subject) for a, b in pairwise(found))
    assert all(period.start <= slot.due < period.end for slot in found)
    assert found == list(slots_through(tuple(reversed(history)), period))


@settings(deadline=None)
@given(histories, instants, instants)
def test_sources_do_not_change_each_others_slots(history: list[Plan], one: datetime, two: datetime) -> None:
    period = Period(*sorted((one, two)))
    together = sorted(slots_through(history, period))
    alone = [slot for name in ("stationer:a", "stationer:b") for slot in slots_through(history, period, name)]
    assert sorted(alone) == together


@settings(deadline=None)
@given(histories, instants, instants)
def test_a_slot_is_due_when_the_plan_of_that_instant_says_so(history: list[Plan], one: datetime, two: datetime) -> None:
    """The oracle asks every plan for all of its slots and keeps those that fell while it was the highest valid one."""
    period = Period(*sorted((one, two)))
    expected = []
    for each in history:
        for planned in each.sources:
            for subject, kind, _ in planned.subjects():
                cadence = Cadence.parse(kind.cadence, planned.timezone, planned.daily_at)
                for due in cadence.occurrences(period, planned.offset):
                    valid = [other.version for other in history if other.valid_from and other.valid_from <= due]
                    if max(valid, default=0) == each.version:
                        expected.append(Slot(subject, due))
    assert sorted(slots_through(history, period)) == sorted(expected)

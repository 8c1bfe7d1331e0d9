"""Coverage out of the pages of the slot ledger is, slot for slot and gap for gap, that of the arithmetic over runs."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from collector.ask.calendar import calendar
from collector.ask.coverage import GROUPINGS, Question, coverage
from collector.ask.plans import recorded_plans
from collector.canonical import canonical, digest
from collector.coverage import gaps, outcomes, tally
from collector.grouping import by_control, by_criterion, by_day, by_kind, by_scope, by_source, tally_by
from collector.model import Detail, Missed, Outcome, Period, Reason, Scope, Subject, Trigger
from collector.plan import Plan, PlannedKind, PlannedSource
from collector.schedule import exclusions, slots, slots_through
from collector.store import Page, open_store
from collector.store.stretches import LONGEST, PAGE, Stretch
from collector.store.tables import slot_page
from collector.tag import ControlSet
from tests.fakes.clock import PlayedClock
from tests.unit.test_gaps import singly

MS, MINUTE, HOUR, DAY = (timedelta(**{each: 1}) for each in ("milliseconds", "minutes", "hours", "days"))
START = datetime(2026, 3, 28, tzinfo=UTC)  # a clock in Berlin goes forward within it
LENGTH = timedelta(hours=30)
KINDS = ("paper.often", "paper.now_and_then", "paper.daily")
CADENCES = ("hourly", "30m", "2h", "daily", "15 */5 * * *")
few = settings(
    max_examples=25,
    phases=(Phase.generate,),  # shrinking a life of a hundred sweeps takes longer than reading it
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

planned = st.fixed_dictionaries(
    {
        "cadences": st.tuples(*[st.sampled_from(CADENCES)] * len(KINDS)),
        "jitter": st.sampled_from([0, 0, 1, 90_000]),
        "excluded": st.sampled_from([(), (), ("paper.often",), KINDS]),
        "left_out": st.sampled_from([(), (), ("paper.now_and_then",)]),
    }
)
# What becomes of the slots that fall due together: mostly they are read, a few seconds later.
fates = st.lists(
    st.sampled_from(
        ["good"] * 12 + ["changed", "empty", "failed", "partly", "nothing", "named", "late", "twice", "early", "stray"]
    ),
    min_size=4,
    max_size=40,
)
asked = st.tuples(st.integers(-40, 31 * 60), st.integers(1, 32 * 60), st.integers(-120, 3 * 24 * 60))


class Diary:
    """Writes what becomes of one source's slots, and is asked for their coverage."""

    def __init__(self, store, new_hand):
        self.store, self.name = store, f"paper:{uuid.uuid4().hex}"
        self.hands = {kind: new_hand(store, Subject(self.name, kind, "site")) for kind in KINDS}
        self.hand = self.hands[KINDS[0]]
        self.number = 0

    def plan(self, at, choice):
        kinds = tuple(
            PlannedKind(
                kind, "site", "sha256:" + "d" * 64, cadence, False, ("CC6.1",) if "often" in kind else (),
                "not wanted" if kind in choice["excluded"] else "",
            )
            for kind, cadence in zip(KINDS, choice["cadences"], strict=True)
            if kind not in choice["left_out"]
        )  # fmt: skip
        source = PlannedSource(
            self.name, "paper", "1", "sha256:" + "e" * 64, "x", "Europe/Berlin", "03:00", choice["jitter"],
            (Scope("site", "site"),), kinds,
        )  # fmt: skip
        plan = Plan((source,))
        self.store.append_plan(plan.document(), plan.digest, at)
        return plan

    def live(self, plan, period, fates):
        """Let the slots of *period* come to *fates*, in turn."""
        due: dict[datetime, list[str]] = {}
        for slot in slots(plan, period):
            if not plan.excluded(slot.subject):
                due.setdefault(slot.due, []).append(slot.subject.kind)
        for number, (at, kinds) in enumerate(due.items()):
            getattr(self, fates[number % len(fates)])(at, kinds)

    def good(self, at, kinds, detail=Detail.UNCHANGED, **more):
        self.write(at, [self.collected(kind, at, detail) for kind in kinds], **more)

    def changed(self, at, kinds):
        self.number += 1
        self.good(at, kinds, Detail.CHANGED)

    def empty(self, at, kinds):
        self.good(at, kinds, Detail.EMPTY)

    def failed(self, at, kinds):
        reason = Reason.DENIED if at.hour % 2 else Reason.THROTTLED
        self.write(at, [self.refused(kind, at, reason) for kind in kinds])

    def partly(self, at, kinds):
        """In two parts, the last kind failing; then an ad hoc reading of it."""
        self.write(at, [self.collected(kind, at) for kind in kinds[:-1]], last=False)
        self.write(at, [self.refused(kinds[-1], at, Reason.UNAVAILABLE)], part=1)
        late = at + 11 * MINUTE
        self.write(late, [self.collected(kinds[-1], late, trigger=Trigger.ADHOC)], trigger=Trigger.ADHOC)

    def nothing(self, at, kinds):
        """Not a word: an interval of the whole source is recorded only where the hour is odd."""
        if at.hour % 2:
            self.store.append_missed(Missed(self.name, Period(at - MS, at + HOUR), "asleep", 1))
            self.write(at, [self.collected(kinds[0], at, trigger=Trigger.CATCH_UP, took=100 * MINUTE)])

    def named(self, at, kinds):
        subjects = tuple(self.hands[kind].subject for kind in kinds[:1])
        self.store.append_missed(Missed(self.name, Period(at, at + MS), "overtaken", 1, subjects))
        if kinds[1:]:
            self.write(at, [self.collected(kind, at) for kind in kinds[1:]])

    def late(self, at, kinds):
        """Read so slowly that other slots fell due meanwhile."""
        self.write(at, [self.collected(kind, at, took=95 * MINUTE) for kind in kinds])

    def twice(self, at, kinds):
        self.failed(at, kinds)
        self.good(at, kinds)
        self.good(at, kinds, Detail.EMPTY)

    def early(self, at, kinds):
        """Finished as the slot fell due, and the source no longer had all of it."""
        said = "3 events are lost: the source no longer keeps them"
        self.write(at, [self.collected(kind, at, took=0 * MS, message=said) for kind in kinds])

    def stray(self, at, kinds):
        """Scheduled runs of an instant that no plan names."""
        self.good(at + 7 * MINUTE, kinds)

    def collected(self, kind, at, detail=Detail.UNCHANGED, *, took=4_000 * MS, **more):
        hand = self.hands[kind]
        documents = {} if detail is Detail.EMPTY else {"a": {"v": self.number}}
        return hand.saw(documents, at, started=at, finished=at + took, **more)

    def refused(self, kind, at, reason):
        return self.hands[kind].failed(at, reason, finished=at + MINUTE, message=f"no: {reason}")

    def write(self, at, observations, **more):
        if observations:
            self.hand.write(*observations, **{"source": self.name, "due": at, **more})

    def judged(self, question, now, grace):
        """The same by the arithmetic over every run there is."""
        plans = recorded_plans(self.store)
        span = Period(question.period.start - 35 * DAY, min(question.period.end, now + MS))
        runs = [run for each in self.store.sweeps(Period(START - DAY, now + 99 * DAY), self.name) for run in each.runs]
        due = list(slots_through(plans, span, self.name))
        found = outcomes(due, runs, self.store.missed(span, self.name), exclusions(plans), now=now, grace=grace)
        seen = [(run.subject, run.finished, run.id) for run in runs if run.outcome is Outcome.COLLECTED]
        missing = gaps(found, seen, question.period, now=now)
        inside = [each for each in found if each.slot.due >= question.period.start]
        controls = [(each.valid_from, ControlSet.of(each.document)) for each in self.store.controls()]
        groups = {
            "criterion": by_criterion({"paper.often": ["CC6.1"]}), "control": by_control(controls), "kind": by_kind,
            "source": by_source, "scope": by_scope, "day": by_day,
        }[question.by]  # fmt: skip
        rows = tally_by(lambda *at: tuple(groups(*at)) or (f"(no {question.by})",), singly(inside), missing)
        return rows, tally(singly(inside), missing), tuple(missing), len(due) - len(found)


def test_coverage_from_pages_is_that_of_the_arithmetic(store, new_hand):
    """Whatever becomes of the slots; pages of three sweeps, so that most of it is in pages."""
    _dated_controls(store)
    store._sweeps.paging.size = 3

    @few
    @given(planned, planned, st.integers(0, 30), fates, st.lists(asked, min_size=3, max_size=3))
    def check(one, two, changed, fates, questions):
        diary = Diary(store, new_hand)
        switch = START + changed * HOUR
        diary.live(diary.plan(START, one), Period(START, switch), fates)
        diary.live(diary.plan(switch, two), Period(switch, START + LENGTH), fates)
        for number, (begin, length, ahead) in enumerate(questions):
            period = Period(START + begin * MINUTE, START + (begin + length) * MINUTE)
            now = max(period.start + MINUTE, START + LENGTH + ahead * MINUTE)
            question = Question(period, source=diary.name, by=GROUPINGS[(begin + number) % len(GROUPINGS)])
            found = coverage(store, question, now=now, grace=15 * MINUTE)
            rows, total, missing, pending = diary.judged(question, now, 15 * MINUTE)
            assert found.gaps == missing
            assert found.total == total
            assert {row.name: row.tally for row in found.rows} == rows
            assert found.pending == pending
            _calendar_is_coverage_by_day(store, question, now)

    check()


ROWS = {"criterion": ["CC6.1"], "control": ["C-1", "C-2"], "kind": KINDS}


def _calendar_is_coverage_by_day(store, question, now):
    """Each row, and the whole: the sums of a row that a question can be narrowed to are those of coverage by day."""
    by = question.by if question.by in ROWS else "source"
    found = calendar(store, replace(question, by=by), now=now, grace=15 * MINUTE)
    for name in ROWS.get(by, [question.source]):
        narrowed = coverage(store, replace(question, by="day", **{by: name}), now=now, grace=15 * MINUTE)
        counted = {row.name: row.tally for row in narrowed.rows if row.tally.due}
        cells = next((row.cells for row in found.rows if row.name == name), [])
        told = {day.isoformat(): cell for day, cell in zip(found.days, cells, strict=bool(cells)) if cell.due}
        assert told.keys() == counted.keys()
        for day, cell in told.items():
            assert all(getattr(cell, each) == getattr(counted[day], each) for each in COUNTED)


COUNTED = ("due", "collected", "failed", "missed", "excluded")


def test_a_full_page_is_written_with_the_sweep_that_fills_it(store, hand, noon, hour):
    for number in range(PAGE + 2):
        hand.see({"a": {}}, noon + number * hour, finished=noon + number * hour + timedelta(seconds=3))
    [page, end] = store.slot_pages(Period(noon, noon + 9 * PAGE * hour))[hand.subject.source]
    assert (len(page.sweeps), len(end.sweeps)) == (PAGE, 2)
    assert [each.slots for each in page.stretches[hand.subject]] == [PAGE]
    assert page.others == end.others == ()


def test_a_page_that_lies_outside_of_the_period_is_not_read(store, hand, noon, hour):
    for number in range(PAGE):
        hand.see({"a": {}}, noon + number * hour)
    assert store.slot_pages(Period(noon - 9 * hour, noon))[hand.subject.source] == []


def test_pages_that_another_process_wrote_are_not_written_again(store, store_url, hand, new_hand, noon):
    with_same = open_store(store_url, clock=PlayedClock())
    for number in range(2 * PAGE):
        writer = hand if number % 3 else new_hand(with_same)
        writer.see({"a": {}}, noon + number * HOUR)
    with_same.close()
    [page] = store.slot_pages(Period(noon, noon + 9 * PAGE * HOUR))[hand.subject.source]
    assert isinstance(page, Page)
    assert len(page.sweeps) == 2 * PAGE
    with store._database.reading() as conn:
        assert conn.execute(select(func.count()).select_from(slot_page)).scalar_one() == 2


def test_a_stretch_goes_on_through_as_many_pages_as_continue_it(store, hand, noon, hour):
    store._sweeps.paging.size = 4
    told = [Detail.EMPTY, *[Detail.UNCHANGED] * 6, *[Detail.CHANGED] * 4]
    for number, each in enumerate(told):
        at = noon + number * hour
        contents = {Detail.EMPTY: {}, Detail.CHANGED: {"a": {"v": number}}, Detail.UNCHANGED: {"a": {}}}[each]
        hand.see(contents, at, finished=at + timedelta(seconds=3 + number))
    page, _ = store.slot_pages(Period(noon, noon + 99 * hour))[hand.subject.source]
    [held] = page.held[hand.subject]
    stretch = held.stretch
    assert (stretch.slots, stretch.slowest) == (8, 10_000)
    assert list(held.runs()) == [run.id for run in reversed(store.runs(source=hand.subject.source))][:8]
    came = [Detail.EMPTY, Detail.CHANGED, *[Detail.UNCHANGED] * 5, Detail.CHANGED]
    single = [stretch.counts(number, number + 1) for number in range(8)]
    assert [list(Detail)[counts.index(1)] for counts in single] == came
    for start in range(8):
        for end in range(start, 9):
            assert stretch.counts(start, end) == tuple(came[start:end].count(each) for each in Detail)


STEP = 3_600_000


def stretch(first=0, slots=4, at=0, *, step=STEP, stride=1, position=0, slowest=9, letter="u"):
    single = slots == 1
    numbers = (first * STEP, 0 if single else step, slots, at, 0 if single else stride, position, slowest)
    return Stretch.of(numbers, letter, (slots,))


@pytest.mark.parametrize(
    ("before", "after", "slots"),
    [
        (stretch(), stretch(4, 3, 4), 7),
        (stretch(), stretch(4, 1, 4), 5),
        (stretch(slots=1), stretch(1, 3, 1), 4),
        (stretch(), stretch(5, 3, 4), None),
        (stretch(), stretch(4, 3, 5), None),
        (stretch(), stretch(4, 3, 4, position=1), None),
        (stretch(), stretch(4, 3, 4, step=2 * STEP), None),
        (stretch(), stretch(4, 3, 4, stride=2), None),
        (stretch(), stretch(4, 3, 4, slowest=STEP + 1), None),
        (stretch(slots=1), stretch(1, 1, 1), None),
        (stretch(slots=LONGEST - 3), stretch(LONGEST - 3, 3, LONGEST - 3), LONGEST),
        (stretch(slots=LONGEST - 2), stretch(LONGEST - 2, 3, LONGEST - 2), None),
    ],
)
def test_two_stretches_are_one_only_where_the_second_goes_on_as_the_first_does(before, after, slots):
    whole = before.and_then(after)
    assert (whole and whole.slots) == slots
    if whole:
        assert (whole.first, whole.last, whole.slowest) == (before.first, after.last, 9)
        assert (whole.letters, whole.lengths, whole.sums) == ("u", (slots,), (0, slots, 0))


def _dated_controls(store):
    for at, kind in ((START - DAY, "paper.often"), (START + 10 * HOUR + MINUTE, "paper.*")):
        controls = {
            "controls": [
                {"id": "C-1", "title": "Known and allowed people only", "criteria": ["CC6.1"], "kinds": [kind]},
                {"id": "C-2", "title": "For some hours of one day", "criteria": ["CC6.2"], "kinds": ["paper.*"]}
                | {"from": (START + 5 * HOUR).isoformat(), "to": (START + 20 * HOUR + MINUTE).isoformat()},
            ]
        }
        store.append_controls(controls, digest(canonical(controls)), at)

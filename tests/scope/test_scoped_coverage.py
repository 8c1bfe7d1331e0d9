"""An engagement's coverage through the scoped store is, to the last gap, its coverage through the whole one."""

from __future__ import annotations

import uuid
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from collector.ask.coverage import GROUPINGS, Question, coverage
from collector.ask.populations import over_period
from collector.canonical import canonical, digest
from collector.engagement import Dated, Engagement, Examination, Terms
from collector.errors import QueryError
from collector.model import Missed, Period, Reason, Scope, Subject, Trigger
from collector.plan import Plan, PlannedKind, PlannedSource
from collector.population import as_of
from tests.store.conftest import NOON, Hand

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
KINDS, SCOPES = ("paper.often", "paper.seldom"), ("lab", "site")
CRITERIA = ("CC6.1", "CC7.2", "A1.2")
few = settings(
    max_examples=20,
    phases=(Phase.generate,),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
some = st.lists(st.sampled_from(CRITERIA), max_size=2, unique=True).map(tuple)
# Of each source: what its kinds serve, which of them are read, and in which scopes.
plans = st.tuples(
    *[st.tuples(st.tuples(some, some), st.sampled_from([KINDS, KINDS[:1], KINDS[1:]]), st.sampled_from([SCOPES, SCOPES[:1], SCOPES[1:]]))]  # noqa: E501
    * 2
)  # fmt: skip
fates = st.lists(st.sampled_from(["good", "good", "changed", "failed", "partly", "down", "named", "nothing", "adhoc"]),
                 min_size=3, max_size=12)  # fmt: skip
terms = st.tuples(
    st.sampled_from([(), ("{0}",), ("{1}",), ("{0}", "{1}"), ("{0}*",), ("paper:none",)]),
    st.sampled_from([(), ("site",), ("lab",), ("s*", "lab"), ("none",)]),
    some,
    st.sampled_from([(), ("C-1",), ("C-2",)]),
)
asked = st.tuples(st.integers(-2, 10), st.integers(1, 12), st.sampled_from(["", "0", "1"]), st.sampled_from(["", *KINDS, "paper.*"]))  # noqa: E501  # fmt: skip


class Life:
    """Two sources with kinds in two scopes, and what becomes of their slots."""

    def __init__(self, store):
        self.store, self.number = store, 0
        self.sources = sorted(f"paper:{uuid.uuid4().hex}" for _ in range(2))

    def plan(self, at, choice):
        self.planned = {}
        for name, (serves, kinds, scopes) in zip(self.sources, choice, strict=True):
            self.planned[name] = [Subject(name, kind, scope) for kind in kinds for scope in scopes]
            found = tuple(
                PlannedKind(kind, "site", "sha256:" + "d" * 64, "hourly" if kind == KINDS[0] else "2h", False, served)
                for kind, served in zip(KINDS, serves, strict=True)
                if kind in kinds
            )
            self.planned[name] = PlannedSource(
                name, "paper", "1", "sha256:" + "e" * 64, "x", "UTC", "03:00", 0,
                tuple(Scope(each, "site") for each in scopes), found,
            )  # fmt: skip
        plan = Plan(tuple(self.planned.values()))
        self.store.append_plan(plan.document(), plan.digest, at)

    def live(self, first, hours, fates):
        for number in range(first, first + hours):
            for place, planned in enumerate(self.planned.values()):
                subjects = [subject for subject, _, _ in planned.subjects()]
                getattr(self, fates[(number + place) % len(fates)])(NOON + number * HOUR, subjects)

    def good(self, at, subjects, **more):
        self.write(at, [self.collected(each, at) for each in subjects], **more)

    def changed(self, at, subjects):
        self.number += 1
        self.good(at, subjects)

    def failed(self, at, subjects):
        self.write(at, [Hand(self.store, each).failed(at, finished=at + SECOND) for each in subjects])

    def partly(self, at, subjects):
        found = [self.collected(each, at) for each in subjects[1:]]
        self.write(at, [*found, Hand(self.store, subjects[0]).failed(at, Reason.THROTTLED, finished=at + SECOND)])

    def down(self, at, subjects):
        self.store.append_missed(Missed(subjects[0].source, Period(at, at + HOUR), "down", 1))

    def named(self, at, subjects):
        self.store.append_missed(Missed(subjects[0].source, Period(at, at + HOUR), "overtaken", 1, (subjects[0],)))
        self.write(at, [self.collected(each, at) for each in subjects[1:]])

    def nothing(self, at, subjects):
        """Not a word."""

    def adhoc(self, at, subjects):
        self.good(at + SECOND, subjects[-1:], trigger=Trigger.ADHOC)

    def collected(self, subject, at):
        return Hand(self.store, subject).saw({"a": {"v": self.number}}, at, finished=at + 4 * SECOND)

    def write(self, at, observations, **more):
        if observations:
            Hand(self.store, observations[0].run.subject).write(*observations, due=at, **more)


def engagement_of(life, held, period):
    sources, scopes, criteria, controls = held
    named = tuple(each.format(*life.sources) for each in sources)
    return Engagement(
        1, "e", (Dated(NOON, "Ana", Terms(Examination.TYPE_II, period, criteria, named, scopes, controls)),)
    )


def answer(ask, *arguments, **more):
    try:
        return ask(*arguments, **more)
    except QueryError as error:
        return error.message, error.hint()


def test_coverage_within_an_engagement_is_that_of_the_whole_store_with_its_terms(store):
    """Whatever is planned and becomes of it, and whatever is asked; pages of three sweeps, so that most is in pages."""
    store._sweeps.paging.size = 3
    controls = {
        "controls": [
            {"id": f"C-{n}", "title": "Known and allowed people only", "criteria": [CRITERIA[n]], "kinds": [kind]}
            for n, kind in ((1, "paper.often"), (2, "paper.*"))
        ]
    }
    store.append_controls(controls, digest(canonical(controls)), NOON - HOUR)

    @few
    @given(plans, plans, fates, terms, st.lists(asked, min_size=2, max_size=2))
    def check(one, two, fates, held, questions):
        life = Life(store)
        life.plan(NOON, one)
        life.live(0, 5, fates)
        life.plan(NOON + 5 * HOUR, two)
        life.live(5, 5, fates)
        for begin, length, source, kind in questions:
            period = Period(NOON + begin * HOUR, NOON + (begin + length) * HOUR)
            engagement = engagement_of(life, held, period)
            scoped, now = store.within(engagement), max(NOON + 11 * HOUR, period.start + HOUR)
            name = life.sources[int(source)] if source else ""
            for by in GROUPINGS:
                question = Question(period, name, kind, by=by, terms=engagement.terms)
                given = {"now": now, "grace": timedelta(minutes=15)}
                assert answer(coverage, scoped, question, **given) == answer(coverage, store, question, **given)
            for each in KINDS:
                given = {"now": now, "grace": timedelta(minutes=15)}
                found, expected = (answer(over_period, place, each, engagement, **given) for place in (scoped, store))
                assert found == expected or (isinstance(found, tuple) and isinstance(expected, tuple))
                mine = answer(as_of, scoped, each, now, now=now)
                every = answer(as_of, store, each, now, now=now)
                if isinstance(mine, list):
                    assert mine == [population for population in every if engagement.terms.holds(population.subject)]

    check()

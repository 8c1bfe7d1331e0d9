"""Retention on each engine: what goes is what brute force says that nobody needs; nothing contradicts afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from collector.act import UNBOUND, ActKind, NewAct
from collector.canonical import canonical, digest
from collector.engagement import Examination, Terms
from collector.errors import IntegrityError, Withheld
from collector.log.tables import log_leaf, metadata
from collector.model import Period, Subject
from collector.store import open_store
from collector.store.expiry import Term, find_expired
from collector.verify import Verdict, verify
from collector.verify.proofs import check_proof, parse_proof
from collector.verify.proving import prove
from tests.fakes.clock import PlayedClock
from tests.fakes.retained import BOXES
from tests.fakes.sealed import FIRST, Ring, SealedHand
from tests.store.conftest import NOON, Audit, Hand

ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
USERS, BRANCH = Subject("paper:hq", "paper.users", "site"), Subject("paper:hq", "paper.users", "branch")
DOORS, ROOMS = Subject("paper:hq", "paper.doors", "site"), Subject("paper:hq", "paper.rooms", "site")
LOGINS = Subject("paper:hq", "paper.logins", "site")
STATES, LENGTHS = (USERS, BRANCH, DOORS, ROOMS), {"paper.users": 400, "paper.doors": 100, "paper.logins": 200}
SEEN = st.dictionaries(st.sampled_from("abc"), st.integers(0, 4), max_size=3)
STEPS = st.lists(
    st.tuples(
        st.integers(1, 120),
        st.one_of(
            st.tuples(st.just("see"), st.tuples(st.sampled_from(STATES), SEEN)),
            st.tuples(st.just("happen"), st.lists(st.integers(0, 6), max_size=3)),
            st.tuples(st.just("begin"), st.tuples(st.integers(0, 500), st.integers(1, 200))),
            st.tuples(st.just("close"), st.none()),
            st.tuples(st.just("freeze"), st.integers(0, 6)),
            st.tuples(st.just("retain"), st.none()),
        ),
    ),
    max_size=25,
)


def content(value):
    return canonical({"v": value})


def terms_at(now):
    return [Term(kind, f"{days}d", now - days * DAY) for kind, days in LENGTHS.items()]


@dataclass
class Form:
    """A content as a subject had it, from *begins* until *ends*; None while it is open."""

    subject: Subject
    key: str
    value: int
    begins: datetime
    ends: datetime | None
    opened: datetime


@dataclass
class Oracle:
    """What must be gone: every form in memory, looked through one by one."""

    forms: list[Form] = field(default_factory=list)
    periods: dict[int, Period] = field(default_factory=dict)
    frozen: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    ever: set[int] = field(default_factory=set)

    def see(self, subject, documents, at):
        now = {each.key: each for each in self.forms if each.subject == subject and each.ends is None}
        for key, form in now.items():
            if documents.get(key) != form.value:
                form.ends = at
        for key, value in documents.items():
            if key not in now or now[key].value != value:
                self.open(Form(subject, key, value, at, None, at))

    def open(self, form):
        self.forms.append(form)
        self.gone.discard(form.value)

    def needed(self, form, now):
        days = LENGTHS.get(form.subject.kind)
        if days is None or form.ends is None or form.ends > now - days * DAY:
            return True
        return any(form.begins < each.end and form.ends > each.start for each in self.periods.values())

    def retain(self, now):
        for value in {each.value for each in self.forms} - self.frozen - self.ever:
            if not any(self.needed(each, now) for each in self.forms if each.value == value):
                self.gone.add(value)
                self.ever.add(value)


class Life:
    """Lives the steps in a store and in the oracle alike."""

    def __init__(self, url):
        self.clock, self.oracle = PlayedClock(NOON), Oracle()
        self.store = open_store(url, clock=self.clock)
        self.store.retaining.at_a_time = 2
        self.read, self.events = NOON - DAY, 0

    def see(self, what):
        subject, documents = what
        Hand(self.store, subject).see({key: {"v": value} for key, value in documents.items()}, self.clock.at)
        self.oracle.see(subject, documents, self.clock.at)

    def happen(self, values):
        since, self.read = self.read, self.clock.at
        named = {f"e{self.events + at}": value for at, value in enumerate(values)}
        self.events += len(values)
        hand = Hand(self.store, LOGINS)
        hand.write(hand.happened({key: {"v": value} for key, value in named.items()}, since, self.read))
        for key, value in named.items():
            ends = self.read + timedelta(milliseconds=1)
            self.oracle.open(Form(LOGINS, key, value, since, ends, self.read))

    def begin(self, what):
        ago, days = what
        start = self.clock.at - ago * DAY
        period = Period(start, start + days * DAY)
        self.oracle.periods[engage(self.store, period, f"soc2-{len(self.oracle.periods)}-{ago}")] = period

    def close(self, _):
        if self.oracle.periods:
            number = min(self.oracle.periods)
            self.store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", number)])
            del self.oracle.periods[number]

    def freeze(self, value):
        if self.oracle.periods:
            rows = canonical({"artifacts": [digest(content(value)).hex()]}) + b"\n"
            act = NewAct(ActKind.POPULATION, {"said": "frozen"}, "Ana", min(self.oracle.periods), data=rows)
            self.store.desk.record([act])
            self.oracle.frozen.add(value)

    def retain(self, _):
        list(self.store.retaining.retain(terms_at(self.clock.at), actor="Ana"))
        self.oracle.retain(self.clock.at)
        values = {each.value for each in self.oracle.forms}
        assert {each for each in values if withheld(self.store, content(each))} == self.oracle.gone


def engage(store, period, name="soc2"):
    """Begin an engagement over *period*, and return its number."""
    document = {"did": "created", "name": name, **Terms(Examination.TYPE_II, period).document()}
    return store.desk.record([NewAct(ActKind.ENGAGEMENT, document, "Ana", people=())])[0].id


def withheld(store, data):
    """Return why *data*, once recorded, cannot be shown; empty when it is."""
    try:
        assert store.artifact(digest(data)) == data
    except Withheld as why:
        return why.message
    return ""


def check(url, steps):
    life = Life(url)
    for days, (word, what) in [*steps, (1, ("retain", None))]:
        life.clock.move(days * DAY)
        getattr(life, word)(what)
    found = verify(life.store)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    Audit(life.store)
    life.store.close()
    return life.oracle


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_what_goes_is_what_nobody_needs(tmp_path_factory, steps):
    check(f"sqlite:///{tmp_path_factory.mktemp('random')}/evidence.db", steps)


def test_on_each_engine_a_long_random_life_keeps_what_is_needed(store_url):
    rng = random.Random(20261126)
    steps = []
    for _ in range(60):
        documents = {key: rng.randint(0, 40) for key in "abc" if rng.random() < 0.8}
        word, what = rng.choice(
            [
                ("see", (rng.choice(STATES[:3]), documents)),
                ("see", (rng.choice(STATES), documents)),
                ("happen", [rng.randint(0, 60) for _ in range(3)]),
                ("begin", (rng.randint(0, 500), rng.randint(1, 100))),
                ("close", None),
                ("close", None),
                ("freeze", rng.randint(0, 60)),
                ("retain", None),
            ]
        )
        steps.append((rng.randint(1, 60), (word, what)))
    oracle = check(store_url, steps)
    assert len(oracle.gone) > 5
    assert oracle.ever - oracle.gone, "something came back"


LIMIT = [Term(BOXES.kind, "400d", NOON - 400 * DAY)]


@pytest.fixture
def boxes(store):
    """A hand whose box had three forms; the first two ended more than 400 days ago."""
    hand = Hand(store, BOXES)
    for number in range(3):
        hand.see({"a": {"box": number}}, NOON - (500 - number) * DAY)
    return hand


def box(number):
    return canonical({"box": number})


def retain(store, terms=LIMIT):
    return list(store.retaining.retain(terms, actor="Ana"))


def test_without_terms_nothing_goes(store, boxes):
    assert (retain(store, []), store.retaining.outlook([])) == ([], [])
    assert not any(withheld(store, box(number)) for number in range(3))


def test_a_tombstone_of_a_range_says_what_when_why_and_by_whom(store, boxes):
    [retired] = retain(store)
    assert retired.subject == BOXES
    assert (retired.tombstone.count, retired.tombstone.reason, retired.tombstone.actor) == (2, "retention 400d", "Ana")
    with store._database.reading() as conn:
        row = conn.execute(select(metadata.tables["tombstone"])).one()
        leaf = conn.execute(select(log_leaf.c.kind).where(log_leaf.c.idx == row.leaf)).scalar_one()
    assert (row.until, row.item, row.person) == (int(LIMIT[0].limit.timestamp() * 1000), None, None)
    assert leaf == "tombstone"


def test_history_and_as_of_show_what_went_as_erased_and_never_as_absent(store, boxes):
    retain(store)
    forms = store.history(BOXES.kind, "a")
    assert [each.key for each in forms] == ["a", "a", "a"]
    for each in forms[:2]:
        with pytest.raises(Withheld, match=r"erased at .* by tombstone 1: retention 400d"):
            store.artifact(each.artifact)
    assert store.artifact(forms[2].artifact) == box(2)
    assert [each.artifact for each in store.as_of(BOXES.kind, NOON - 500 * DAY)] == [digest(box(0))]


def test_a_verification_says_intact_and_how_much_was_erased(store, boxes):
    retain(store)
    found = verify(store)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    assert found.remarks == ("erased, each by a tombstone: 2 contents, 0 items, 0 names of people",)


def test_a_run_that_saw_what_went_is_still_proved(store, boxes):
    def proofs():
        return [parse_proof(prove(store, each.id).data) for each in store.runs(limit=10)]

    before = proofs()
    retain(store)
    assert [(each.parts, each.leaf) for each in proofs()] == [(each.parts, each.leaf) for each in before]
    assert len([check_proof(each, []) for each in proofs()]) == 3


def test_the_outlook_counts_what_goes_and_changes_nothing(store, boxes):
    engage(store, Period(NOON - 499 * DAY, NOON - 498 * DAY), "soc2-2024")
    size = store.checkpoints.head().size
    [outlook] = store.retaining.outlook(LIMIT)
    # The second form was there in the period; the first had ended when it began.
    assert (outlook.contents, outlook.kept) == (1, {"soc2-2024": 1})
    assert outlook.bytes > 0
    assert store.checkpoints.head().size == size
    assert not any(withheld(store, box(number)) for number in range(3))


def test_what_an_open_engagement_needs_goes_when_it_is_closed(store, boxes):
    number = engage(store, Period(NOON - 600 * DAY, NOON - 450 * DAY))
    assert retain(store) == []
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", number)])
    assert [each.tombstone.count for each in retain(store)] == [2]


def test_an_event_that_may_have_happened_in_the_period_of_an_open_engagement_stays(store):
    hand, read = Hand(store, LOGINS), NOON - 500 * DAY
    hand.write(hand.happened({"e1": {"v": 1}}, read - 2 * DAY, read))
    limit = [Term(LOGINS.kind, "400d", NOON - 400 * DAY)]
    number = engage(store, Period(read - 9 * DAY, read - DAY))
    assert retain(store, limit) == []
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", number)])
    assert [each.tombstone.count for each in retain(store, limit)] == [1]


def test_a_content_that_another_subject_has_stays(store, boxes):
    Hand(store, ROOMS).see({"r": {"box": 0}}, NOON)
    assert [each.tombstone.count for each in retain(store)] == [1]
    assert (withheld(store, box(0)), bool(withheld(store, box(1)))) == ("", True)


def test_a_content_that_comes_again_is_kept_again(store, boxes):
    retain(store)
    boxes.see({"a": {"box": 0}}, NOON)
    assert (withheld(store, box(0)), bool(withheld(store, box(1)))) == ("", True)
    found = verify(store)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())


def test_a_content_that_was_staged_and_went_before_its_sweep_is_refused_rather_than_lost(store, boxes):
    store.stage([boxes.content({"box": 0})])
    seen = boxes.saw({"a": {"box": 0}}, NOON)
    retain(store)
    with pytest.raises(IntegrityError, match="neither given nor stored"):
        boxes.write(type(seen)(seen.run, seen.changes))
    boxes.write(seen)
    assert withheld(store, box(0)) == ""


def test_what_a_sweep_or_a_person_records_meanwhile_is_heeded(store, boxes):
    with store._database.reading() as conn:
        expired = find_expired(conn, LIMIT)
    some = next(iter(expired.artifacts.values()))
    boxes.see({"a": {"box": 0}}, NOON)
    with store._database.reading() as conn:
        assert expired.still(conn, some) == some[1:]
    engage(store, Period(NOON, NOON + DAY))
    with store._database.reading() as conn:
        assert expired.still(conn, some) is None


def test_an_engagement_that_begins_in_between_keeps_the_rest(store, boxes):
    store.retaining.at_a_time = 1
    retiring = store.retaining.retain(LIMIT, actor="Ana")
    next(retiring)
    engage(store, Period(NOON - 600 * DAY, NOON - 450 * DAY))
    assert list(retiring) == []
    assert [bool(withheld(store, box(number))) for number in range(3)] == [True, False, False]


@pytest.mark.parametrize("kind", sorted(UNBOUND))
def test_what_somebody_only_looked_at_or_was_let_in_for_goes_in_its_time(store, boxes, kind):
    number = engage(store, Period(NOON - DAY, NOON))
    [*act] = [NewAct(kind, {"said": digest(box(0)).hex()}, "Eva", number)]
    store.desk.record(act)
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", number)])
    assert [each.tombstone.count for each in retain(store)] == [2]
    assert verify(store).verdict is Verdict.INTACT


def test_reading_meanwhile_does_not_make_retention_begin_anew(store, boxes):
    number = engage(store, Period(NOON - DAY, NOON))
    with store._database.reading() as conn:
        expired = find_expired(conn, LIMIT)
    some = next(iter(expired.artifacts.values()))
    store.desk.record([NewAct(ActKind.ACCESS, {"did": "read"}, "Eva", number)])
    with store._database.reading() as conn:
        assert expired.still(conn, some) == some


@pytest.mark.parametrize("kind", sorted(set(ActKind) - {ActKind.ENGAGEMENT, ActKind.UPLOAD} - UNBOUND))
def test_what_an_act_of_a_closed_engagement_names_stays(store, boxes, kind):
    number = engage(store, Period(NOON - DAY, NOON))
    named = [{"said": digest(box(0)).hex()}, None], [{"said": "rows"}, digest(box(1)).hex().encode()]
    for document, data in named:
        store.desk.record([NewAct(kind, document, "Ana", number, number, data)])
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", number)])
    assert retain(store) == []


def test_sealed_contents_go_with_their_keys(store):
    store.sealing.keys.use(Ring(FIRST))
    hand = SealedHand(store, BOXES)
    for number in range(3):
        hand.see({"a": {"box": number}}, NOON - (500 - number) * DAY)
    assert [each.tombstone.count for each in retain(store)] == [2]
    found = verify(store)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    assert [each.key for each in store.history(BOXES.kind, "a")] == ["a", "a", "a"]


RETAINER = """
import sys
from datetime import datetime
from collector.clock import SystemClock
from collector.store import open_store
from collector.store.expiry import Term

store = open_store(sys.argv[1], clock=SystemClock(), create=False)
store.retaining.at_a_time = 3
print("ready", flush=True)
for each in store.retaining.retain([Term(sys.argv[2], "400d", datetime.fromisoformat(sys.argv[3]))], actor="Ana"):
    print(each.tombstone.id, flush=True)
"""


def test_a_retention_that_is_killed_has_done_what_it_told_and_goes_on(store, store_url):
    rng = random.Random(4711)
    hand = Hand(store, BOXES)
    for each in range(2):
        hand.see({f"box{number}": {"box": [each, number]} for number in range(90)}, NOON - (500 - each) * DAY)
    command = [sys.executable, "-c", RETAINER, store_url, BOXES.kind, LIMIT[0].limit.isoformat()]
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout.readline() == "ready\n"
        threading.Event().wait(rng.uniform(0.0, 0.15))
        process.kill()
        told = [line for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
        made = store.erasing.tombstones()
        assert len(made) >= max(map(int, told), default=0)
        gone = sum(bool(withheld(store, canonical({"box": [0, number]}))) for number in range(90))
        assert gone == sum(each.count for each in made) == 3 * len(made)
        assert verify(store).verdict is Verdict.INTACT
    retain(store)
    assert sum(each.count for each in store.erasing.tombstones()) == 90
    assert verify(store).verdict is Verdict.INTACT

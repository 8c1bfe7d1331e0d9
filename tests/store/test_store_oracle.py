"""What the store answers agrees with a memory that keeps every snapshot whole, whatever the populations' lives."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.canonical import canonical, digest, population_root
from collector.model import Outcome, Period, Subject

KEYS = ["ana", "bo", "cy", "di"]
MS = timedelta(milliseconds=1)
populations = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2).map(lambda value: {"v": value}))
steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2, 60_000, 3_600_000, 90_000_000]),  # ms since the step before
        st.lists(st.none() | populations, min_size=2, max_size=2),  # of each subject; None: the run fails
        st.sampled_from(["both", "first", "second"]),
        st.sampled_from([0, 0, 0, 500, 5_000_000]),  # ms by which the reading was late
    ),
    min_size=1,
    max_size=12,
)
questions = st.lists(st.integers(0, 13), min_size=4, max_size=4)
few = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@dataclass
class Memory:
    """Every observation of one subject, in order: when it finished, what it saw (None: it failed), its run's id."""

    seen: list[tuple[datetime, dict | None, str]] = field(default_factory=list)

    def good(self):
        return [(at, documents, run) for at, documents, run in self.seen if documents is not None]

    def at(self, instant):
        return next((documents for at, documents, _ in reversed(self.good()) if at <= instant), {})

    def around(self, instant):
        before = [run for at, _, run in self.good() if at <= instant]
        after = [run for at, _, run in self.good() if at > instant]
        return (before or [None])[-1], (after or [None])[0]

    def versions(self, key):
        found, last = [], None
        for at, documents, _ in self.good():
            now = documents.get(key)
            if now != last:
                if last is not None:
                    found[-1][1] = at
                if now is not None:
                    found.append([at, None, now])
            last = now
        return [tuple(each) for each in found]

    def changes(self, start, end):
        found, before = [], {}
        for at, documents, _ in self.good():
            if start <= at < end:
                found += [
                    (at, key, before.get(key), documents.get(key))
                    for key in KEYS
                    if before.get(key) != documents.get(key)
                ]
            before = documents
        return found


def live(store, new_hand, noon, life):
    """Write *life* to the store under a source of its own; return the subjects with what memory keeps of each."""
    source = f"paper:{uuid.uuid4().hex}"
    memories = {Subject(source, "paper.users", scope): Memory() for scope in ("north", "south")}
    clock = noon
    instants = [noon]
    for elapsed, seen, which, late in life:
        clock += elapsed * MS
        chosen = {"both": [0, 1], "first": [0], "second": [1]}[which]
        observed = [(list(memories)[number], seen[number]) for number in chosen]
        hands = [new_hand(store, subject) for subject, _ in observed]
        due = clock - late * MS
        observations = [
            hand.failed(clock, due=due) if documents is None else hand.saw(documents, clock, due=due)
            for hand, (_, documents) in zip(hands, observed, strict=True)
        ]
        receipt = hands[0].write(*observations)
        for (subject, documents), run in zip(observed, receipt.runs, strict=True):
            memories[subject].seen.append((clock, documents, run))
        instants.append(clock)
    return memories, instants


def documents_of(store, versions):
    return {each.key: json.loads(store.artifact(each.artifact)) for each in versions}


def document_of(store, artifact):
    return None if artifact is None else json.loads(store.artifact(artifact))


@few
@given(life=steps, asked=questions)
def test_populations_at_any_instant_agree_with_memory(store, new_hand, noon, life, asked):
    memories, instants = live(store, new_hand, noon, life)
    for number in asked:
        for at in (instants[number % len(instants)], instants[number % len(instants)] - MS):
            for subject, memory in memories.items():
                found = store.as_of("paper.users", at, source=subject.source, scope=subject.scope)
                assert documents_of(store, found) == memory.at(at)
                assert [each.key for each in found] == sorted(memory.at(at))
                one = store.as_of("paper.users", at, source=subject.source, scope=subject.scope, key="ana")
                assert documents_of(store, one) == {k: v for k, v in memory.at(at).items() if k == "ana"}
                around = tuple(run and run.id for run in store.observations(subject, at))
                assert around == memory.around(at)


@few
@given(life=steps, asked=questions)
def test_histories_and_changes_agree_with_memory(store, new_hand, noon, life, asked):
    memories, instants = live(store, new_hand, noon, life)
    for subject, memory in memories.items():
        named = {"source": subject.source, "scope": subject.scope}
        for key in KEYS:
            found = [
                (each.start, each.end, document_of(store, each.artifact))
                for each in store.history("paper.users", key, **named)
            ]
            assert found == memory.versions(key)
        for number in asked:
            start, end = sorted((instants[number % len(instants)], instants[asked[0] % len(instants)]))
            found = [
                (each.at, each.key, document_of(store, each.before), document_of(store, each.after))
                for each in store.changes(Period(start, end), kind="paper.users", **named)
            ]
            assert found == memory.changes(start, end)


@few
@given(life=steps, asked=questions)
def test_what_existed_in_a_period_agrees_with_memory_whole_and_page_by_page(store, new_hand, noon, life, asked):
    memories, instants = live(store, new_hand, noon, life)
    source = next(iter(memories)).source
    for number in asked:
        start, end = sorted((instants[number % len(instants)], instants[asked[0] % len(instants)] + MS))
        expected = {}
        for subject, memory in memories.items():
            for key in KEYS:
                forms = [
                    each for each in memory.versions(key) if each[0] < end and (each[1] is None or each[1] > start)
                ]
                if forms:
                    expected[subject, key] = (forms[0][0], forms[-1][1], forms[-1][2], len(forms))
        found = store.population(Period(start, end), kind="paper.users", source=source)
        assert {
            (each.subject, each.key): (each.since, each.gone, document_of(store, each.artifact), each.forms)
            for each in found
        } == expected
        paged, page = [], [None]
        while page:
            after = paged[-1].place if paged else None
            page = store.population(Period(start, end), kind="paper.users", source=source, after=after, limit=2)
            assert len(page) <= 2
            paged += page
        assert paged == found


@few
@given(life=steps)
def test_heads_and_runs_agree_with_memory(store, new_hand, noon, life):
    memories, instants = live(store, new_hand, noon, life)
    whole = Period(instants[0] - timedelta(days=1), instants[-1] + MS)
    swept = {}
    for subject, memory in memories.items():
        good = memory.good()
        head = store.head(subject)
        last = good[-1][1] if good else {}
        contents = {digest(key.encode()): digest(canonical(document)) for key, document in last.items()}
        assert head.contents == contents
        assert set(head.keys.values()) == set(last)
        assert head.population == (population_root(contents.items()) if good else None)
        swept.update({run: (at, documents) for at, documents, run in memory.seen})
    source = next(iter(memories)).source
    recorded = {run.id: run for sweep in store.sweeps(whole, source) for run in sweep.runs}
    assert recorded.keys() == swept.keys()
    for run, (at, documents) in swept.items():
        assert recorded[run].finished == at
        assert (recorded[run].outcome is Outcome.FAILED) == (documents is None)
    newest = [run.id for run in store.runs(source=source, limit=1000)]
    assert sorted(newest) == sorted(swept)
    for run in store.runs(source=source, limit=1000, outcome=Outcome.COLLECTED):
        contents = {digest(k.encode()): digest(canonical(v)) for k, v in swept[run.id][1].items()}
        assert run.population == population_root(contents.items())


def test_evidence_of_random_lives_adds_up_to_what_is_stored(store, new_hand, audit, noon):
    rng = random.Random(20261121)
    for _ in range(12):
        life = [
            (
                rng.choice([0, 1, 60_000, 3_600_000]),
                [
                    rng.choice([None, {key: {"v": rng.randrange(3)} for key in KEYS if rng.random() < 0.6}])
                    for _ in "ab"
                ],
                rng.choice(["both", "first", "second"]),
                rng.choice([0, 500]),
            )
            for _ in range(10)
        ]
        live(store, new_hand, noon, life)
    audit(store)


@few
@given(life=steps, asked=questions)
def test_a_period_gives_every_sweep_with_a_run_due_or_finished_in_it(store, new_hand, noon, life, asked):
    memories, instants = live(store, new_hand, noon, life)
    source = next(iter(memories)).source
    runs = store.runs(source=source, limit=1000)
    for number in asked:
        start, end = sorted((instants[number % len(instants)], instants[asked[0] % len(instants)]))
        expected = {
            int(run.id.partition("-")[0]) for run in runs if start <= run.due < end or start <= run.finished < end
        }
        found = [sweep.id for sweep in store.sweeps(Period(start, end), source)]
        assert expected <= set(found)
        assert found == sorted(found)
        due = [run.id for run in store.runs(Period(start, end), source=source, limit=1000)]
        assert due == [run.id for run in runs if start <= run.due < end]

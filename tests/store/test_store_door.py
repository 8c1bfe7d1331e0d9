"""Sweeps that wait for the writer at the same time are committed together, and fail alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import event

from collector.errors import IntegrityError
from collector.model import Head, Outcome, Reason, Subject
from collector.store import open_store, writing

WAITING = 6


@pytest.fixture
def commits(store):
    """The commits of writers so far, counted."""
    seen = []
    event.listen(store._database.engine, "commit", seen.append)
    return seen


def until(true):
    for _ in range(2000):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came to be")


@contextmanager
def together(store, sweeps):
    """Let threads append *sweeps* while the writer is busy, and give what each will come to."""
    with ThreadPoolExecutor(len(sweeps)) as pool:
        with store._database.writing():
            work = [pool.submit(store.append, sweeps[0])]
            until(lambda: store._door._passing.locked() and not store._door._waiting)
            work += [pool.submit(store.append, each) for each in sweeps[1:]]
            until(lambda: len(store._door._waiting) == len(sweeps) - 1)
        yield work


def test_sweeps_that_wait_together_are_committed_together_each_with_a_leaf(store, hand, audit, noon, commits):
    hands = [hand.of(Subject(f"paper:{number}", "paper.users", "site")) for number in range(WAITING)]
    sweeps = [each.sweep(each.saw({"a": {"of": each.subject.source}}, noon)) for each in hands]
    del commits[:]
    with together(store, sweeps) as work:
        receipts = [each.result() for each in work]
    assert len({each.leaf for each in receipts}) == len({each.sweep for each in receipts}) == WAITING
    assert len(commits) == 3  # the busy writer's, the one at the head of the line, the others
    for each, receipt in zip(hands, receipts, strict=True):
        assert store.last_sweep(each.subject.source) == receipt.sweep
        assert list(store.head(each.subject).keys.values()) == ["a"]
    audit(store)


def test_a_sweep_that_is_refused_does_not_take_the_others_with_it(store, hand, audit, noon):
    hands = [hand.of(Subject(f"paper:{number}", "paper.users", "site")) for number in range(WAITING)]
    sweeps = [each.sweep(each.saw({"a": {}}, noon)) for each in hands]
    wrong = hand.sweep(hand.saw({"a": {}}, noon), source="paper:another")
    with together(store, [*sweeps[:3], wrong, *sweeps[3:]]) as work:
        errors = [each.exception() for each in work]
    assert [type(each) for each in errors] == [type(None)] * 3 + [IntegrityError] + [type(None)] * 3
    assert store.last_sweep("paper:another") is None
    assert {store.last_sweep(each.subject.source) for each in hands} == set(range(1, WAITING + 1))
    audit(store)


def test_a_sweep_that_two_threads_append_is_recorded_once(store, hand, audit, noon):
    sweep = hand.sweep(hand.saw({"a": {}}, noon))
    with together(store, [sweep] * WAITING) as work:
        receipts = {each.result() for each in work}
    assert len(receipts) == 1
    audit(store)


@pytest.fixture
def day(hand, noon, hour):
    """Sweeps of three sources that share contents; one is read twice, once a run failed, and one content changed."""
    hands = [hand.of(Subject(f"paper:{number}", "paper.users", "site")) for number in range(3)]
    documents = {"a": {"v": 1}, "b": {"v": 2}}
    first = [each.saw(documents, noon, volatile=b'{"a":{"seen":1}}') for each in hands]
    head = Head(hands[0].subject)
    head.contents.update({each.key_digest: each.artifact for each in first[0].changes})
    head.keys.update({each.key_digest: each.key for each in first[0].changes})
    changed = hands[0].saw(documents | {"b": {"v": 3}}, noon + hour, head=head)
    failed = hands[1].failed(noon + hour, reason=Reason.DENIED)
    return [
        *(each.sweep(one) for each, one in zip(hands, first, strict=True)),
        hands[0].sweep(changed),
        hands[1].sweep(failed),
    ]


@pytest.fixture
def alone(tmp_path, clock):
    """A store to which sweeps are appended one after the other."""
    with closing(open_store(f"sqlite:///{tmp_path}/alone.db", clock=clock)) as store:
        yield store


@pytest.fixture(params=[1, writing.MOST_CHANGES], ids=["in parts", "at once"])
def _most(request, monkeypatch):
    monkeypatch.setattr(writing, "MOST_CHANGES", request.param)


@pytest.mark.usefixtures("_most")
def test_what_is_written_together_is_what_would_be_written_one_by_one(store, alone, day, audit):
    receipts = store._append(day)
    assert receipts == [alone.append(each) for each in day]
    assert [each.payload for each in store.leaves(1)] == [each.payload for each in alone.leaves(1)]
    assert store._append(day) == receipts
    assert [each.outcome for each in store.runs(source="paper:1")] == [Outcome.FAILED, Outcome.COLLECTED]
    assert len(store.as_of("paper.users", day[-1].due)) == 6
    audit(store)

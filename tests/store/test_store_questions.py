"""What is answered of random lives agrees with a memory of everything that happened in them, question by question.

Lives of several sources, kinds and scopes: failures, events, late and ad hoc readings, slots that passed with and
without a record, plans that change, the store closed and opened in between.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from itertools import product

import pytest

from collector import population
from collector.ask.coverage import Question, coverage
from collector.model import Period, Subject
from tests.store.lives import KEYS, KINDS, SCOPES, SOURCES, Life

SEEDS = range(3)
STAGES, STEPS = 3, 14
LEAST = 1000  # questions of each life: with all lives, thousands on each engine
MS = timedelta(milliseconds=1)
GRACE = timedelta(minutes=5)
WORDS = ("due", "collected", "changed", "unchanged", "empty", "failed", "missed", "excluded")
GROUPS = {
    "source": lambda each: each.subject[0],
    "kind": lambda each: each.subject[1],
    "scope": lambda each: f"{each.subject[0]} {each.subject[2]}",
    "day": lambda each: each.due.date().isoformat(),
}


class Asking:
    """Asks the store of a life and its memory the same, and counts how often."""

    def __init__(self, life, rng):
        self.life, self.store, self.memory, self.rng = life, life.store, life.memory, rng
        self.now = life.clock.at
        self.asked = Counter()
        self.wanted = Counter()

    def same(self, what, found, expected, *context):
        assert found == expected, (what, *context)
        self.asked[what] += 1
        self.wanted[what] += bool(expected)

    def instant(self):
        at = self.rng.choice(self.life.instants) + self.rng.choice([-MS, 0 * MS, MS, timedelta(minutes=5)])
        return min(at, self.now)

    def period(self):
        start, end = sorted((self.instant(), self.instant()))
        return Period(start, end + MS)

    def document(self, artifact):
        return None if artifact is None else json.loads(self.store.artifact(artifact))

    def everything(self, times):
        for _ in range(times):
            kind = self.rng.choice(list(KINDS))
            self.populations(kind, self.instant())
            self.differences(kind, self.period())
            self.feed(self.period(), self.rng.choice([None, *KINDS]), self.rng.choice([None, *SOURCES]))
            self.runs(self.period(), self.rng.choice([None, *SOURCES]))
            self.coverage(self.period(), self.rng.choice(["", *SOURCES]), self.rng.choice(["", *KINDS]))
            self.lives(kind, self.rng.choice(KEYS))

    def heads(self):
        for subject in product(SOURCES, KINDS, SCOPES):
            head = self.store.head(Subject(*subject))
            found = {head.keys[key]: self.document(artifact) for key, artifact in head.contents.items()}
            self.same("head", found, self.memory.population(subject, self.now), subject)

    def populations(self, kind, at):
        subjects = self.memory.subjects(kind)
        if not subjects:
            return
        found = population.as_of(self.store, kind, at, now=self.now)
        assert [_plain(each.subject) for each in found] == subjects
        for subject, each in zip(subjects, found, strict=True):
            before, after = self.memory.around(subject, at)
            runs = (each.run and each.run.id, each.next and each.next.id)
            self.same("observations", runs, (before and before.run, after and after.run), subject, at)
            items = {item.key: self.document(item.artifact) for item in each.items}
            self.same("as-of", items, self.memory.population(subject, at), subject, at)
            still = {item.key: item.still_seen for item in each.items}
            expected = {
                key: None if after is None else after.known.get(key) == document
                for key, document in self.memory.population(subject, at).items()
            }
            self.same("still seen", still, expected, subject, at)

    def differences(self, kind, period):
        subjects = self.memory.subjects(kind)
        if not subjects:
            return
        found = population.difference(self.store, kind, period.start, period.end, now=period.end)
        for subject, each in zip(subjects, found.subjects, strict=True):
            runs = [self.memory.around(subject, at)[0] for at in (period.start, period.end)]
            assert each.comparable == all(runs)
            old, new = (self.memory.population(subject, at) for at in (period.start, period.end))
            expected = {
                key: (old.get(key), new.get(key))
                for key in old.keys() | new.keys()
                if all(runs) and old.get(key) != new.get(key)
            }
            items = {
                item.key: (self.document(item.before), self.document(item.after))
                for item in found.items
                if _plain(item.subject) == subject
            }
            self.same("difference", items, expected, subject, period)

    def feed(self, period, kind, source):
        found = [
            (each.at, _plain(each.subject), each.key, self.document(each.before), self.document(each.after))
            for each in self.store.changes(period, kind=kind, source=source)
        ]
        wanted = lambda subject: kind in (None, subject[1]) and source in (None, subject[0])  # noqa: E731
        self.same("feed", found, self.memory.changes(period.start, period.end, wanted), period, kind, source)

    def runs(self, period, source):
        found = [each.id for each in self.store.runs(period, source=source, limit=10_000)]
        expected = [
            each.run
            for each in self.memory.seen
            if period.start <= each.due < period.end and source in (None, each.subject[0])
        ]
        self.same("runs", sorted(found), sorted(expected), period, source)

    def lives(self, kind, key):
        expected = [
            (subject, *form) for subject in self.memory.subjects(kind) for form in self.memory.forms(subject, key)
        ]
        if expected:
            found = [
                (
                    _plain(each.subject),
                    self.document(each.artifact),
                    each.first_seen,
                    each.last_seen,
                    each.ended,
                    each.ending,
                )
                for each in population.life(self.store, kind, key)
            ]
            self.same("life", found, expected, kind, key)

    def coverage(self, period, source, kind):
        known = {subject[:2] for _, subjects in self.memory.plans for subject in subjects}
        if (source and source not in {each for each, _ in known}) or (kind and kind not in {each for _, each in known}):
            return
        by = self.rng.choice(list(GROUPS))
        question = Question(period, source=source, kind=kind, by=by)
        found = coverage(self.store, question, now=self.now, grace=GRACE)
        asked = lambda subject: source in ("", subject[0]) and kind in ("", subject[1])  # noqa: E731
        fates, pending = self.memory.fates(period.start, period.end, self.now, GRACE)
        groups = {}
        for each in filter(lambda each: asked(each.subject), fates):
            counts = groups.setdefault(GROUPS[by](each), Counter())
            counts.update(word for word in ("due", each.outcome, each.detail) if word)
        rows = {row.name: Counter({word: getattr(row.tally, word) for word in WORDS}) for row in found.rows}
        # A gap that only reaches into the period is among the rows too, with no slot of its own.
        self.same("slots", {name: +counts for name, counts in rows.items() if counts["due"]}, groups, period, by)
        if not source and not kind:
            self.same("pending", found.pending, pending, period)
        gaps = [
            (
                _plain(each.subject),
                each.period.start,
                each.period.end,
                str(each.outcome),
                each.reason and str(each.reason),
                each.slots,
                each.runs,
                each.ended_by,
            )
            for each in found.gaps
        ]
        wanting = [each for each in self.memory.gaps(period.start, period.end, self.now, GRACE) if asked(each[0])]
        self.same("gaps", gaps, wanting, period, source, kind)
        total = sum(groups.values(), Counter())
        self.same("tally", {word: getattr(found.total, word) for word in WORDS}, {word: total[word] for word in WORDS})


def _plain(subject):
    return subject.source, subject.kind, subject.scope


@pytest.mark.parametrize("seed", SEEDS)
def test_every_answer_agrees_with_the_memory_of_everything(store_url, clock, noon, seed):
    rng = random.Random(seed)
    life = Life(store_url, clock, rng, noon)
    asked, wanted = Counter(), Counter()
    for _ in range(STAGES):
        for _ in range(STEPS):
            life.go_on()
        life.restart()
        asking = Asking(life, rng)
        asking.heads()
        asking.everything(13)
        asked, wanted = asked + asking.asked, wanted + asking.wanted
    life.store.close()
    assert asked.total() >= LEAST, asked
    # A memory that is always empty would agree with a store that loses everything.
    assert all(wanted[what] >= asked[what] // 8 for what in asked if what != "pending"), wanted

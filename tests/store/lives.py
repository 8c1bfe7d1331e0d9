"""Random lives of an installation: they write to a store what happens, and to a `Memory` the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from collector.canonical import canonical, digest
from collector.model import Missed, Period, Reason, Scope, SnapshotRequest, Subject, Trigger
from collector.plan import Plan, PlannedKind, PlannedSource
from collector.store import open_store
from tests.store.conftest import Hand
from tests.store.remembered import Memory, Quiet, Seen

KEYS = ["ana", "bo", "cy", "di"]
SOURCES = ("paper:hq", "paper:annex", "paper:attic")
KINDS = {"paper.users": False, "paper.rooms": False, "paper.doors": True}  # whether it is an event kind
SCOPES = ("north", "south")
STEPS = {"30m": timedelta(minutes=30), "1h": timedelta(hours=1), "3h": timedelta(hours=3)}
MS = timedelta(milliseconds=1)
CAUSES = ("the daemon was not running", "the reading before had not finished")


class Life:
    """One installation. `go_on` lets a while pass and something happen; `restart` closes the store and opens it."""

    def __init__(self, url, clock, rng, start):
        self.url, self.clock, self.rng = url, clock, rng
        self.clock.at = start
        self.store = open_store(url, clock=clock)
        self.memory = Memory()
        self.instants = [start]
        self._accounted = dict.fromkeys(SOURCES, start)
        self.replan()

    def go_on(self):
        self.clock.move(self.rng.choice([MS, 7 * MS, timedelta(minutes=11), timedelta(minutes=40), timedelta(hours=4)]))
        self.instants.append(self.clock.at)
        for source in self.rng.sample(SOURCES, self.rng.randint(1, 2)):
            self._read(source)
        if self.rng.random() < 0.06:
            self.clock.move(MS)
            self.replan()
        if self.rng.random() < 0.15:
            self._snapshot(self.rng.choice(SOURCES))
        if self.rng.random() < 0.1:
            self._was_away(self.rng.choice(SOURCES))

    def restart(self):
        self.store.close()
        self.store = open_store(self.url, clock=self.clock)

    def replan(self):
        sources = []
        for name in sorted(self.rng.sample(SOURCES, self.rng.randint(2, 3))):
            kinds = [
                PlannedKind(
                    kind,
                    "site",
                    "sha256:" + "a" * 64,
                    self.rng.choice(list(STEPS)),
                    events,
                    ("CC6.1",),
                    "by the configuration" if self.rng.random() < 0.12 else "",
                )
                for kind, events in KINDS.items()
                if self.rng.random() < 0.85
            ]
            scopes = tuple(Scope(each, "site", "closed" if self.rng.random() < 0.08 else "") for each in SCOPES)
            jitter = self.rng.choice([0, 0, 1234])
            config = "sha256:" + "b" * 64
            sources.append(PlannedSource(name, "paper", "1", config, "", "UTC", "03:00", jitter, scopes, tuple(kinds)))
        document = Plan(tuple(sources)).document()
        self._version = self.store.append_plan(document, digest(canonical(document)), self.clock.at)
        planned = {
            (source.name, kind.name, scope.name): (STEPS[kind.cadence], source.offset, scope.excluded or kind.excluded)
            for source in sources
            for kind in source.kinds
            for scope in source.scopes
        }
        self.memory.plans.append((self.clock.at, planned))

    def _read(self, source):
        """Read what fell due since the last time: some of it, some late, some not, some of it without any record."""
        since, now = self._accounted[source], self.clock.at
        self._accounted[source] = now + MS
        slots = {}
        for subject, due, excluded in self.memory.expected(since, now + MS):
            if subject[0] == source and (not excluded or self.rng.random() < 0.05):
                slots.setdefault(subject, []).append(due)
        runs = []
        for subject, dues in slots.items():
            fate = self.rng.random()
            if fate < 0.65:
                trigger = Trigger.SCHEDULE if self.rng.random() < 0.8 else Trigger.CATCH_UP
                runs.append((subject, dues[-1], trigger))
            passed = dues[:-1] if fate < 0.65 else dues
            if passed and self.rng.random() < 0.7:
                self._passed(source, passed[0], passed[-1] + MS, [subject])
        self._sweep(source, runs)

    def _snapshot(self, source):
        self.clock.move(MS)
        kind = self.rng.choice(list(KINDS))
        request = SnapshotRequest(source, (kind,), "a look", "Ana", self.clock.at)
        asked = self.store.request_snapshot(request)
        runs = [((source, kind, scope), self.clock.at, Trigger.ADHOC) for scope in SCOPES]
        self._sweep(source, runs, trigger=Trigger.ADHOC, request=asked)

    def _was_away(self, source):
        start = self.clock.at - timedelta(minutes=self.rng.choice([20, 90, 300]))
        self._passed(source, start, start + timedelta(minutes=self.rng.choice([15, 60, 240])), None)

    def _passed(self, source, start, end, subjects):
        cause = self.rng.choice(CAUSES)
        named = None if subjects is None else tuple(Subject(*each) for each in subjects)
        self.store.append_missed(Missed(source, Period(start, end), cause, self._version, named))
        self.memory.quiet.append(Quiet(source, start, end, cause, None if subjects is None else tuple(subjects)))

    def _sweep(self, source, runs, **more):
        if not runs:
            return
        observed = [self._observe(*each) for each in sorted(runs)]
        hand = Hand(self.store, Subject(source, "", ""))
        trigger = Trigger.SCHEDULE if any(each[2] is Trigger.SCHEDULE for each in runs) else Trigger.CATCH_UP
        values = {"trigger": trigger, "plan_version": self._version, **more}
        receipt = hand.write(*(observation for observation, _ in observed), **values)
        for run, (_, seen) in zip(receipt.runs, observed, strict=True):
            self.memory.seen.append(Seen(run, **seen))

    def _observe(self, subject, due, trigger):
        """Return an observation of *subject* now, a moment after the last one, and what to remember of it."""
        at = self.clock.move(MS)
        self.instants.append(at)
        hand = Hand(self.store, Subject(*subject))
        seen = {"subject": subject, "due": due, "scheduled": trigger is Trigger.SCHEDULE, "finished": at}
        if self.rng.random() < 0.25:
            reason = self.rng.choice(list(Reason))
            nothing = {"documents": None, "known": None, "detail": None, "reason": str(reason)}
            return hand.failed(at, reason, due=due, trigger=trigger), seen | nothing
        before = self.memory.population(subject, at)
        documents = {key: {"v": self.rng.randrange(2)} for key in KEYS if self.rng.random() < 0.6}
        if self.rng.random() < 0.4:
            documents = dict(before)
        known = documents
        if KINDS[subject[1]]:
            known = before | documents
            # The window holds everything, so that what is known is all that ever happened.
            observation = hand.happened(documents, at - timedelta(days=30), at)
            observation = replace(observation, run=replace(observation.run, due=due, trigger=trigger))
        else:
            observation = hand.saw(documents, at, due=due, trigger=trigger)
        detail = "empty" if not documents else "unchanged" if known == before else "changed"
        return observation, seen | {"documents": documents, "known": known, "detail": detail, "reason": None}

"""A hand that observes: it compares documents with the last head, as the collector does, and writes sweeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from collector.canonical import canonical, digest, population_root
from collector.model import (
    Artifact,
    Counts,
    Detail,
    ItemChange,
    Observation,
    Outcome,
    Provenance,
    Reason,
    Run,
    Subject,
    Sweep,
    Trigger,
    Window,
)

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
PROVENANCE = Provenance("paper", "1.0", "0.1", "sha256:" + "a" * 64, "sha256:" + "b" * 64, 1, ("CC6.1",))


class Hand:
    """Writes to *store* what was seen of *subject* at a time; `run` and `sweep` make the records without writing."""

    def __init__(self, store, subject=Subject("paper:hq", "paper.users", "site")):
        self.store = store
        self.subject = subject

    def of(self, subject):
        return Hand(self.store, subject)

    def content(self, document):
        data = canonical(document)
        return Artifact(digest(data), data)

    def run(self, at=NOON, **more):
        values = {"due": at, "trigger": Trigger.SCHEDULE, "provenance": PROVENANCE, "started": at, "finished": at}
        return Run(**{"subject": self.subject, "outcome": Outcome.COLLECTED, **values, **more})

    def saw(self, documents, at=NOON, *, head=None, volatile=None, **more):
        """Return the observation of exactly *documents* (by key) at *at*."""
        head = head or self.store.head(self.subject)
        contents = {key: self.content(document) for key, document in documents.items()}
        now = {digest(key.encode()): content.digest for key, content in contents.items()}
        changes = [
            ItemChange(key, digest(key.encode()), content.digest)
            for key, content in contents.items()
            if head.contents.get(digest(key.encode())) != content.digest
        ]
        changes += [ItemChange(head.keys[key], key, None) for key in head.contents.keys() - now.keys()]
        added = sum(change.key_digest not in head.contents for change in changes)
        gone = sum(change.artifact is None for change in changes)
        run = self.run(
            at,
            counts=Counts(len(contents), added, len(changes) - added - gone, gone),
            detail=Detail.EMPTY if not contents else Detail.CHANGED if changes else Detail.UNCHANGED,
            population=population_root(now.items()),
            **more,
        )
        return Observation(run, tuple(changes), tuple(contents.values()), volatile)

    def happened(self, events, since, until, *, head=None):
        """Return the observation of *events* (by id) in the window, as an event kind is read."""
        head = head or self.store.head(self.subject)
        contents = {key: self.content(document) for key, document in events.items()}
        now = {digest(key.encode()): content.digest for key, content in contents.items()}
        changes = [
            ItemChange(key, digest(key.encode()), content.digest)
            for key, content in contents.items()
            if head.contents.get(digest(key.encode())) != content.digest
        ]
        run = self.run(
            until,
            counts=Counts(len(contents), len(changes)),
            detail=Detail.CHANGED if changes else Detail.UNCHANGED if contents else Detail.EMPTY,
            population=population_root(now.items()),
            window=Window(since, until),
            watermark_before=head.watermark,
            watermark_after=until,
        )
        return Observation(run, tuple(changes), tuple(contents.values()), events=True)

    def failed(self, at=NOON, reason=Reason.DENIED, **more):
        """Return the observation of a run that failed at *at*."""
        return Observation(self.run(at, **{"outcome": Outcome.FAILED, "reason": reason, "message": "no", **more}))

    def sweep(self, *observations, **more):
        due = max((each.run.due for each in observations), default=NOON)
        values = {"source": self.subject.source, "due": due, "trigger": Trigger.SCHEDULE, "plan_version": 1}
        return Sweep(observations=tuple(observations), **{**values, **more})

    def write(self, *observations, **more):
        """Append the sweep of *observations* and return its receipt."""
        return self.store.append(self.sweep(*observations, **more))

    def see(self, documents, at=NOON, **more):
        """Append a sweep that saw exactly *documents*, and return its receipt."""
        return self.write(self.saw(documents, at, **more))


@pytest.fixture
def hand(store):
    """A hand that observes one subject and writes to the store, on each engine in turn."""
    return Hand(store)


@pytest.fixture
def noon():
    """The instant at which most tests begin."""
    return NOON


@pytest.fixture
def hour():
    """One hour."""
    return timedelta(hours=1)


@pytest.fixture
def new_hand():
    """What makes a hand for a store and a subject."""
    return Hand

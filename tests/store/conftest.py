"""A hand that observes: it compares documents with the last head, as the collector does, and writes sweeps."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from collector.canonical import canonical, digest, population_root
from collector.log import ledger
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
from collector.store import tables
from collector.store.commitments import stored_root
from collector.verify import Verdict, verify

USERS = Subject("paper:hq", "paper.users", "site")
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
PROVENANCE = Provenance("paper", "1.0", "0.1", "sha256:" + "a" * 64, "sha256:" + "b" * 64, 1, ("CC6.1",))


class Hand:
    """Writes to *store* what was seen of *subject* at a time; `run` and `sweep` make the records without writing."""

    def __init__(self, store, subject=USERS):
        self.store = store
        self.subject = subject

    def of(self, subject):
        return Hand(self.store, subject)

    def content(self, document):
        data = canonical(document)
        return Artifact(digest(data), data, self.subject.kind)

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


@pytest.fixture
def audit():
    """What recomputes a whole store from its evidence and fails where anything does not fit (`Audit`)."""
    return Audit


class Audit:
    """Recomputes everything of *store*: the tree, what each sweep's leaf commits to, populations, intervals."""

    def __init__(self, store):
        self.store = store
        found = verify(store)
        assert (found.verdict, found.differences) == (Verdict.INTACT, ())
        with store._database.reading() as conn:
            ledger.check(conn)
            self._leaves_commit_to_sweeps(conn)
            self._populations_add_up(conn)

    def _leaves_commit_to_sweeps(self, conn):
        leaves = [leaf for leaf in ledger.leaves(conn) if leaf.kind == "sweep"]
        rows = conn.execute(select(tables.sweep).order_by(tables.sweep.c.id)).all()
        assert [leaf.payload["sweep"] for leaf in leaves] == [row.id for row in rows] == list(range(1, len(rows) + 1))
        for leaf, row in zip(leaves, rows, strict=True):
            assert (leaf.index, leaf.at_ms, leaf.payload["due"]) == (row.leaf, row.recorded, row.due)
            root = stored_root(conn, self.store._names, self.store._sweeps, row)
            assert root.hex() == leaf.payload["root"]
            runs = self.store._sweeps.runs(conn, row.id)
            assert len(runs) == sum(leaf.payload["runs"].values())

    def _populations_add_up(self, conn):
        """Replay every change: each state's count and root, and the intervals, must come out as they are stored."""
        names = dict(conn.execute(select(tables.artifact.c.id, tables.artifact.c.digest)).all())
        keys = dict(conn.execute(select(tables.item.c.id, tables.item.c.key_digest)).all())
        population, versions = {}, {}
        for state in conn.execute(select(tables.population_state).order_by(tables.population_state.c.id)):
            items = population.setdefault(state.subject, {})
            steps = conn.execute(select(tables.change).where(tables.change.c.state == state.id)).all()
            for step in steps:
                assert items.get(step.item) == step.before
                if step.before is not None:
                    versions[state.subject, step.item][-1][2] = state.at
                    del items[step.item]
                if step.artifact is not None:
                    items[step.item] = step.artifact
                    opened = [state.id, state.at, None, step.artifact]
                    versions.setdefault((state.subject, step.item), []).append(opened)
            if state.since is None:
                assert len(items) == state.count
                assert population_root((keys[i], names[a]) for i, a in items.items()) == state.root
        stored = {}
        query = select(tables.item_version).order_by(tables.item_version.c.state)
        for row in conn.execute(query):
            version = [row.state, row.since, row.until, row.artifact]
            stored.setdefault((row.subject, row.item), []).append(version)
        assert stored == versions


@pytest.fixture
def wire(postgresql_url):
    """A TCP address of the PostgreSQL server that can be cut and mended; `url` leads through it."""
    wire = Wire(postgresql_url.rpartition("host=")[2])
    wire.url = (
        f"postgresql://postgres:correct-horse@127.0.0.1:{wire.port}/{postgresql_url.split('/')[3].partition('?')[0]}"
    )
    yield wire
    wire.cut()


class Wire:
    """Forwards a TCP port to the server's Unix socket, until it is cut; when muted, it is cut by the next answer."""

    def __init__(self, folder):
        self._path = f"{folder}/.s.PGSQL.5432"
        self.port = 0
        self.mend()

    def mend(self):
        self._open = []
        self.muted = False
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self):
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener):
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._path)
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one, other):
        with suppress(OSError):
            while data := one.recv(65536):
                if self.muted and one.family == socket.AF_UNIX:
                    return self.cut()
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        return None

"""A store with at least one row of everything, built once and copied for each case, and a hand that alters it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from collector.access import Role
from collector.act import ActKind, NewAct
from collector.ask.access import grant, record_reads, revoke
from collector.canonical import canonical, digest, population_root
from collector.checkpoints import Checkpointer
from collector.engagement import Examination, Terms
from collector.model import (
    Artifact,
    Counts,
    Detail,
    ItemChange,
    Missed,
    Observation,
    OperationCalls,
    Outcome,
    Period,
    Principal,
    Provenance,
    Reason,
    Run,
    SnapshotRequest,
    Subject,
    Sweep,
    Trigger,
    Window,
)
from collector.signer import FileSigner
from collector.store import open_store
from collector.store.slot_pages import PAGE
from collector.verify import verify
from tests.fakes.authority import TimeStampAuthority
from tests.fakes.backup import beside, copy_database
from tests.fakes.clock import PlayedClock
from tests.fakes.retained import live_retained
from tests.fakes.sealed import live_sealed

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
USERS = Subject("paper:hq", "paper.users", "site")
EVENTS = Subject("paper:hq", "paper.events", "site")
LONER = Subject("paper:branch", "paper.users", "site")
PROVENANCE = Provenance("paper", "1.0", "0.1", "sha256:" + "a" * 64, "sha256:" + "b" * 64, 1, ("CC6.1",))


class Site:
    """A store on *url* that grows: what is seen, missed, claimed, signed. `held` is its last checkpoint, kept aside."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.clock = PlayedClock(NOON)
        (folder / "authority").mkdir()
        self.authority = TimeStampAuthority(folder / "authority", clock=self.clock.now)
        self.authority.certify(NOON - YEAR, NOON + YEAR)
        self.users, self.hour = USERS, HOUR
        self.held, self.held_size = b"", 0
        self.memory = folder / "signer.json"
        self.open()

    def open(self):
        self.store = open_store(self.url, clock=self.clock)
        self.signer = FileSigner([f"file:{self.folder}/one.key"], self.memory)
        self.checkpointer = Checkpointer(self.store, self.signer, self.clock)

    def live(self):
        live(self)

    def put_aside(self, suffix):
        """Keep a copy of the database as it is; return what puts it back."""
        aside = beside(self.url, suffix)
        self.close()
        copy_database(self.url, aside)
        self.open()

        def put_back():
            self.close()
            copy_database(aside, self.url)
            self.open()

        return put_back

    def see(self, subject, documents, *, volatile=None, **sweep):
        """Record the sweep that saw exactly *documents* of *subject*."""
        head = self.store.head(subject)
        contents = {key: _content(document) for key, document in documents.items()}
        now = {digest(key.encode()): content.digest for key, content in contents.items()}
        changes = [
            ItemChange(key, digest(key.encode()), each.digest)
            for key, each in contents.items()
            if head.contents.get(digest(key.encode())) != each.digest
        ]
        changes += [ItemChange(head.keys[key], key, None) for key in head.contents.keys() - now.keys()]
        run = self._run(subject, Counts(len(contents), len(changes)), Detail.CHANGED, population_root(now.items()))
        self._append(subject, Observation(run, tuple(changes), tuple(contents.values()), volatile), **sweep)

    def happen(self, documents):
        """Record the sweep that read *documents* as events of the last hour."""
        contents = {key: _content(document) for key, document in documents.items()}
        changes = tuple(ItemChange(key, digest(key.encode()), each.digest) for key, each in contents.items())
        root = population_root((change.key_digest, change.artifact) for change in changes)
        now = self.clock.now()
        more = {"window": Window(now - HOUR, now), "watermark_after": now}
        run = self._run(EVENTS, Counts(len(contents), len(contents)), Detail.CHANGED, root, **more)
        self._append(EVENTS, Observation(run, changes, tuple(contents.values()), events=True))

    def fail(self, subject):
        """Record the sweep in which *subject* was refused."""
        run = self._run(subject, Counts(), None, None, outcome=Outcome.FAILED, reason=Reason.DENIED, message="no")
        self._append(subject, Observation(run))

    def take(self):
        """Take a checkpoint, and hold it."""
        taken = self.checkpointer.take()
        self.held, self.held_size = taken.note, taken.size
        return taken

    def stamp(self, number, name="paper"):
        """Let the authority stamp checkpoint *number*."""
        note = next(each.note for each in self.store.checkpoints.all() if each.id == number)
        self.store.checkpoints.add_token(number, name, self.authority.stamp(note))

    def signed(self):
        """Return a note over the log as it is, which the store does not know of."""
        head, last = self.store.checkpoints.head(), self.signer.recall(self.checkpointer.log)
        proof = self.store.checkpoints.consistency(last.size, head.size)
        keys, epoch = [each.key for each in self.store.checkpoints.key_events()], self.store.checkpoints.epoch()
        return self.signer.sign(self.checkpointer.log, epoch, (head.size, head.root), proof, keys)

    def verify(self, **more):
        return verify(self.store, **more)

    def close(self):
        self.store.close()

    def _run(self, subject, counts, detail, population, **more):
        now = self.clock.move(HOUR)
        values = {
            "outcome": Outcome.COLLECTED,
            "due": now,
            "started": now,
            "finished": now + timedelta(seconds=2),
            "operations": (OperationCalls("List"),),
            "principal": Principal("reader", "hq"),
        }
        return Run(
            subject,
            trigger=Trigger.SCHEDULE,
            provenance=PROVENANCE,
            detail=detail,
            counts=counts,
            population=population,
            **values | more,
        )

    def _append(self, subject, observation, **more):
        values = {"trigger": Trigger.SCHEDULE, "plan_version": 1, "due": observation.run.due}
        self.store.append(Sweep(source=subject.source, observations=(observation,), **values | more))


def _content(document):
    data = canonical(document)
    return Artifact(digest(data), data)


def _used(day):
    """Return a document of volatile fields that is long enough to become a dictionary for those of later days."""
    return canonical({f"user-{number}": {"Used.At": f"2026-03-{day:02}T{number:02}:00:00Z"} for number in range(40)})


def live(site):
    """Let *site* have a history with at least one row in every table, and several in most."""
    store = site.store
    for number, document in enumerate(({"sources": []}, {"sources": [], "note": "two"})):
        name = digest(canonical(document))
        store.append_plan(document, name, NOON + number * HOUR)
        store.append_controls(document, name, NOON + number * HOUR)
    if not store.checkpoints.key_events():
        site.checkpointer.create_key("Ana")
    site.see(USERS, {"ann": {"v": 1}, "bob": {"v": 1, "text": "long " * 40}}, volatile=_used(1))
    site.take()
    site.see(USERS, {"ann": {"v": 2}, "cid": {"v": 1}}, volatile=_used(2))
    site.happen({"e1": {"what": "login"}})
    site.see(LONER, {"dan": {"v": 9}}, volatile=_used(3))
    site.happen({"e2": {"what": "logout"}, "e3": {"what": "login"}})
    site.fail(USERS)
    store.append_missed(Missed("paper:hq", Period(NOON, NOON + HOUR), "asleep", 1, (USERS, EVENTS)))
    store.append_missed(Missed("paper:hq", Period(NOON + HOUR, NOON + 2 * HOUR), "asleep", 1, None))
    first = store.append_tag("run:1-0", "C-1", "reviewed", "Bea")
    store.append_tag("run:1-0", "C-1", "wrong run", "Bea", withdraws=first)
    for reason in ("why", "again"):
        asked = store.request_snapshot(SnapshotRequest("paper:hq", ("paper.*",), reason, "Ana", site.clock.now()))
        site.see(USERS, {"ann": {"v": 3}, "why": {"v": reason}}, trigger=Trigger.ADHOC, request=asked)
    site.see(USERS, {"ann": {"v": 4}}, part=1, last=False)
    taken = site.take()
    for number in (1, taken.id):
        site.stamp(number)
        store.checkpoints.add_receipt(number, "vault", {"path": f"/{number}"})
    live_sealed(store, site.clock.now())
    live_retained(store, NOON)
    store.checkpoints.add_epoch(2, taken.note, reason="a loss, for the test", actor="Ana")
    site.signer.begin_epoch(site.checkpointer.log, 2)
    for _ in range(2 * PAGE):  # so that there are two pages of the slot ledger
        site.see(USERS, {"ann": {"v": 5}, "bob": {"v": 5}})
    for number in range(5):
        store.append_tag("run:1-0", "C-2", f"note {number}", "Ana")
    desk(store)
    site.take()


def desk(store):
    """Let people record something of every kind at the auditor's desk."""
    terms = Terms(Examination.TYPE_II, Period(NOON, NOON + HOUR), ("CC6.1",), auditors=("Eva", "Ana"))
    document = {"did": "created", "name": "soc2-2026", **terms.document()}
    [began] = store.desk.record([NewAct(ActKind.ENGAGEMENT, document, "Ana", people=terms.auditors)])
    for kind in set(ActKind) - {ActKind.ENGAGEMENT, ActKind.TOKEN}:
        values = {"about": began.id, "data": f"the rows of a {kind}".encode()}
        store.desk.record([NewAct(kind, {"said": kind}, "Bea", began.id, **values)])
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", began.id)])
    for name, role, engagement in (("Rea", Role.READER, ""), ("Eva", Role.AUDITOR, "soc2-2026")):
        made, _ = grant(store, name, role, engagement, now=NOON, lasts=timedelta(days=30), actor="Ana")
        revoke(store, made.id, actor="Ana")
    record_reads(store, began.id, "Eva", [{"at": "2026-03-14T12:00:00Z", "path": "/e/soc2-2026", "status": 200}])


@pytest.fixture(scope="session")
def site_at():
    """What makes a `Site` in a folder, on a URL."""
    return Site


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a lived-in site on SQLite, its database in one file, built once."""
    folder = tmp_path_factory.mktemp("made")
    site = Site(folder, f"sqlite:///{folder}/evidence.db")
    live(site)
    site.close()
    (folder / "held.note").write_bytes(site.held)
    with sqlite3.connect(folder / "evidence.db") as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    return folder

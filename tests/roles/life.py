"""A life of a store that leaves a row in every table, and every question that a store answers."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

from collector.act import ActKind, NewAct
from collector.canonical import canonical, digest
from collector.engagement import Examination, Terms
from collector.errors import Withheld
from collector.log.checkpoint import Checkpoint, sign_checkpoint
from collector.log.keys import KeyAct, KeyEvent
from collector.log.note import SignerKey
from collector.log.origin import log_name, origin
from collector.model import Missed, Period, SnapshotRequest, Subject, Trigger
from collector.store import open_store
from collector.store.stretches import PAGE
from tests.fakes.authority import TimeStampAuthority
from tests.fakes.retained import live_retained
from tests.fakes.sealed import FIRST, Ring, live_sealed
from tests.store.conftest import NOON, Hand

HOUR = timedelta(hours=1)
EVENTS = Subject("paper:hq", "paper.logins", "site")
ALWAYS = Period(NOON - timedelta(days=400), NOON + timedelta(days=400))


def live(store):
    """Append a little of everything: sweeps with changes, a failure and events, plans, claims, requests, tags."""
    hand, events = Hand(store), Hand(store, EVENTS)
    store.stage([hand.content({"v": 1})])
    hand.see(
        {"a": {"v": 1}, "b": {}, "nul\0key": {"ü": ["\0", "\u2028"]}},
        NOON,
        volatile=canonical({"a": {"used": "now " * 300}}),
    )
    hand.see({"a": {"v": 2, "text": "x" * 70_000}}, NOON + HOUR)
    hand.write(hand.failed(NOON + 2 * HOUR))
    events.write(events.happened({"e1": {"who": "ana"}}, NOON, NOON + HOUR))
    for document in ({"sources": []}, {"controls": []}):
        store.append_plan(document, digest(canonical(document)), NOON)
        store.append_controls(document, digest(canonical(document)), NOON)
    store.append_missed(Missed("paper:hq", Period(NOON + 3 * HOUR, NOON + 4 * HOUR), "asleep", 1, (hand.subject,)))
    store.append_missed(Missed("paper:hq", Period(NOON + 4 * HOUR, NOON + 5 * HOUR), "down", 1))
    tag = store.append_tag("run:1-0", "C-1", "a note", "Ana")
    store.append_tag("run:1-0", "C-1", "not so", "Ben", withdraws=tag)
    request = store.request_snapshot(SnapshotRequest("paper:hq", ("paper.*",), "why", "Ana", NOON))
    hand.write(trigger=Trigger.ADHOC, request=request)
    store.request_snapshot(SnapshotRequest("paper:hq", (), "and why not", "Ben", NOON))
    with as_eraser(store) as eraser:
        live_sealed(store, NOON, eraser)
        live_retained(store, NOON, eraser)
    examine(store)
    for number in range(PAGE):  # so that the slot ledger has a page
        hand.write(hand.failed(NOON + 4 * HOUR + timedelta(seconds=number)))
    go_on(store, 5)
    sign(store)


@contextmanager
def as_eraser(store):
    """Give *store* as its eraser opens it, where it has roles; a login that owns it erases by itself."""
    url = store._database.url
    if not (url.username or "").endswith("_writer"):
        yield store
        return
    name = url.username.replace("_writer", "_eraser")
    eraser = open_store(url.set(username=name).render_as_string(hide_password=False), clock=store._clock)
    yield eraser
    eraser.close()


def examine(store):
    """Record an engagement, and something of every other kind for it."""
    terms = Terms(Examination.TYPE_II, Period(NOON, NOON + HOUR), auditors=("Eva",))
    document = {"did": "created", "name": "soc2-2026", **terms.document()}
    [began] = store.desk.record([NewAct(ActKind.ENGAGEMENT, document, "Ana", people=terms.auditors)])
    for kind in set(ActKind) - {ActKind.ENGAGEMENT}:
        store.desk.record([NewAct(kind, {"said": kind}, "Ben", began.id, began.id, b"rows\0")])


def go_on(store, hours):
    """Append one more sweep, read *hours* after noon."""
    Hand(store).see({"a": {"v": hours}, "c": {}}, NOON + hours * HOUR)


def sign(store):
    """Make a key, sign the log with it, have it stamped and anchored, and declare a loss."""
    log, epoch = log_name(store.id), store.checkpoints.epoch()
    signer = SignerKey.generate(log)
    store.checkpoints.add_key(KeyEvent(KeyAct.CREATED, signer.key, 0, 0, actor="Ana"))
    head = store.checkpoints.head()
    note = sign_checkpoint(Checkpoint(origin(log, epoch), head.size, head.root), [signer])
    taken = store.checkpoints.add(note, epoch)
    stamper = authority()
    stamper.clock = store._clock.now
    store.checkpoints.add_token(taken.id, "paper", stamper.stamp(note))
    store.checkpoints.add_receipt(taken.id, "vault", {"path": "x"})
    store.checkpoints.add_epoch(epoch + 1, taken.note, reason="disk lost", actor="Ana")


@cache
def authority():
    """Return a time stamp authority, made once; who asks sets its clock."""
    folder = tempfile.TemporaryDirectory()
    made = TimeStampAuthority(Path(folder.name))
    made.kept = folder  # removed with it, when the tests end
    made.certify(ALWAYS.start, ALWAYS.end)
    return made


def content(store, name):
    """Return the artifact *name*, or why it is withheld."""
    try:
        return store.artifact(name)
    except Withheld as why:
        return why.message


def answers(store):
    """Return the answer to every question of *store*, by its name."""
    store.sealing.keys.use(Ring(FIRST))
    subjects = store.subjects()
    kinds = sorted({each.kind for each in subjects})
    runs = store.runs(limit=1000)
    times = [NOON + number * HOUR for number in range(-1, 8)]
    changes = store.changes(ALWAYS)
    log = store.checkpoints
    asked = sorted({each.id for run in runs if (each := store.request_of(run.id))})
    return {
        "id": store.id,
        "subjects": subjects,
        "lives": [list(store.lives(each, ALWAYS.end)) for each in subjects],
        "population": [store.population(ALWAYS, kind=kind) for kind in kinds],
        "slot_pages": store.slot_pages(ALWAYS),
        "outcomes": store.outcomes(each.id for each in runs),
        "heads": [store.head(each) for each in subjects],
        "as_of": [store.as_of(kind, at) for kind in kinds for at in times],
        "history": [store.history(kind, key) for kind in kinds for key in ("a", "b", "c", "nul\0key", "e1", "bob")],
        "changes": changes,
        "artifacts": [content(store, each.after) for each in changes if each.after],
        "erasures": store.erasing.tombstones(),
        "volatile": [store.volatile(each, NOON + HOUR) for each in subjects],
        "sweeps": list(store.sweeps(ALWAYS)),
        "last_sweep": store.last_sweep("paper:hq"),
        "accounted_until": store.accounted_until("paper:hq"),
        "runs": runs,
        "run": [store.run(each.id) for each in runs],
        "request_of": [store.request_of(each.id) for each in runs],
        "observations": [store.observations(each, at) for each in subjects for at in times],
        "plans": store.plans(),
        "controls": store.controls(),
        "missed": store.missed(ALWAYS),
        "tags": store.tags(),
        "acts": [store.desk.acts(kind) for kind in ActKind],
        "engagements": store.engagements(),
        "pending_requests": store.pending_requests(),
        "snapshot_request": [store.snapshot_request(each) for each in asked],
        "answers_to": [store.answers_to(each) for each in asked],
        "items_named": [store.items_named(beginning, 100) for beginning in ("", "a", "e")],
        "leaves": list(store.leaves()),
        "head": log.head(),
        "roots": [log.root_at(size) for size in range(log.head().size + 1)],
        "inclusion": [log.inclusion(index, log.head().size) for index in range(log.head().size)],
        "consistency": [log.consistency(old, log.head().size) for old in range(1, log.head().size)],
        "keys": log.key_events(),
        "epochs": log.epochs(),
        "checkpoints": log.all(),
        "tokens": log.tokens(),
        "receipts": log.receipts(),
        "stamped": log.stamped_by("paper"),
        "held": log.held_by("vault"),
    }

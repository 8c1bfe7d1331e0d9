"""Two engagements over one store, of which each must never hear of the other. What is not ours says so: *foreign*.

Ours has the scope ``site`` of ``paper:hq``; foreign are another scope of the same source, read in the same sweeps, and
another source with the same kinds and keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from collector.act import ActKind, NewAct
from collector.canonical import canonical, digest
from collector.engagement import Examination, Terms, engagements
from collector.model import Artifact, Missed, Period, Provenance, Scope, SnapshotRequest, Subject, Trigger
from collector.plan import Plan, PlannedKind, PlannedSource
from collector.store.slot_pages import PAGE
from tests.store.conftest import NOON, Hand

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALWAYS = Period(NOON - 400 * DAY, NOON + 400 * DAY)
MARCH = Period(NOON, NOON + 10 * HOUR)
HERE = Subject("paper:hq", "paper.users", "site")
LAB = Subject("paper:hq", "paper.users", "foreign-lab")
BRANCH = Subject("paper:foreign", "paper.users", "site")
ALONE = Subject("paper:foreign", "paper.foreign", "site")
NOWHERE = Subject("paper:nowhere", "paper.users", "site")
FOREIGN = (LAB, BRANCH, ALONE)
SHARED = {"everybody": "has this"}


def document_of(what):
    return Artifact(digest(data := canonical({"document": what})), data)


OUR_PROCEDURE, OUR_SETTINGS = document_of("ours"), document_of("our settings")
FOREIGN_PROCEDURE, FOREIGN_SETTINGS = document_of("foreign"), document_of("foreign settings")


@dataclass
class World:
    """The *whole* store with its two engagements, *ours* and *theirs*, and the foreign *acts*."""

    whole: object
    ours: object
    theirs: object
    acts: list
    our_acts: list

    @property
    def scoped(self):
        return self.whole.within(self.ours)


def provenance(procedure, settings):
    names = (f"sha256:{each.digest.hex()}" for each in (procedure, settings))
    return Provenance("paper", "1.0", "0.1", *names, 1, ("CC6.1",))


def planned(name, kinds, scopes, procedure, settings):
    return PlannedSource(
        name, "paper", "1", f"sha256:{settings.digest.hex()}", "x", "UTC", "03:00", 0,
        tuple(Scope(each, "site") for each in scopes),
        tuple(PlannedKind(k, "site", f"sha256:{procedure.digest.hex()}", "hourly", False, ("CC6.1",)) for k in kinds),
    )  # fmt: skip


def engage(store, name, **terms):
    made = Terms(Examination.TYPE_II, MARCH, auditors=(f"auditor of {name}",), **terms)
    document = {"did": "created", "name": name, **made.document()}
    [act] = store.desk.record([NewAct(ActKind.ENGAGEMENT, document, "Ana", people=made.auditors)])
    return act.engagement


def live(store):
    """Let *store* have a row in every table that matters, of ours and of everybody else."""
    store.stage([OUR_PROCEDURE, OUR_SETTINGS, FOREIGN_PROCEDURE, FOREIGN_SETTINGS])
    sources = (
        planned("paper:foreign", ("paper.foreign", "paper.users"), ("site",), FOREIGN_PROCEDURE, FOREIGN_SETTINGS),
        planned("paper:hq", ("paper.users",), ("foreign-lab", "site"), OUR_PROCEDURE, OUR_SETTINGS),
    )
    plan = Plan(sources)
    store.append_plan(plan.document(), plan.digest, NOON)
    controls = {
        "controls": [
            {"id": "C-1", "title": "Known and allowed people only", "criteria": ["CC6.1"], "kinds": ["paper.*"]}
        ]
    }
    store.append_controls(controls, digest(canonical(controls)), NOON)
    for number in range(3):
        read(store, number)
    here, lab = Hand(store, HERE), Hand(store, LAB)
    here.write(here.failed(NOON + 4 * HOUR, message="here: no"), lab.failed(NOON + 4 * HOUR, message="foreign: no"))
    for subject in (LAB, BRANCH):
        hand = Hand(store, subject)
        hand.write(hand.failed(NOON + 4 * HOUR, message="foreign: no"))
    store.append_missed(Missed("paper:hq", Period(NOON + 5 * HOUR, NOON + 6 * HOUR), "both", 1, (HERE, LAB)))
    store.append_missed(Missed("paper:hq", Period(NOON + 6 * HOUR, NOON + 7 * HOUR), "foreign", 1, (LAB,)))
    store.append_missed(Missed("paper:hq", Period(NOON + 7 * HOUR, NOON + 8 * HOUR), "down", 1))
    store.append_missed(Missed("paper:foreign", Period(NOON + 7 * HOUR, NOON + 8 * HOUR), "foreign", 1))
    for source in ("paper:hq", "paper:foreign"):
        for reason in ("answered", "waiting"):
            said = f"{reason}, {source}"
            number = store.request_snapshot(SnapshotRequest(source, ("paper.users",), said, f"asker {source}", NOON))
            if reason == "answered":
                hand = Hand(store, HERE if source == "paper:hq" else BRANCH)
                hand.write(hand.failed(NOON + 8 * HOUR), trigger=Trigger.ADHOC, request=number)
    for number in range(PAGE):  # so that the slot ledger has a page of each
        for subject in (HERE, BRANCH):
            at = NOON + 9 * HOUR + timedelta(seconds=number)
            hand, other = Hand(store, subject), Hand(store, LAB if subject is HERE else ALONE)
            hand.write(hand.failed(at), other.failed(at, message="foreign: no"))
    claim(store)
    return examine(store)


def read(store, number):
    """Read everything once, *number* hours after noon: both scopes of one source together."""
    at, ours, foreign = NOON + number * HOUR, {}, {}
    for subject in (HERE, LAB, BRANCH, ALONE):
        mine = subject is HERE
        hand, word = Hand(store, subject), "ours" if mine else f"foreign {subject.source} {subject.scope}"
        documents = {"shared": SHARED, "changing": {"v": f"{word} {number}"}, word: {"v": word}}
        used = canonical({word: {"used": f"{word} on day {number} " + "x" * 40}})
        names = (OUR_PROCEDURE, OUR_SETTINGS) if subject.source == "paper:hq" else (FOREIGN_PROCEDURE, FOREIGN_SETTINGS)
        more = {"finished": at + timedelta(seconds=4), "provenance": provenance(*names)}
        (ours if subject.source == "paper:hq" else foreign)[subject] = hand.saw(documents, at, volatile=used, **more)
    for subjects in (ours, foreign):
        first = next(iter(subjects))
        Hand(store, first).write(*subjects.values())


def claim(store):
    """Tag runs and artifacts of everybody, and withdraw a claim of each."""
    for run in store.runs(limit=1_000):
        if run.due == NOON:
            word = "ours" if run.subject == HERE else "foreign"
            number = store.append_tag(f"run:{run.id}", "C-1", f"{word} run", f"tagger of {word}")
            store.append_tag(f"run:{run.id}", "C-1", f"{word} no", f"tagger of {word}", withdraws=number)
    for subject in (HERE, *FOREIGN):
        word = "ours" if subject is HERE else "foreign"
        [version] = [each for each in versions(store, subject, NOON + HOUR) if each.key.startswith(word)]
        store.append_tag(f"sha256:{version.artifact.hex()}", "C-1", f"{word} thing", f"tagger of {word}")


def versions(store, subject, at):
    return store.as_of(subject.kind, at, source=subject.source, scope=subject.scope)


def examine(store):
    """Record both engagements, something of every kind for each, and a token of the installation."""
    numbers = {}
    for name, terms in (
        ("ours", {"sources": ("paper:hq",), "scopes": ("site",)}),
        ("foreign", {"sources": ("paper:foreign",)}),
    ):
        numbers[name] = engage(store, name, **terms)
        for kind in set(ActKind) - {ActKind.ENGAGEMENT}:
            act = NewAct(kind, {"said": f"{name} {kind}"}, f"examiner of {name}", numbers[name], numbers[name])
            data, people = f"{name} bytes of {kind}".encode(), (f"person of {name}",)
            store.desk.record([NewAct(act.kind, act.document, act.actor, act.engagement, act.about, data, people)])
    store.desk.record([NewAct(ActKind.TOKEN, {"said": "foreign token"}, "foreign admin", people=("foreign reader",))])
    every = [act for kind in ActKind for act in store.desk.acts(kind)]
    known = {each.name: each for each in engagements(store.desk.acts(ActKind.ENGAGEMENT))}
    ours = [act for act in every if act.engagement == numbers["ours"]]
    return World(store, known["ours"], known["foreign"], [act for act in every if act not in ours], ours)

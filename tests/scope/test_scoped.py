"""Within an engagement nothing else is there: no question, of whatever is asked, tells what is out of scope."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from collector.act import ActKind
from collector.ask.populations import over_period
from collector.canonical import canonical, digest
from collector.errors import QueryError, Unknown
from collector.model import Head, Missed, Outcome, SnapshotRequest, show_digest
from collector.population import as_of, life
from collector.store import Store
from collector.store.checkpoints import Checkpoints
from collector.store.desk import Desk
from tests.scope.world import (
    ALONE,
    ALWAYS,
    BRANCH,
    FOREIGN,
    FOREIGN_PROCEDURE,
    FOREIGN_SETTINGS,
    HERE,
    HOUR,
    LAB,
    NOON,
    NOWHERE,
    OUR_PROCEDURE,
    OUR_SETTINGS,
    SHARED,
    versions,
)
from tests.store.conftest import Hand

SUBJECTS = (HERE, *FOREIGN, NOWHERE)
SOURCES = (None, "paper:hq", "paper:foreign", "paper:nowhere")
TIMES = [NOON + number * HOUR for number in range(-1, 12)]
KINDS = ("paper.users", "paper.foreign")
KEYS = ("shared", "changing", "ours", *(f"foreign {each.source} {each.scope}" for each in FOREIGN))


def runs_of(world):
    """Return the ids of all runs, and of some that are none."""
    return [*(each.id for each in world.whole.runs(limit=10_000)), "1-99", "99999-0"]


def some(ask, *more):
    """Return the answer, or the words of a refusal."""
    try:
        return ask(*more)
    except QueryError as error:
        return type(error), error.message, error.hint()


# Every question: of our things, of foreign ones, of none. The answers are searched for anything foreign.
NARROWED = {
    "items_named": lambda s, w: s.items_named("", 10_000),
    "head": lambda s, w: [s.head(each) for each in (HERE, NOWHERE)],
    "subjects": lambda s, w: s.subjects(),
    "as_of": lambda s, w: [s.as_of(k, at, source=src) for k in KINDS for at in TIMES for src in SOURCES],
    "history": lambda s, w: [s.history(k, key) for k in KINDS for key in KEYS],
    "lives": lambda s, w: [list(s.lives(each, ALWAYS.end)) for each in SUBJECTS],
    "changes": lambda s, w: [s.changes(ALWAYS), *(s.changes(ALWAYS, source=each) for each in SOURCES)],
    "population": lambda s, w: [s.population(ALWAYS, kind=k, limit=n) for k in KINDS for n in (None, 2)],
    "artifact": lambda s, w: [some(s.artifact, each) for each in ours_of(w)],
    "artifacts": lambda s, w: list(s.artifacts(ours_of(w))),
    "volatile": lambda s, w: [s.volatile(each, ALWAYS.end) for each in SUBJECTS],
    "sweeps": lambda s, w: [list(s.sweeps(ALWAYS, each)) for each in SOURCES],
    "slot_pages": lambda s, w: [s.slot_pages(ALWAYS, each) for each in SOURCES],
    "outcomes": lambda s, w: [found for run in runs_of(w) if type(found := some(s.outcomes, [run])) is list],
    "last_sweep": lambda s, w: [s.last_sweep(each) for each in ("paper:foreign", "paper:nowhere")],
    "accounted_until": lambda s, w: [s.accounted_until(each) for each in ("paper:foreign", "paper:nowhere")],
    "runs": lambda s, w: [s.runs(limit=10_000), s.runs(ALWAYS), *(s.runs(source=each) for each in SOURCES)],
    "run": lambda s, w: [some(s.run, each) for each in runs_of(w)],
    "observations": lambda s, w: [s.observations(each, at) for each in SUBJECTS for at in TIMES],
    "plans": lambda s, w: [each.document for each in s.plans()],
    "missed": lambda s, w: [s.missed(ALWAYS, each) for each in SOURCES],
    "tags": lambda s, w: [s.tags(), s.tags(control="C-1"), *(s.tags(target=f"run:{each}") for each in runs_of(w))],
    "pending_requests": lambda s, w: s.pending_requests(),
    "request_of": lambda s, w: [s.request_of(each) for each in runs_of(w)],
    "engagements": lambda s, w: s.engagements(),
    "desk.acts": lambda s, w: [s.desk.acts(k, e) for k in ActKind for e in (None, w.ours.id, w.theirs.id, 999)],
    "desk.act": lambda s, w: [some(s.desk.act, each.id, each.kind) for each in w.our_acts],
    "desk.newest": lambda s, w: [s.desk.newest(kind) for kind in ActKind],
    "desk.engagements": lambda s, w: s.desk.engagements(),
    "desk.protected_periods": lambda s, w: s.desk.protected_periods(),
}
HARMLESS = {
    "controls": "the installation's own words",
    "close": "does nothing",
    "one_state": "of what is in it: tested below",
    "within": "gives itself, or says that there is no such engagement",
    "whole_for_export": "the door for bundles and proofs, and named so",
    "desk": "its methods are declared below",
    "desk.record": "refuses what is not of the engagement: tested below",
    "checkpoints": "its methods are declared below",
    "checkpoints.head": "a size and a digest",
    "checkpoints.root_at": "a digest",
    "checkpoints.consistency": "digests",
    "checkpoints.inclusion": "digests",
    "checkpoints.last_verification": "counts of the whole store",
    "checkpoints.key_events": "public keys",
    "checkpoints.epoch": "a number",
    "checkpoints.epochs": "declared losses of the whole log",
    "checkpoints.all": "sizes, digests and signatures",
    "checkpoints.last": "a size, a digest and a signature",
    "checkpoints.of_size": "a size, a digest and a signature",
    "checkpoints.after": "sizes, digests and signatures",
    "checkpoints.tokens": "time stamps over digests",
    "checkpoints.receipts": "where a checkpoint is held",
    "checkpoints.stamped_by": "a size, a digest and a signature",
    "checkpoints.held_by": "a size, a digest and a signature",
}
DOCUMENT = {"sources": []}
REFUSED = {
    "append": lambda s: s.append(Hand(s).sweep()),
    "append_controls": lambda s: s.append_controls(DOCUMENT, digest(canonical(DOCUMENT)), NOON),
    "append_missed": lambda s: s.append_missed(Missed("paper:hq", ALWAYS, "why", 1)),
    "append_plan": lambda s: s.append_plan(DOCUMENT, digest(canonical(DOCUMENT)), NOON),
    "append_tag": lambda s: s.append_tag("run:1-0", "C-1", "note", "Eva"),
    "request_snapshot": lambda s: s.request_snapshot(SnapshotRequest("paper:hq", (), "why", "Eva", NOON)),
    "snapshot_request": lambda s: s.snapshot_request(1),
    "answers_to": lambda s: s.answers_to(1),
    "stage": lambda s: s.stage([OUR_PROCEDURE]),
    "rebuild": lambda s: s.rebuild(),
    "leaves": lambda s: list(s.leaves()),
    "evidence": lambda s: s.evidence(lambda *_: None, lambda *_: None),
    "sweeps_recorded": lambda s: s.sweeps_recorded(),
    "analyse": lambda s: s.analyse(),
    "size": lambda s: s.size(),
    "lock": lambda s: s.lock("daemon"),
    "sealing": lambda s: s.sealing.keys,
    "erasing": lambda s: s.erasing.tombstones(),
    "retaining": lambda s: s.retaining.outlook([]),
    "rewrapping": lambda s: s.rewrapping.uses(),
    "checkpoints.add": lambda s: s.checkpoints.add(s.checkpoints.last().note if s.checkpoints.last() else NOTE, 1),
    "checkpoints.add_verification": lambda s: s.checkpoints.add_verification({"verdict": "intact"}),
    "checkpoints.add_key": lambda s: s.checkpoints.add_key(None),
    "checkpoints.add_epoch": lambda s: s.checkpoints.add_epoch(2, b"", reason="why", actor="Eva"),
    "checkpoints.add_token": lambda s: s.checkpoints.add_token(1, "a", b""),
    "checkpoints.add_receipt": lambda s: s.checkpoints.add_receipt(1, "a", {}),
}
NOTE = f"evidenced.test/log\n1\n{'A' * 43}=\n\n\u2014 evidenced.test/log {'A' * 91}=\n".encode()


def public(owner, prefix=""):
    return {f"{prefix}{name}" for name in dir(owner) if not name.startswith("_")}


def test_every_method_of_a_store_is_narrowed_refused_or_declared_harmless(world):
    """A new one fails here until it is known what it tells an examiner of another engagement."""
    parts = {name for name in vars(world.whole) if not name.startswith("_")} - {"id"}
    every = {*public(Store), *parts, "whole_for_export"}
    every |= public(Desk, "desk.") | public(Checkpoints, "checkpoints.")
    declared = [*NARROWED, *HARMLESS, *REFUSED]
    assert sorted(declared) == sorted(set(declared)), "declared twice"
    assert set(declared) == every


def ours_of(world):
    """Return the digests of everything that an examiner of ours may open."""
    found = {each.artifact for each in world.whole.history("paper.users", "ours")}
    found |= {each.artifact for each in world.whole.history("paper.users", "changing", scope="site", source="paper:hq")}
    found |= {digest(canonical(SHARED)), OUR_PROCEDURE.digest, OUR_SETTINGS.digest, world.whole.controls()[0].digest}
    found |= {name for act in world.our_acts for name in (act.digest, act.artifact) if name}
    return sorted(found | kept(world, HERE))


def kept(world, *subjects):
    """Return the digests of documents of volatile fields of *subjects*."""
    with world.whole.evidence(lambda *_: None, lambda *_: None) as evidence:
        names = {row["id"]: row["name"] for row in evidence.rows("source")}
        numbers = {
            row["id"] for row in evidence.rows("subject")
            if any((names[row["source"]], row["kind"], row["scope"]) == (s.source, s.kind, s.scope) for s in subjects)
        }  # fmt: skip
        contents = {row["artifact"] for row in evidence.rows("volatile") if row["subject"] in numbers}
        return {row["digest"] for row in evidence.rows("artifact") if row["id"] in contents}


def everything_else(world):
    """Return the digests of everything that is stored and that an examiner of ours may not open."""
    with world.whole.evidence(lambda *_: None, lambda *_: None) as evidence:
        every = {row["digest"] for row in evidence.rows("artifact")}
    return sorted(every - set(ours_of(world)))


@pytest.mark.parametrize("name", NARROWED)
def test_no_answer_tells_of_anything_foreign(world, name):
    said = repr(NARROWED[name](world.scoped, world)) + repr(NARROWED[name](world.scoped, world))
    known = {*KEYS, *(each.source for each in SUBJECTS)}
    assert "foreign" not in said
    for each in everything_else(world):
        assert each.hex() not in said and repr(each)[2:-1] not in said, known


# Asked of our own things there, and of foreign ones in tests of their own.
OF_OURS_ALONE = {"artifact", "artifacts", "desk.act", "head"}


@pytest.mark.parametrize("name", sorted(set(NARROWED) - OF_OURS_ALONE))
def test_the_same_question_to_the_whole_store_does_tell(world, name):
    """Else the test before would prove nothing."""
    assert NARROWED[name](world.whole, world) != NARROWED[name](world.scoped, world)


def test_what_is_ours_is_all_there(world):
    scoped, whole = world.scoped, world.whole
    assert scoped.subjects() == [HERE]
    assert scoped.head(HERE) == whole.head(HERE)
    for at in TIMES:
        assert scoped.as_of("paper.users", at) == versions(whole, HERE, at)
        assert scoped.observations(HERE, at) == whole.observations(HERE, at)
    assert scoped.volatile(HERE, ALWAYS.end) == whole.volatile(HERE, ALWAYS.end)
    assert scoped.runs(limit=9_999) == [each for each in whole.runs(limit=9_999) if each.subject == HERE]
    assert [scoped.artifact(each) for each in ours_of(world)] == [whole.artifact(each) for each in ours_of(world)]
    assert {each.cause for each in scoped.missed(ALWAYS)} == {"both", "down"}
    assert [each.note for each in scoped.tags()] == ["ours run", "ours no", "ours thing"]
    assert [each.reason for each in scoped.pending_requests()] == ["waiting, paper:hq"]
    answered = [scoped.request_of(each.id) for each in scoped.runs(limit=9_999)]
    assert [each.reason for each in answered if each] == ["answered, paper:hq"]
    assert [act for kind in ActKind for act in scoped.desk.acts(kind)] == world.our_acts
    assert scoped.last_sweep("paper:hq") == whole.last_sweep("paper:hq")


@pytest.mark.parametrize("subject", FOREIGN, ids=str)
def test_a_foreign_subject_is_as_one_never_heard_of(world, subject):
    scoped, none = world.scoped, NOWHERE._replace(kind=subject.kind)
    assert scoped.head(subject) == Head(subject)
    assert list(scoped.lives(subject, ALWAYS.end)) == list(scoped.lives(none, ALWAYS.end)) == []
    assert scoped.volatile(subject, ALWAYS.end) is scoped.volatile(none, ALWAYS.end) is None
    assert scoped.observations(subject, ALWAYS.end) == scoped.observations(none, ALWAYS.end) == (None, None)
    for ask in (scoped.last_sweep, scoped.accounted_until):
        assert subject.source == HERE.source or ask(subject.source) is None
    names = {"source": subject.source, "scope": subject.scope}
    assert scoped.changes(ALWAYS, **names) == scoped.population(ALWAYS, kind=subject.kind, **names) == []
    assert scoped.as_of(subject.kind, NOON, **names) == scoped.history(subject.kind, "shared", **names) == []


def test_a_foreign_artifact_is_told_of_in_the_words_for_one_that_is_not_there(world):
    scoped, never = world.scoped, bytes(32)
    expected = some(scoped.artifact, never)
    assert expected[0] is Unknown
    foreign = everything_else(world)
    assert {FOREIGN_PROCEDURE.digest, FOREIGN_SETTINGS.digest, *kept(world, *FOREIGN)} <= set(foreign)
    assert {name for act in world.acts for name in (act.digest, act.artifact) if name} <= set(foreign)
    for name in foreign:
        said = (expected[0], expected[1].replace(show_digest(never), show_digest(name)), expected[2])
        assert some(scoped.artifact, name) == said
        assert some(lambda name: list(scoped.artifacts([name])), name) == said
        assert world.whole.artifact(name), "it is there"


def test_a_foreign_run_is_told_of_in_the_words_for_one_that_is_not_there(world):
    scoped = world.scoped
    expected = some(scoped.run, "99999-0")
    assert expected[0] is Unknown
    foreign = [each.id for each in world.whole.runs(limit=9_999) if each.subject != HERE]
    assert foreign
    for run in [*foreign, "1-99"]:
        for ask in (scoped.run, lambda run: scoped.outcomes([run])):
            assert some(ask, run) == (expected[0], expected[1].replace("99999-0", run), expected[2])


def test_a_foreign_act_is_told_of_in_the_words_for_one_that_is_not_there(world):
    scoped = world.scoped
    for act in world.acts:
        expected = some(scoped.desk.act, 99_999, act.kind)
        said = (expected[0], re.sub("99999", str(act.id), expected[1]), expected[2])
        assert some(scoped.desk.act, act.id, act.kind) == said
        assert world.whole.desk.act(act.id, act.kind) == act


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_examiner_does_not_do_is_refused_and_nothing_is_recorded(world, name):
    before = world.whole.checkpoints.head()
    with pytest.raises(QueryError, match="from within an engagement"):
        REFUSED[name](world.scoped)
    assert world.whole.checkpoints.head() == before


def test_another_engagement_cannot_be_had_from_within(world):
    scoped = world.scoped
    assert scoped.within(world.ours) is scoped
    with pytest.raises(Unknown, match="there is no engagement 'foreign'"):
        scoped.within(world.theirs)


@pytest.mark.parametrize("name", ["", "x", "1", "1-", "-1", "1-0-0", "9" * 40 + "-0", "\u0661-0", "1-0\n"])
def test_what_is_no_run_has_no_request_and_no_tag(world, name):
    assert world.scoped.request_of(name) is None
    assert world.scoped.tags(target=f"run:{name}") == []


def test_the_door_for_exports_gives_the_whole_store(world):
    assert world.scoped.whole_for_export() is world.whole


def test_closing_it_leaves_the_whole_store_open(world):
    world.scoped.close()
    assert world.whole.subjects()


def test_the_plan_is_narrowed_to_sources_scopes_and_kinds_in_scope(world):
    [plan] = world.scoped.plans()
    [source] = plan.document["sources"]
    assert source["name"] == "paper:hq"
    assert [each["name"] for each in source["scopes"]] == ["site"]
    assert plan.digest == world.whole.plans()[0].digest


def test_a_source_of_which_no_scope_is_in_scope_was_never_heard_of(world):
    terms = replace(world.ours.terms, sources=(), scopes=("foreign-lab",))
    scoped = world.whole.within(replace(world.ours, history=(replace(world.ours.history[-1], terms=terms),)))
    assert scoped.subjects() == [LAB]
    assert {each.source for each in scoped.missed(ALWAYS)} == {"paper:hq"}
    assert {each.source for each in scoped.pending_requests()} == {"paper:hq"}
    assert scoped.last_sweep("paper:foreign") is None
    assert set(scoped.slot_pages(ALWAYS)) == {"paper:hq"}


def test_terms_that_name_nothing_hold_everything_but_the_acts_of_others(world):
    terms = replace(world.ours.terms, sources=(), scopes=())
    scoped = world.whole.within(replace(world.ours, history=(replace(world.ours.history[-1], terms=terms),)))
    assert scoped.subjects() == world.whole.subjects()
    assert scoped.changes(ALWAYS) == world.whole.changes(ALWAYS)
    assert scoped.runs(limit=9_999) == world.whole.runs(limit=9_999)
    assert [each.document for each in scoped.plans()] == [each.document for each in world.whole.plans()]
    assert some(scoped.artifact, world.acts[0].digest)[0] is Unknown


def test_the_questions_built_on_it_answer_of_ours_alone(world):
    now = NOON + 20 * HOUR
    assert [each.subject for each in as_of(world.scoped, "paper.users", now, now=now)] == [HERE]
    assert {each.subject for each in life(world.scoped, "paper.users", "shared")} == {HERE}
    with pytest.raises(QueryError, match=r"the store knows no kind 'paper\.foreign'") as error:
        as_of(world.scoped, "paper.foreign", now, now=now)
    assert "paper.users" not in error.value.message
    found = (over_period(each, "paper.users", world.ours, now=now, grace=HOUR) for each in (world.scoped, world.whole))
    first, second = found
    assert first == second
    assert BRANCH.source not in first.rows.decode() and ALONE.kind not in first.rows.decode()
    failed = world.scoped.runs(outcome=Outcome.FAILED, limit=9_999)
    assert {each.subject for each in failed} == {HERE}

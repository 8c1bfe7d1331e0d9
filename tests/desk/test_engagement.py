"""Engagements as people type them: created, amended, closed; the terms in force are dated."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from collector.act import Act, ActKind, NewAct
from collector.ask.engagements import create
from collector.clock import parse_instant
from collector.engagement import Examination, Terms, checked_terms, engagements
from collector.errors import QueryError
from collector.log.leaf import MAX_BYTES, LeafKind
from collector.model import Period, Subject
from collector.store import open_store
from collector.tag import ControlSet
from collector.verify import Verdict, verify

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
HALF = Terms(Examination.TYPE_II, Period(START, END))
CREATE = ["engagement", "create", "soc2", "--from", "2026-01-01", "--to", "2026-07-01"]


def act(number, did, at, **more):
    said = {"did": did, **HALF.document(), **more}
    return Act(number, ActKind.ENGAGEMENT, 1, None, said, b"", None, (), "Ana", at, number)


def test_an_engagement_shows_what_was_typed(site):
    more = ["--criterion", "CC6.1", "--source", "paper:*", "--auditor", "Eva", "--as", "Ana"]
    answer = site.evidenced(*CREATE, *more)
    assert answer.code == 0, answer.err
    for line in ("period      2026-01-01T00:00:00Z to 2026-07-01T00:00:00Z", "criteria    CC6.1", "auditors    Eva"):
        assert line in answer.out
    assert site.evidenced("engagement", "show", "soc2").out == answer.out


def test_a_type_one_engagement_is_of_an_instant(site):
    shown = site.evidenced("engagement", "create", "design", "--at", "2026-06-30").out
    assert "type        I" in shown
    assert "period      2026-06-30T00:00:00Z\n" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--from", "2026-01-01", "--to", "2026-01-01"], "the period is empty"),
        (["x", "--from", "2026-01-01"], "of a period or of an instant"),
        (["x", "--from", "2026-01-01", "--to", "2026-02-01", "--at", "2026-01-01"], "of a period or of an instant"),
        (["x", "--at", "2026-01-01", "--criterion", "CC6.11"], "CC6.1"),
        (["x", "--at", "2026-01-01", "--source", "paper:hqq"], "Nearest: paper:hq"),
        (["x", "--at", "2026-01-01", "--scope", "no-such"], "no scope on record"),
        (["x", "--at", "2026-01-01", "--control", "AC-99"], "no control on record"),
        (["=HYPERLINK(1)", "--at", "2026-01-01"], "begins with a letter or digit"),
        (["soc2/2026", "--at", "2026-01-01"], "has no '/'"),
        (["a\u202egnp", "--at", "2026-01-01"], "plain text"),
        (["x" * 81, "--at", "2026-01-01"], "at most 80"),
    ],
)
def test_what_cannot_be_an_engagement_is_refused_and_nothing_is_recorded(site, arguments, said):
    answer = site.evidenced("engagement", "create", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert "\u202e" not in answer.err
    assert site.evidenced("engagement", "list", "--json").json == {"engagements": []}


def test_a_name_is_taken_once(site):
    assert site.evidenced(*CREATE).code == 0
    answer = site.evidenced(*CREATE)
    assert answer.code == 2
    assert "already" in answer.err


def test_an_amendment_is_dated_and_the_terms_before_it_stay(site):
    site.evidenced(*CREATE, "--as", "Ana")
    answer = site.evidenced(
        "engagement", "amend", "soc2", "--to", "2026-10-01", "--why", "extended", "--as", "Eva", "--json"
    )
    first, second = answer.json["history"]
    assert (first["terms"]["period"]["end"], second["terms"]["period"]["end"]) == (
        "2026-07-01T00:00:00Z",
        "2026-10-01T00:00:00Z",
    )
    assert (second["by"], second["why"]) == ("Eva", "extended")
    assert (
        "2026-07-01T00:00:00Z -> 2026-01-01T00:00:00Z to 2026-10-01" in site.evidenced("engagement", "show", "soc2").out
    )


def test_an_amendment_that_changes_nothing_is_not_recorded(site):
    site.evidenced(*CREATE)
    answer = site.evidenced("engagement", "amend", "soc2", "--to", "2026-07-01", "--why", "no reason")
    assert answer.code == 2
    assert len(site.evidenced("engagement", "show", "soc2", "--json").json["history"]) == 1


def test_a_closed_engagement_cannot_be_amended_or_closed_again(site):
    site.evidenced(*CREATE)
    assert site.evidenced("engagement", "close", "soc2", "--as", "Eva").code == 0
    for command in (["close", "soc2"], ["amend", "soc2", "--to", "2027-01-01", "--why", "late"]):
        answer = site.evidenced("engagement", *command)
        assert answer.code == 2
        assert "was closed at" in answer.err
    [listed] = site.evidenced("engagement", "list", "--json").json["engagements"]
    assert listed["closed_by"] == "Eva"


def test_an_unknown_engagement_is_answered_with_the_nearest(site):
    site.evidenced(*CREATE)
    answer = site.evidenced("engagement", "show", "soc3")
    assert answer.code == 2
    assert "soc2" in answer.err


def test_a_leaf_commits_to_every_act_and_holds_no_name(store):
    terms = Terms(Examination.TYPE_II, Period(START, END), auditors=("Eva of the firm",))
    said = {"did": "created", "name": "soc2 of Ana", **terms.document()}
    [made] = store.desk.record([NewAct(ActKind.ENGAGEMENT, said, "Ana Lima", people=terms.auditors)])
    [leaf] = [leaf for leaf in store.leaves() if leaf.kind == "engagement"]
    assert leaf.index == made.leaf
    assert leaf.payload == {"act": 1, "engagement": 1, "by": 2, "document": made.digest.hex()}
    assert b"Ana" not in leaf.data
    assert b"Eva" not in store.artifact(made.digest)
    assert len(leaf.data) < MAX_BYTES


def test_every_kind_of_act_has_a_leaf_of_its_name():
    assert {LeafKind(each.value).value for each in ActKind} == {each.value for each in ActKind}


def test_a_store_with_engagements_is_intact(site):
    site.evidenced(*CREATE, "--auditor", "Eva")
    site.evidenced("engagement", "close", "soc2")
    store = site.store()
    assert verify(store).verdict is Verdict.INTACT
    store.close()


def test_nothing_of_a_refused_act_is_recorded(store):
    before = store.checkpoints.head()
    with pytest.raises(QueryError, match="no engagement 7"):
        store.desk.record([NewAct(ActKind.REVIEW, {"said": "x"}, "Nobody yet", 7)])
    assert store.checkpoints.head() == before


def test_of_two_who_create_the_same_name_at_once_one_is_told(store_url, clock):
    stores = [open_store(store_url, clock=clock) for _ in range(4)]
    told = []

    def creating(each):
        try:
            create(each, ControlSet(()), "soc2", HALF, actor="Ana")
        except QueryError as error:
            told.append(error.message)

    threads = [threading.Thread(target=creating, args=(each,)) for each in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["there is an engagement 'soc2' already"] * 3
    assert [each.name for each in stores[0].engagements()] == ["soc2"]
    for each in stores:
        each.close()


def test_the_periods_of_open_engagements_are_protected(store):
    for number, name in enumerate("abc"):
        terms = Terms(Examination.TYPE_II, Period(START - timedelta(days=number), END))
        store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "created", "name": name, **terms.document()}, "Ana")])
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", 2)])
    assert store.desk.protected_periods() == [Period(START - timedelta(days=2), END), Period(START, END)]


def test_the_terms_in_force_are_those_of_the_time():
    acts = [
        act(1, "created", START, name="soc2"),
        act(2, "amended", START + timedelta(days=9), criteria=["A1.1"]),
    ]
    [found] = engagements(acts)
    assert found.at(START - timedelta(seconds=1)) is None
    assert found.at(START + timedelta(days=8)).criteria == ()
    assert found.at(START + timedelta(days=9)) == found.terms


def test_terms_are_read_back_as_they_were_recorded():
    terms = checked_terms(Terms(Examination.TYPE_I, Period(START, START), ("CC6.1", "CC6.1"), ("aws:*",)))
    [found] = engagements([act(1, "created", START, name="x", **terms.document())])
    assert found.terms == terms
    assert terms.criteria == ("CC6.1",)
    assert terms.period == Period(START, parse_instant("2026-01-01T00:00:00.001Z"))


def test_a_subject_is_in_scope_by_source_and_scope():
    terms = Terms(Examination.TYPE_II, Period(START, END), sources=("aws:*",), scopes=("eu-*", "global"))
    held = {
        (source, scope): terms.holds(Subject(source, "aws.x.y", scope))
        for source in ("aws:prod", "gcp:prod")
        for scope in ("eu-west-1", "us-east-1")
    }
    assert [where for where, in_scope in held.items() if in_scope] == [("aws:prod", "eu-west-1")]

"""Reconciliation as people ask for it, and on record only when they say so."""

from __future__ import annotations

import json

import pytest

from collector.verify import Verdict, verify
from tests.cli.conftest import HOSTILE

AT = "2025-03-14T09:00:00Z"


@pytest.fixture
def frozen(march):
    """The names of the frozen populations of users and of rooms."""
    found = []
    for kind in ("paper.users", "paper.rooms"):
        made = march.evidenced("population", kind, "--engagement", "soc2", "--freeze", "--json").json
        found.append(f"population:{made['population']}")
    return found


def test_a_kind_is_reconciled_with_itself_as_it_was_at_an_instant(march):
    answer = march.evidenced("reconcile", "paper.users", "paper.users", "--at", AT, "--fail-on-difference", "--json")
    assert answer.code == 0
    assert answer.json["agree"]
    assert answer.json["reconciliation"]["left"]["matched"] == 2


def test_what_is_on_one_side_alone_is_named(march):
    answer = march.evidenced("reconcile", "paper.users", "paper.doors", "--at", AT, "--fail-on-difference")
    assert answer.code == 1
    assert "only in paper.users" in answer.out
    assert "only in paper.doors" in answer.out
    assert "paper:hq site ben" in answer.out
    assert HOSTILE not in answer.out
    assert "\x1b" not in answer.out


def test_keys_are_by_expressions_over_the_items(march):
    more = ["--left-key", "role", "--right-key", "role", "--left-where", "role=='reader'", "--at", AT, "--json"]
    found = march.evidenced("reconcile", "paper.users", "paper.users", *more).json["reconciliation"]
    assert (found["left"]["matched"], found["left"]["left_out"], found["right"]["only"]) == (1, 1, 1)


def test_frozen_populations_are_reconciled_on_record(march, frozen):
    answer = march.evidenced("reconcile", *frozen, "--record", "--as", "Eva", "--json")
    assert answer.code == 0, answer.err
    store = march.store()
    try:
        [leaf] = [leaf for leaf in store.leaves() if leaf.kind == "reconciliation"]
        assert leaf.payload["act"] == answer.json["recorded"]
        lines = store.artifact(bytes.fromhex(leaf.payload["artifact"])).splitlines()
        counts = answer.json["reconciliation"]
        assert len(lines) == counts["left"]["only"] + counts["right"]["only"] + counts["right"]["duplicates"] / 2
        assert {json.loads(line)["outcome"] for line in lines} == {"only_left", "duplicates"}
        assert verify(store).verdict is Verdict.INTACT
    finally:
        store.close()


def test_nothing_is_recorded_unless_asked(march, frozen):
    march.evidenced("reconcile", *frozen)
    store = march.store()
    assert "reconciliation" not in {leaf.kind for leaf in store.leaves()}
    store.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["paper.users", "paper.rooms", "--at", AT, "--record"], "only frozen populations"),
        (["paper.users", "paper.roomz", "--at", AT], "Did you mean: paper.rooms"),
        (["paper.users", "population:99", "--at", AT], "no population 99"),
        (["paper.users", "paper.users", "--at", AT, "--left-key", "[["], "not a JMESPath"),
        (["paper.users", "paper.users", "--at", AT, "--normalise", "shout"], "lower, trim"),
        (["paper.users", "paper.users", "--at", "2025-03-13"], "not observed yet"),
    ],
)
def test_what_cannot_be_reconciled_is_refused(march, arguments, said):
    answer = march.evidenced("reconcile", *arguments)
    assert answer.code == 2
    assert said in answer.err

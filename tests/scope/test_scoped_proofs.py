"""What is in an engagement can be proved from within, by a leaf that is in it; nothing else can."""

from __future__ import annotations

import pytest

from collector.canonical import canonical, digest
from collector.errors import QueryError, Unknown
from collector.verify.proofs import check_proof, parse_proof
from collector.verify.proving import prove
from tests.scope.world import HERE, SHARED


def proof_of(store, target):
    made = prove(store, target)
    assert check_proof(parse_proof(made.data), []).trouble == ""
    return made


def text_of(made):
    """Return every byte that the proof holds."""
    proof = parse_proof(made.data)
    return b"".join([*(part.data for part in proof.parts), proof.leaf])


@pytest.mark.parametrize(("name", "foreign"), [("ours", b"paper:foreign"), ("theirs", b"paper:hq")])
def test_a_content_that_both_have_is_proved_by_a_leaf_of_ones_own(world, name, foreign):
    scoped = world.whole.within(getattr(world, name))
    said = text_of(proof_of(scoped, f"sha256:{digest(canonical(SHARED)).hex()}"))
    assert foreign not in said


def test_runs_and_documents_in_scope_are_proved_as_from_outside(world):
    [run] = [each.id for each in world.scoped.runs(limit=1)]
    assert proof_of(world.scoped, run).data == proof_of(world.whole, run).data
    for act in world.our_acts:
        assert proof_of(world.scoped, f"sha256:{act.digest.hex()}").leaf == act.leaf


def test_what_is_out_of_scope_is_not_there_to_be_proved(world):
    foreign = [each.id for each in world.whole.runs(limit=9_999) if each.subject != HERE]
    targets = [*foreign[:3], *(f"sha256:{act.digest.hex()}" for act in world.acts)]
    for target in targets:
        with pytest.raises(Unknown):
            prove(world.scoped, target)
        assert proof_of(world.whole, target)


def test_a_plan_is_not_proved_from_within_for_it_names_all_sources(world):
    with pytest.raises(QueryError):
        prove(world.scoped, f"sha256:{world.whole.plans()[0].digest.hex()}")

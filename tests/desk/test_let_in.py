"""Who was let in and what they read, as recorded: proven like everything else, names erasable like all names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.access import Role
from collector.act import ActKind, NewAct
from collector.ask.access import grant, granted, holder, record_reads, revoke
from collector.engagement import Examination, Terms
from collector.log.leaf import MAX_BYTES
from collector.model import Period
from collector.verify import Verdict, verify
from collector.verify.proofs import check_proof, parse_proof
from collector.verify.proving import prove

READS = [{"at": "2026-03-14T12:00:00Z", "path": "/e/soc2", "status": 200}]
DAY = timedelta(days=1)


@pytest.fixture
def lived(store, clock):
    """A store with tokens of both kinds, one of each revoked, and reads recorded before and after the close."""
    now = clock.now()
    terms = Terms(Examination.TYPE_II, Period(now - DAY, now + DAY))
    [began] = store.desk.record(
        [NewAct(ActKind.ENGAGEMENT, {"did": "created", "name": "soc2", **terms.document()}, "Ana")]
    )
    store.tokens = {}
    for name, role, engagement in (("Rea", Role.READER, ""), ("Eva of the firm", Role.AUDITOR, "soc2")):
        for _ in range(2):
            made, text = grant(store, name, role, engagement, now=now, lasts=DAY, actor="Ana")
            store.tokens[made.id] = text
        revoke(store, made.id, actor="Ana")
    record_reads(store, began.id, "Eva of the firm", READS)
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", began.id)])
    record_reads(store, began.id, "Eva of the firm", READS)
    return store


def test_a_store_with_tokens_and_reads_is_intact(lived):
    found = verify(lived)
    assert (found.verdict, found.differences, found.remarks) == (Verdict.INTACT, (), ())


def test_no_leaf_and_no_document_holds_a_name_or_a_token(lived):
    acts = [act for kind in (ActKind.TOKEN, ActKind.ACCESS) for act in lived.desk.acts(kind)]
    leaves = {leaf.index: leaf for leaf in lived.leaves()}
    assert len(acts) == 8
    for act in acts:
        said = lived.artifact(act.digest) + leaves[act.leaf].data
        for secret in (*lived.tokens.values(), "Eva", "Rea", "Ana"):
            assert secret.encode() not in said
        assert leaves[act.leaf].kind == act.kind.value
        assert len(leaves[act.leaf].data) <= MAX_BYTES


def test_that_somebody_was_let_in_or_read_can_be_proved(lived):
    """Of two who did the same the first act has the document: the proof is of its leaf."""
    for kind in (ActKind.TOKEN, ActKind.ACCESS):
        acts = lived.desk.acts(kind)
        for act in acts:
            checked = check_proof(parse_proof(prove(lived, f"sha256:{act.digest.hex()}").data), [])
            first = next(each for each in acts if each.digest == act.digest)
            assert (checked.leaf, checked.trouble) == (first.leaf, "")


def test_an_erased_name_leaves_the_acts_and_lets_nobody_in(lived, clock):
    assert len([text for text in lived.tokens.values() if holder(granted(lived), text, clock.now())]) == 2
    lived.erasing.erase_person("Eva of the firm", reason="request 1", actor="Ana")
    found = verify(lived)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    assert [each.name for each in granted(lived)] == ["Rea", "Rea", "", ""]
    assert {each.actor for each in lived.desk.acts(ActKind.ACCESS)} == {""}
    assert [holder(granted(lived), text, clock.now()) for text in lived.tokens.values()].count(None) == 3

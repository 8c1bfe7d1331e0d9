"""The tree against the second implementation on random logs, good proofs and spoilt ones."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import IntegrityError
from collector.log import tree
from tests.log import rfc6962


class _GrownLog:
    """A log grown leaf by leaf, keeping what the store keeps: leaves and complete nodes."""

    def __init__(self, leaves):
        self.leaves, self.peaks, self.nodes = leaves, [], {}
        for index, data in enumerate(leaves):
            self.nodes[tree.Node(0, index)] = tree.leaf_hash(data)
            completed, self.peaks = tree.append(index, self.peaks, tree.leaf_hash(data))
            self.nodes.update(completed)

    def read(self, nodes):
        return [self.nodes[node] for node in nodes]


_LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=150)


@given(_LEAVES)
@settings(deadline=None)
def test_a_log_grown_leaf_by_leaf_has_the_root_of_the_whole(leaves):
    assert tree.root(_GrownLog(leaves).peaks) == rfc6962.mth(leaves)


@given(_LEAVES, st.data())
@settings(deadline=None)
def test_proofs_in_any_earlier_size_are_those_of_the_rfc(leaves, data):
    log = _GrownLog(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index, size, log.read)
    assert proof == rfc6962.path(index, leaves[:size])
    tree.verify_inclusion(tree.leaf_hash(leaves[index]), index, size, proof, rfc6962.mth(leaves[:size]))
    proof = tree.consistency_proof(index + 1, size, log.read)
    assert proof == rfc6962.proof(index + 1, leaves[:size])
    old_root, new_root = rfc6962.mth(leaves[: index + 1]), rfc6962.mth(leaves[:size])
    tree.verify_consistency(index + 1, size, old_root, new_root, proof)


def _spoil(data, proof):
    """Return *proof* after up to three random edits."""
    proof = list(proof)
    for _ in range(data.draw(st.integers(0, 3))):
        edit = data.draw(st.sampled_from(["flip", "drop", "insert", "swap", "double"]))
        place = data.draw(st.integers(0, len(proof)))
        if edit == "insert":
            proof.insert(place, data.draw(st.binary(min_size=32, max_size=32)))
        elif place == len(proof):
            continue
        elif edit == "flip":
            bit = data.draw(st.integers(0, 255))
            proof[place] = (int.from_bytes(proof[place]) ^ (1 << bit)).to_bytes(32)
        elif edit == "drop":
            del proof[place]
        elif edit == "double":
            proof.insert(place, proof[place])
        else:
            proof[0], proof[place] = proof[place], proof[0]
    return proof


def _accepts(verify, *arguments):
    try:
        verify(*arguments)
    except IntegrityError:
        return False
    return True


@given(_LEAVES, st.data())
@settings(deadline=None, max_examples=300)
def test_the_verdict_on_any_inclusion_proof_is_that_of_the_rfcs_algorithm(leaves, data):
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = _spoil(data, rfc6962.path(index, leaves))
    claimed_index, claimed_size = data.draw(st.tuples(st.integers(0, size + 2), st.integers(0, size + 2)))
    if data.draw(st.booleans()):
        claimed_index, claimed_size = index, size
    arguments = (tree.leaf_hash(leaves[index]), claimed_index, claimed_size, proof, rfc6962.mth(leaves))
    assert _accepts(tree.verify_inclusion, *arguments) == rfc6962.includes(*arguments)


@given(_LEAVES.filter(lambda leaves: len(leaves) > 1), st.data())
@settings(deadline=None, max_examples=300)
def test_the_verdict_on_any_consistency_proof_is_that_of_the_rfcs_algorithm(leaves, data):
    new = len(leaves)
    old = data.draw(st.integers(1, new - 1))
    proof = _spoil(data, rfc6962.proof(old, leaves))
    roots = (rfc6962.mth(leaves[:old]), rfc6962.mth(leaves))
    claimed_new = data.draw(st.integers(2, new + 2))
    claimed_old = data.draw(st.integers(1, claimed_new - 1))
    if data.draw(st.booleans()):
        claimed_old, claimed_new = old, new
    arguments = (claimed_old, claimed_new, *roots, proof)
    assert _accepts(tree.verify_consistency, *arguments) == rfc6962.extends(*arguments)

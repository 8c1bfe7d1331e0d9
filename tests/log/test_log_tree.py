"""The tree against the published vectors and against a second implementation made from the RFCs' text.

Each test takes the module as its argument: the mutation test calls the same functions with every mutant.
"""

import json
from functools import cache
from pathlib import Path

import pytest

from collector.errors import IntegrityError, QueryError
from tests.log import rfc6962

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log_tree.json").read_text(encoding="utf-8"))
_INPUTS = [bytes.fromhex(each) for each in _VECTORS["inputs"]]
_ROOTS = [bytes.fromhex(each) for each in (_VECTORS["empty_root"], *_VECTORS["roots"])]
_SIZES = range(18)
_OTHER = b"\x5a" * 32


def _leaves(size):
    return [b"leaf %d" % index for index in range(size)]


@cache
def _mth(start, end):
    return rfc6962.mth(_leaves(end)[start:end])


@cache
def _path(index, size):
    return rfc6962.path(index, _leaves(size))


@cache
def _proof(old, new):
    return rfc6962.proof(old, _leaves(new))


def _reader(leaves):
    """Read complete subtrees of a list of leaves; refuse those that reach over its end."""

    def read(nodes):
        hashes = []
        for node in nodes:
            start, end = node.index << node.level, (node.index + 1) << node.level
            assert 0 <= start < end <= len(leaves), f"{node} is not complete in {len(leaves)} leaves"
            hashes.append(rfc6962.mth(leaves[start:end]))
        return hashes

    return read


def _hashes(texts):
    return [bytes.fromhex(each) for each in texts]


def test_the_roots_of_the_reference_inputs_are_the_published_ones(tree):
    peaks = []
    for size in range(len(_INPUTS) + 1):
        assert tree.root(peaks) == _ROOTS[size]
        if size < len(_INPUTS):
            _, peaks = tree.append(size, peaks, tree.leaf_hash(_INPUTS[size]))
    assert _ROOTS[0] == tree.EMPTY_ROOT


def test_the_published_inclusion_proofs_are_made_and_accepted(tree):
    for case in _VECTORS["inclusion"]:
        index, size, proof = case["index"], case["size"], _hashes(case["proof"])
        assert tree.inclusion_proof(index, size, _reader(_INPUTS)) == proof
        tree.verify_inclusion(tree.leaf_hash(_INPUTS[index]), index, size, proof, _ROOTS[size])


def test_the_published_consistency_proofs_are_made_and_accepted(tree):
    for case in _VECTORS["consistency"]:
        old, new, proof = case["old"], case["new"], _hashes(case["proof"])
        assert tree.consistency_proof(old, new, _reader(_INPUTS)) == proof
        tree.verify_consistency(old, new, _ROOTS[old], _ROOTS[new], proof)


def test_the_seven_leaf_proofs_are_the_ones_drawn_in_the_rfc(tree):
    drawn, hashes = _VECTORS["seven_leaves"], {}
    for name, made_of in drawn["nodes"].items():
        children = made_of.split()
        leaf = len(children) == 1
        hashes[name] = tree.leaf_hash(children[0].encode()) if leaf else tree.node_hash(*map(hashes.get, children))
    read = _reader([b"d%d" % index for index in range(7)])
    for index, names in drawn["inclusion"].items():
        assert tree.inclusion_proof(int(index), 7, read) == [hashes[name] for name in names]
    for old, names in drawn["consistency"].items():
        assert tree.consistency_proof(int(old), 7, read) == [hashes[name] for name in names]


def test_appending_gives_every_root_and_every_complete_node_once(tree):
    peaks, nodes = [], {}
    for size in _SIZES:
        assert tree.root(peaks) == _mth(0, size)
        assert [_mth(n.index << n.level, (n.index + 1) << n.level) for n in tree.peaks(size)] == peaks
        completed, after = tree.append(size, peaks, tree.leaf_hash(_leaves(size + 1)[size]))
        for node, value in completed:
            assert (node.level, node.index) not in nodes
            nodes[node.level, node.index] = value
            assert value == _mth(node.index << node.level, (node.index + 1) << node.level)
        peaks = after
    last = max(_SIZES) + 1
    assert sorted(nodes) == [(level, index) for level in range(1, last) for index in range(last >> level)]


def test_appending_leaves_the_peaks_it_was_given_alone(tree):
    peaks = [_mth(0, 2), _mth(2, 3)]
    tree.append(3, peaks, tree.leaf_hash(b"leaf 3"))
    assert peaks == [_mth(0, 2), _mth(2, 3)]


def test_every_inclusion_proof_is_the_one_the_rfc_defines_and_is_accepted(tree):
    for size in _SIZES:
        for index in range(size):
            assert tree.inclusion_proof(index, size, _reader(_leaves(size))) == _path(index, size)
            tree.verify_inclusion(_mth(index, index + 1), index, size, _path(index, size), _mth(0, size))


def test_every_consistency_proof_is_the_one_the_rfc_defines_and_is_accepted(tree):
    for new in _SIZES:
        for old in range(new + 1):
            expected = _proof(old, new) if old else []
            assert tree.consistency_proof(old, new, _reader(_leaves(new))) == expected
            tree.verify_consistency(old, new, _mth(0, old), _mth(0, new), expected)


def test_an_inclusion_proof_with_any_hash_changed_left_out_or_added_is_refused(tree):
    for size in _SIZES:
        for index in range(size):
            for proof in _spoilt(_path(index, size)):
                with pytest.raises(IntegrityError):
                    tree.verify_inclusion(_mth(index, index + 1), index, size, proof, _mth(0, size))


def test_a_consistency_proof_with_any_hash_changed_left_out_or_added_is_refused(tree):
    for new in _SIZES:
        for old in range(new + 1):
            for proof in _spoilt(_proof(old, new) if old else []):
                with pytest.raises(IntegrityError):
                    tree.verify_consistency(old, new, _mth(0, old), _mth(0, new), proof)


def _spoilt(proof):
    """Every one-step spoiling of a proof: a hash changed, cut, lengthened, left out, doubled or put in."""
    for place, value in enumerate(proof):
        head, rest = proof[:place], proof[place + 1 :]
        yield from ([*head, other, *rest] for other in (_OTHER, value[:-1], value + b"\x00", b"", value[::-1]))
        yield [*head, *rest]
        yield [*head, value, value, *rest]
    yield [*proof, _OTHER]
    yield [_OTHER, *proof]


def test_a_proof_for_another_index_size_leaf_or_root_is_refused(tree):
    for size in range(1, 18):
        for index in range(size):
            good = (_mth(index, index + 1), index, size, _path(index, size), _mth(0, size))
            others = [(*good[:1], each, *good[2:]) for each in range(-1, size + 2) if each != index]
            others += [(*good[:4], each) for each in (_mth(0, size + 1), _OTHER, b"", good[4] + b"\x00")]
            others += [(each, *good[1:]) for each in (_OTHER, b"", good[0][:-1])]
            for other in others:
                with pytest.raises(IntegrityError):
                    tree.verify_inclusion(*other)


def test_an_empty_hash_does_not_prove_itself(tree):
    with pytest.raises(IntegrityError):
        tree.verify_inclusion(b"", 0, 1, [], b"")
    with pytest.raises(IntegrityError):
        tree.verify_consistency(1, 1, b"", b"", [])


def test_a_consistency_proof_for_other_roots_is_refused(tree):
    for new in _SIZES:
        for old in range(new + 1):
            proof = _proof(old, new) if old else []
            others = [(_OTHER, _mth(0, new)), (b"", b""), (_mth(0, old), b"")]
            if old or not new:  # the empty log is the beginning of any other, whatever the other's root
                others.append((_mth(0, old), _OTHER))
            for roots in others:
                with pytest.raises(IntegrityError):
                    tree.verify_consistency(old, new, *roots, proof)
    with pytest.raises(IntegrityError):
        tree.verify_consistency(0, 0, _OTHER, _OTHER, [])


def test_verdicts_agree_with_the_rfcs_algorithm_for_every_size_a_proof_is_held_against(tree):
    """A proof may rightly fit several sizes: what protects the size is the signature over the head, not the path."""
    for size in range(1, 10):
        for index in range(size):
            proof, root, leaf = _path(index, size), _mth(0, size), _mth(index, index + 1)
            for claimed in range(20):
                accepted = _accepts(tree.verify_inclusion, leaf, index, claimed, proof, root)
                assert accepted == rfc6962.includes(leaf, index, claimed, proof, root)
    for new in range(2, 10):
        for old in range(1, new):
            proof, roots = _proof(old, new), (_mth(0, old), _mth(0, new))
            for claimed_new in range(2, 14):
                for claimed_old in range(1, claimed_new):
                    accepted = _accepts(tree.verify_consistency, claimed_old, claimed_new, *roots, proof)
                    assert accepted == rfc6962.extends(claimed_old, claimed_new, *roots, proof)


def test_a_good_proof_under_sizes_that_no_log_can_have_is_refused(tree):
    for new in range(1, 9):
        for old in range(1, new + 1):
            roots, proof = (_mth(0, old), _mth(0, new)), _proof(old, new)
            for claimed in ((first, second) for first in range(-9, 18) for second in range(-9, 18)):
                if not 0 < claimed[0] <= claimed[1]:
                    with pytest.raises(IntegrityError):
                        tree.verify_consistency(*claimed, *roots, proof)
        for index in range(new):
            for claimed in ((first, second) for first in range(-9, 18) for second in range(-9, 18)):
                if not 0 <= claimed[0] < claimed[1]:
                    with pytest.raises(IntegrityError):
                        tree.verify_inclusion(_mth(index, index + 1), *claimed, _path(index, new), _mth(0, new))


def _accepts(verify, *arguments):
    try:
        verify(*arguments)
    except IntegrityError:
        return False
    return True


def test_sizes_that_no_log_can_have_are_refused(tree):
    with pytest.raises(IntegrityError):
        tree.verify_inclusion(_mth(0, 1), 0, 0, [], _ROOTS[0])
    for old, new in ((-1, 0), (-1, 1), (3, 2), (1, 0)):
        with pytest.raises(IntegrityError):
            tree.verify_consistency(old, new, _ROOTS[0], _ROOTS[0], [])
    for index, size in ((0, 0), (-1, 3), (3, 3), (4, 3)):
        with pytest.raises(QueryError):
            tree.inclusion_proof(index, size, _reader(_leaves(5)))
    for old, new in ((-1, 0), (-1, 3), (4, 3)):
        with pytest.raises(QueryError):
            tree.consistency_proof(old, new, _reader(_leaves(5)))


def test_a_proof_in_a_log_of_a_million_leaves_reads_few_nodes(tree):
    asked = []

    def read(nodes):
        asked.append(nodes)
        return [_OTHER] * len(nodes)

    for size in (2**20 - 1, 2**20, 2**20 + 1, 999_999):
        for position in (1, size // 3, size - 2, size - 1):
            tree.inclusion_proof(position, size, read)
            tree.consistency_proof(position, size, read)
    assert max(len(nodes) for nodes in asked) <= 40
    assert all(0 <= node.index + 1 << node.level <= 2**20 + 1 for nodes in asked for node in nodes)

"""Nothing in the security-critical modules can be changed without a test noticing."""

from collector.log import leaf, tree
from tests.log import test_log_leaf, test_log_tree
from tests.log.mutants import facts_in, survivors

_CHECKED_BEFORE = "the lengths were compared before"
_TREE_EQUIVALENT = {
    "verify_consistency: True => False": _CHECKED_BEFORE,
    "_climb: True => False": _CHECKED_BEFORE,
}
_LEAF_EQUIVALENT: dict[str, str] = {}


def test_no_change_of_the_tree_goes_unnoticed():
    assert survivors(tree, facts_in(test_log_tree), _TREE_EQUIVALENT) == []


def test_no_change_of_the_leafs_encoding_goes_unnoticed():
    assert survivors(leaf, facts_in(test_log_leaf), _LEAF_EQUIVALENT) == []

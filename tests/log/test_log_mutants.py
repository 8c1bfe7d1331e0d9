"""Nothing in the security-critical modules can be changed without a test noticing."""

from collector.log import checkpoint, leaf, note, tree
from tests.log import test_log_checkpoint, test_log_leaf, test_log_note, test_log_tree
from tests.log.mutants import facts_in, survivors

_CHECKED_BEFORE = "the lengths were compared before"
_TREE_EQUIVALENT = {
    "verify_consistency: True => False": _CHECKED_BEFORE,
    "_climb: True => False": _CHECKED_BEFORE,
}
_LEAF_EQUIVALENT: dict[str, str] = {}
_NOTE_EQUIVALENT: dict[str, str] = {}
_CHECKPOINT_EQUIVALENT: dict[str, str] = {}


def test_no_change_of_the_tree_goes_unnoticed():
    assert survivors(tree, facts_in(test_log_tree), _TREE_EQUIVALENT) == []


def test_no_change_of_the_leafs_encoding_goes_unnoticed():
    assert survivors(leaf, facts_in(test_log_leaf), _LEAF_EQUIVALENT) == []


def test_no_change_of_the_signed_note_goes_unnoticed():
    assert survivors(note, facts_in(test_log_note), _NOTE_EQUIVALENT) == []


def test_no_change_of_the_checkpoint_goes_unnoticed():
    assert survivors(checkpoint, facts_in(test_log_checkpoint), _CHECKPOINT_EQUIVALENT) == []

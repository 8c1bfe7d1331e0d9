"""The procedure of a kind: its digest names the query an auditor examines."""

from __future__ import annotations

import pytest

from collector.procedure import Kind

KEYS = {
    "name": "aws.kms.keys",
    "title": "Customer and AWS managed keys with rotation status",
    "scope": "region",
    "list": "kms.ListKeys",
    "each": [
        {"op": "DescribeKey", "pick": "KeyMetadata", "gone": ["NotFoundException"]},
        {"op": "GetKeyRotationStatus", "if": "KeyManager=='CUSTOMER'", "into": "Rotation", "absent": ["X"]},
    ],
    "key": "KeyArn",
    "criteria": ["C1.1", "CC6.1"],
}


def test_words_that_a_kind_does_not_use_are_no_part_of_its_digest():
    """What the language learns later must not make it look as if old evidence had been asked for in another way."""
    assert Kind.model_validate(KEYS).digest.hex() == "5ed7ded6a7c7657838506f63ffbceab31c7262d0cc734e64eb55fd31bd1f63f4"


@pytest.mark.parametrize("change", [{"title": "Another title"}, {"every": "hourly"}, {"criteria": []}])
def test_what_does_not_determine_the_evidence_is_no_part_of_the_digest(change):
    assert Kind.model_validate(KEYS | change).digest == Kind.model_validate(KEYS).digest


@pytest.mark.parametrize(
    "change",
    [
        {"paging": "link"},
        {"body": {"a": 1}},
        {"query": "{ a }"},
        {"headers": {"a": "b"}},
        {"grants": ["a"]},
        {"items": "Keys"},
    ],
)
def test_how_a_call_is_made_is_part_of_the_digest(change):
    changed = Kind.model_validate(KEYS | {"list": {"op": "kms.ListKeys"} | change})
    assert changed.digest != Kind.model_validate(KEYS).digest

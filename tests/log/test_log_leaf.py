"""A leaf has one encoding, small and exact; nothing else is a leaf.

Each test takes the module as its argument: the mutation test calls the same functions with every mutant.
"""

import hashlib
import json
from pathlib import Path

import pytest

from collector.errors import IntegrityError

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log_leaf.json").read_text(encoding="utf-8"))


def test_the_golden_leaves_are_made_and_read_byte_for_byte(leaf):
    for case in _VECTORS["leaves"]:
        data = case["bytes"].encode()
        assert leaf.encode_leaf(case["kind"], case["at_ms"], case["payload"]) == data
        content = leaf.decode_leaf(data)
        assert (content.kind, content.at_ms, content.payload) == (case["kind"], case["at_ms"], case["payload"])
        assert type(content.kind) is leaf.LeafKind


def test_the_kinds_are_those_of_the_design(leaf):
    kinds = ["genesis", "plan", "sweep", "upload", "tag", "review"]
    kinds += ["tombstone", "checkpoint", "key", "access", "verify", "gap"]
    kinds += ["engagement", "population", "sample", "reconciliation", "request", "token"]
    assert [kind.value for kind in leaf.LeafKind] == kinds
    for kind in kinds:
        assert leaf.decode_leaf(leaf.encode_leaf(kind, 1, {})).kind == kind


def test_what_is_not_the_one_encoding_of_a_leaf_is_refused(leaf):
    accepted = []
    for name, text in _VECTORS["not_leaves"].items():
        try:
            leaf.decode_leaf(text.encode("utf-8", "surrogatepass"))
        except IntegrityError as error:
            assert error.message.startswith("not a leaf: ")
        else:
            accepted.append(name)
    assert accepted == []


def test_bytes_that_are_not_utf8_are_not_a_leaf(leaf):
    whole = leaf.encode_leaf("tag", 1, {"a": "é"})
    for broken in (whole.replace("é".encode(), b"\xe9"), whole.replace("é".encode(), b"\xed\xa0\x80"), b"\xff"):
        with pytest.raises(IntegrityError):
            leaf.decode_leaf(broken)


def test_a_leaf_is_under_one_kilobyte(leaf):
    room = leaf.MAX_BYTES - len(leaf.encode_leaf("tag", 1, {"a": ""}))
    assert leaf.MAX_BYTES == 1_023
    longest = leaf.encode_leaf("tag", 1, {"a": "x" * room})
    assert len(longest) == 1_023
    assert leaf.decode_leaf(longest).payload == {"a": "x" * room}
    with pytest.raises(leaf.OutsideProfile, match="1024 bytes"):
        leaf.encode_leaf("tag", 1, {"a": "x" * (room + 1)})
    with pytest.raises(IntegrityError, match="1024 bytes"):
        leaf.decode_leaf(longest.replace(b"xx", b"xxx", 1))


def test_what_is_too_long_is_refused_before_it_is_parsed(leaf):
    with pytest.raises(IntegrityError, match="1024 bytes, more than 1023"):
        leaf.decode_leaf(b"[" * 1_024)


def test_the_size_is_counted_in_bytes_not_letters(leaf):
    with pytest.raises(leaf.OutsideProfile):
        leaf.encode_leaf("tag", 1, {"a": "é" * 600})


def test_a_leaf_is_nested_no_deeper_than_eight(leaf):
    def nested(depth):
        return [] if depth == 0 else [nested(depth - 1)]

    data = leaf.encode_leaf("tag", 1, {"a": nested(6)})
    assert data == b'{"a":[[[[[[[]]]]]]],"at":1,"kind":"tag"}'
    assert leaf.decode_leaf(data).payload == {"a": nested(6)}
    with pytest.raises(leaf.OutsideProfile, match="deeper than 8"):
        leaf.encode_leaf("tag", 1, {"a": nested(7)})
    for deep in (b"[" * 1_000, b'{"a":' * 150, b'{"at":1,"kind":' + b"[" * 1_000):
        with pytest.raises(IntegrityError):
            leaf.decode_leaf(deep)


def test_a_payload_outside_the_profile_is_refused_naming_the_place(leaf):
    for payload, complaint in (
        ({"a": 1.0}, "leaf/a: float is not in the profile"),
        ({"a": float("nan")}, "leaf/a: float is not in the profile"),
        ({"a": [1, {"b": 0.5}]}, "leaf/a/1/b: float is not in the profile"),
        ({"a": 2**53}, "leaf/a: an integer beyond 2**53 - 1"),
        ({"a": -(2**53)}, "leaf/a: an integer beyond 2**53 - 1"),
        ({"a": b"bytes"}, "leaf/a: bytes is not in the profile"),
        ({"a": (1, 2)}, "leaf/a: tuple is not in the profile"),
        ({"ü": 1}, "leaf: the key 'ü' is not ASCII text"),
        ({"a": {"ü": 1}}, "leaf/a: the key 'ü' is not ASCII text"),
        ({1: 1}, "leaf: the key 1 is not ASCII text"),
        ({"a": {None: 1}}, "leaf/a: the key None is not ASCII text"),
        ({"kind": "tag"}, "'kind' is the leaf's own and cannot be in the payload"),
        ({"at": 1}, "'at' is the leaf's own and cannot be in the payload"),
        ({"a": "\ud800"}, "a text holds a lone surrogate, which UTF-8 cannot carry"),
    ):
        with pytest.raises(leaf.OutsideProfile) as refused:
            leaf.encode_leaf("tag", 1, payload)
        assert str(refused.value) == complaint


def test_a_time_that_is_not_whole_milliseconds_is_refused(leaf):
    for at_ms in (1.0, True, None, "1", 2**53):
        with pytest.raises(leaf.OutsideProfile):
            leaf.encode_leaf("tag", at_ms, {})


def test_an_unknown_kind_is_refused(leaf):
    for kind in ("alert", "Tag", "", None):
        with pytest.raises(ValueError, match="not a valid LeafKind"):
            leaf.encode_leaf(kind, 1, {})


def test_the_payload_that_was_given_is_left_alone(leaf):
    payload = {"a": 1}
    leaf.encode_leaf("tag", 1, payload)
    assert payload == {"a": 1}


def test_a_stored_leaf_shows_what_it_says_and_its_hash(leaf):
    data = leaf.encode_leaf("tag", 7, {"a": 1})
    stored = leaf.Leaf(3, data, leaf.decode_leaf(data))
    assert (stored.kind, stored.at_ms, stored.payload) == (leaf.LeafKind.TAG, 7, {"a": 1})
    assert stored.hash == hashlib.sha256(b"\x00" + data).digest()

"""Canonical bytes: golden vectors, equality with RFC 8785, and what has no canonical form."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from collector.canonical import CANONICAL_VERSION, canonical, digest, normalise, population_root
from collector.errors import Invalid

GOLDEN = json.loads((Path(__file__).parents[1] / "vectors" / "canonical.json").read_text(encoding="utf-8"))
VECTORS = [pytest.param(each, id=each["fact"]) for each in GOLDEN["vectors"]]

TEXT = st.text(max_size=6) | st.text(
    st.sampled_from('aZ_\x00\x1f"\\/\x7fé\u2028\ud7ff\ue000\uffff\U00010000\U0010ffff'), max_size=4
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e-4, 1e-4)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXT | NUMBERS | st.binary(max_size=5) | st.datetimes(timezones=st.timezones()),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


def test_the_vectors_are_of_this_version_of_the_form():
    assert GOLDEN["version"] == CANONICAL_VERSION


@pytest.mark.parametrize("vector", VECTORS)
def test_a_golden_vector_has_these_bytes_and_this_digest(vector):
    data = canonical(json.loads(vector["given"]))
    assert data.decode() == vector["canonical"]
    assert digest(data).hex() == vector["sha256"]


@pytest.mark.parametrize("vector", VECTORS)
def test_an_independent_implementation_agrees_with_the_golden_vectors(vector):
    assert rfc8785.dumps(json.loads(vector["canonical"])) == vector["canonical"].encode()


@given(VALUES)
def test_bytes_equal_rfc_8785_of_the_normalised_value(value):
    assert canonical(value) == rfc8785.dumps(normalise(value))


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e-4, 1e-4) | st.floats(-1e16, 1e16))
def test_numbers_are_written_as_ecmascript_writes_them(number):
    assert canonical([number]) == rfc8785.dumps(normalise([number]))


@given(VALUES)
def test_normalising_twice_is_normalising_once(value):
    assert normalise(normalise(value)) == normalise(value)
    assert canonical(normalise(value)) == canonical(value)


@given(VALUES)
def test_what_is_read_back_has_the_same_bytes(value):
    """So stored evidence can be re-hashed from its parsed form."""
    assert canonical(json.loads(canonical(value))) == canonical(value)


@given(st.dictionaries(TEXT, st.integers(0, 9), max_size=8))
def test_the_order_of_keys_given_does_not_matter(document):
    assert canonical(document) == canonical(dict(reversed(document.items())))


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (datetime(2026, 3, 14, 3, 0, tzinfo=UTC), "2026-03-14T03:00:00Z"),
        (datetime(2026, 3, 14, 3, 0, tzinfo=timezone(timedelta(hours=2))), "2026-03-14T01:00:00Z"),
        (datetime(2026, 3, 14, 3, 0, 0, 1500, tzinfo=UTC), "2026-03-14T03:00:00.001500Z"),
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        ((1, (2,)), [1, [2]]),
        (2.0, 2),
        (-0.0, 0),
        (1e21, "1000000000000000000000"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**63), "-9223372036854775808"),
        (Colour.RED, "red"),
        ({Colour.RED: Level.HIGH}, {"red": 3}),
        (True, True),
    ],
)
def test_a_value_of_python_becomes_plain_json(value, plain):
    found = normalise(value)
    assert found == plain
    assert type(found) is type(plain)
    assert canonical(value) == canonical(plain)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        datetime.fromisoformat("2026-03-14"),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        {1: "a"},
        {None: "a"},
        {1, 2},
        object(),
        "\ud800",
        {"\udfff": 1},
        1j,
    ],
)
def test_what_is_not_json_is_invalid_at_any_depth(value):
    with pytest.raises(Invalid):
        canonical(value)
    with pytest.raises(Invalid):
        canonical({"deep": [{"er": value}]})


def test_nesting_without_end_is_invalid_and_no_crash():
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Invalid):
        canonical(value)
    with pytest.raises(Invalid):
        normalise(value)


def test_the_root_of_no_items_is_the_hash_of_nothing():
    assert population_root([]) == hashlib.sha256(b"").digest()


def _root(leaves):
    """RFC 6962 section 2.1, as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 100])
def test_the_root_is_the_rfc_6962_tree_over_sorted_pairs_in_whatever_order_they_come(count):
    pairs = [(digest(b"key %d" % n), digest(b"artifact %d" % n)) for n in range(count)]
    expected = _root([key + artifact for key, artifact in sorted(pairs)])
    assert population_root(pairs) == population_root(reversed(pairs)) == expected


def test_moving_an_artifact_to_another_key_changes_the_root():
    one, two, three, four = (digest(bytes([n])) for n in range(4))
    assert population_root([(one, three), (two, four)]) != population_root([(one, four), (two, three)])

"""How leaves are stored: smaller, and exactly what they are when they are read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from collector.errors import IntegrityError
from collector.log import ledger
from collector.log.leaf import MAX_BYTES, LeafKind, encode_leaf
from collector.log.packing import pack_leaf, unpack_leaf
from collector.log.tables import log_leaf

_DIGESTS = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
_TEXTS = st.text(max_size=20) | _DIGESTS | _DIGESTS.map(lambda digest: digest[:32]) | st.text("0123456789abcdef")
_PAYLOADS = st.dictionaries(st.sampled_from(["root", "signed", "source", "sweep"]), _TEXTS | st.integers(0, 10**9))
_SWEEP = encode_leaf(
    LeafKind.SWEEP,
    1_764_150_000_123,
    {"due": 1_764_150_000_000, "plan": 1, "root": "5e" * 32, "runs": {"unchanged": 12}, "source": "paper", "sweep": 7},
)

_PACKED = (
    "0102207e3d01009034313530303030313233327061706572377d07fc3c43a2ae436ba1bfd6bbf6ade5caca893a0b5e5e5e5e"
    "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"
)


@given(st.sampled_from(LeafKind), st.integers(0, 2**45), _PAYLOADS)
@settings(deadline=None, max_examples=300)
def test_a_leaf_is_read_as_it_was_packed_and_is_never_larger(kind, at_ms, payload):
    data = encode_leaf(kind, at_ms, payload)
    stored = pack_leaf(data)
    assert unpack_leaf(stored) == data
    assert len(stored) <= len(data)


def test_a_sweeps_leaf_takes_less_than_half_of_its_bytes():
    assert len(pack_leaf(_SWEEP)) < len(_SWEEP) / 2


def test_what_was_packed_once_is_read_for_ever():
    """Made by the first version that packed; words or a form that changed would lose every log there is."""
    assert unpack_leaf(bytes.fromhex(_PACKED)) == _SWEEP


def test_a_leaf_that_was_stored_before_leaves_were_packed_is_read_as_it_is():
    assert unpack_leaf(_SWEEP) == _SWEEP


@given(st.binary(max_size=200) | st.builds(lambda tail: b"\x01" + tail, st.binary(max_size=200)))
@settings(deadline=None, max_examples=500)
def test_any_bytes_are_read_or_refused_as_no_leaf(stored):
    try:
        unpack_leaf(stored)
    except IntegrityError as error:
        assert error.message.startswith("not a leaf: ")


@pytest.mark.parametrize(
    ("stored", "what"),
    [
        (b"\x01", "it cannot be unpacked"),
        (b"\x01\xff\x00", "it cannot be unpacked"),
        (pack_leaf(_SWEEP) + b"\x00", "it cannot be unpacked"),
        (b"\x01\x00" + pack_leaf(_SWEEP)[2:-32], "another number of digests"),
    ],
    ids=["nothing", "fewer bytes than digests", "a byte more", "no digests"],
)
def test_bytes_that_no_leaf_was_packed_into_are_refused(stored, what):
    with pytest.raises(IntegrityError, match=what):
        unpack_leaf(stored)


def test_a_few_bytes_that_would_unpack_to_more_than_a_leaf_are_refused_before_they_do():
    large = json.dumps(["x" * 10_000]).encode()
    stored = pack_leaf(large)
    assert len(stored) < MAX_BYTES
    with pytest.raises(IntegrityError, match="more than a leaf can be"):
        unpack_leaf(stored)


def test_a_log_from_before_leaves_were_packed_goes_on_and_is_whole(log):
    log.grow(40)
    with log.writing() as conn:
        for leaf in list(ledger.leaves(conn)):
            conn.execute(update(log_leaf).where(log_leaf.c.idx == leaf.index).values(bytes=leaf.data))
        ledger.append(conn, LeafKind.SWEEP, {"number": 40, "root": "5e" * 32}, 1_040)
    assert log.check().size == 41

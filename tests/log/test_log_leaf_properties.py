"""Leaves against the rfc8785 package, and against whatever bytes someone puts in their place."""

import string

import rfc8785
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collector.errors import IntegrityError
from collector.log.leaf import MAX_INTEGER, LeafKind, OutsideProfile, decode_leaf, encode_leaf

_KEYS = st.text(st.characters(max_codepoint=127), max_size=8).filter(lambda key: key not in ("kind", "at"))
_INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER)
_SCALARS = st.none() | st.booleans() | _INTEGERS | st.text(max_size=20)
_VALUES = st.recursive(
    _SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(_KEYS, each, max_size=3), max_leaves=6
)
_PAYLOADS = st.dictionaries(_KEYS, _VALUES, max_size=4)


def _encoded(kind, at_ms, payload):
    try:
        return encode_leaf(kind, at_ms, payload)
    except OutsideProfile as error:
        assume("bytes, more than" not in str(error) and "deeper" not in str(error))
        raise


@given(st.sampled_from(LeafKind), _INTEGERS, _PAYLOADS)
@settings(deadline=None, max_examples=300)
def test_a_leaf_is_what_rfc8785_makes_of_it_and_reads_back(kind, at_ms, payload):
    data = _encoded(kind, at_ms, payload)
    assert data == rfc8785.dumps({**payload, "kind": kind.value, "at": at_ms})
    content = decode_leaf(data)
    assert (content.kind, content.at_ms, content.payload) == (kind, at_ms, payload)


_JSON_SOUP = st.text(string.ascii_letters + string.digits + '{}[]",:.-+\\ \n\t\x00é\ud800', max_size=60)


@given(st.binary(max_size=60) | _JSON_SOUP.map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(deadline=None)
def test_any_bytes_are_refused_or_are_the_one_encoding(data):
    _refused_or_exact(data)


@given(_PAYLOADS, st.data())
@settings(deadline=None, max_examples=300)
def test_a_leaf_with_a_few_bytes_changed_is_refused_or_is_another_whole_leaf(payload, data):
    leaf = bytearray(_encoded(LeafKind.SWEEP, 1, payload))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(leaf)))
        leaf[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    _refused_or_exact(bytes(leaf))


def _refused_or_exact(data):
    try:
        content = decode_leaf(data)
    except IntegrityError:
        return
    assert encode_leaf(content.kind, content.at_ms, content.payload) == data

"""Volatile fields are stored in columns, and come back by item."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.canonical import canonical
from collector.errors import IntegrityError
from collector.store.volatile_columns import by_item, in_columns

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
values = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts | st.lists(texts, max_size=2)
documents = st.dictionaries(texts, st.dictionaries(st.sampled_from(["Used", "a.b", "version"]) | texts, values))


@given(documents)
def test_any_fields_come_back_from_their_columns_as_they_were(fields):
    stored = in_columns(canonical(fields))
    assert by_item(orjson.loads(stored)) == fields
    assert in_columns(canonical(by_item(orjson.loads(stored)))) == stored


def test_the_stored_form_is_the_second_for_good():
    fields = {"b": {"Used": "2026-03-14", "Count": None}, "a": {"Used": "2026-03-13"}}
    assert in_columns(canonical(fields)) == (
        b'{"items":["a","b"],"paths":{"Count":[null],"Used":["2026-03-13","2026-03-14"]},"version":2,'
        b'"without":{"Count":[0]}}'
    )


@given(documents)
def test_fields_of_the_first_form_are_read_as_they_are(fields):
    assert by_item(fields) == fields


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"version": 3, "items": [], "paths": {}, "without": {}},
        {"version": 2, "items": ["a"]},
        {"version": 2, "items": ["a"], "paths": {"Used": []}, "without": {}},
        {"version": 2, "items": ["a"], "paths": {"Used": [1, 2]}, "without": {}},
    ],
)
def test_what_is_no_such_document_is_an_integrity_error(document):
    with pytest.raises(IntegrityError):
        by_item(document)

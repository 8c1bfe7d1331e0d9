"""The judge on small schemas: what is closed, what is open, and which alternative is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.described.judge import problems
from tests.fakes.described.sample import sample

_PARTS = {
    "Named": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    "Aged": {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}},
    "Person": {"allOf": [{"$ref": "Named"}, {"$ref": "Aged"}]},
    "Tree": {"type": "object", "properties": {"leaf": {"type": "string"}, "under": {"$ref": "Tree"}}},
    "Either": {"oneOf": [{"$ref": "Person"}, {"type": "string", "enum": ["nobody"]}]},
    "Open": {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": True},
    "Counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    "Free": {"type": "object"},
    "Maybe": {"allOf": [{"$ref": "Named"}], "nullable": True},
    "Pydantic": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "Growing": {"type": "string", "enum": ["a"], "x-ms-enum": {"modelAsString": True}},
    "Short": {"type": "string", "maxLength": 3},
    "Few": {"type": "array", "items": {"type": "string"}, "maxItems": 1},
    "Java": {"type": "string", "pattern": r"\p{Alpha}+"},
    "Big": {"type": "string", "format": "int64"},
}


def _rules(name, value):
    return sorted({f"{each.rule} {each.path}".strip() for each in problems(value, {"$ref": name}, _PARTS.__getitem__)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Person", {"name": "a", "age": 1}),
        ("Tree", {"under": {"under": {"leaf": "x"}}}),
        ("Either", {"name": "a"}),
        ("Either", "nobody"),
        ("Open", {"name": "a", "more": 1}),
        ("Counts", {"x": 1}),
        ("Free", {"what": ["ever"]}),
        ("Maybe", None),
        ("Pydantic", None),
        ("Growing", "b"),
        ("Java", "a"),
        ("Big", "12345678901234567890"),
    ],
)
def test_a_value_that_the_schema_allows_has_no_problem(name, value):
    assert _rules(name, value) == []


@pytest.mark.parametrize(
    ("name", "value", "rules"),
    [
        ("Person", {"age": 1}, ["required name"]),
        ("Person", {"name": "a", "aged": 1}, ["unknown aged"]),
        ("Person", {"name": "a", "age": -1}, ["limit age"]),
        ("Person", {"name": "a", "age": True}, ["type age"]),
        ("Person", {"name": "a", "age": 1.5}, ["type age"]),
        ("Person", None, ["null"]),
        ("Tree", {"under": {"under": {"leave": "x"}}}, ["unknown under.under.leave"]),
        ("Either", "somebody", ["enum"]),
        ("Open", {"name": 1}, ["type name"]),
        ("Counts", {"x": "1"}, ["type x"]),
        ("Maybe", {}, ["required name"]),
        ("Pydantic", 1, ["type"]),
        ("Short", "abcd", ["limit"]),
        ("Few", ["a", "b"], ["limit"]),
        ("Few", [1], ["type []"]),
        ("Big", "many", ["type"]),
    ],
)
def test_a_value_that_it_does_not_allow_is_told_by_rule_and_path(name, value, rules):
    assert _rules(name, value) == rules


_PLAIN = st.sampled_from([{"type": kind} for kind in ("string", "integer", "boolean", "number")])
_SCHEMAS = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1).flatmap(
            lambda fields: st.sets(st.sampled_from(sorted(fields))).map(
                lambda needed: {"type": "object", "properties": fields, "required": sorted(needed)}
            )
        ),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"oneOf": parts}),
    ),
    max_leaves=8,
)


@given(_SCHEMAS, st.integers(min_value=0, max_value=50))
def test_what_is_made_up_from_a_schema_is_always_allowed_by_it(schema, number):
    assert problems(sample(schema, _PARTS.__getitem__, number), schema, _PARTS.__getitem__) == []


@given(_SCHEMAS, st.integers(min_value=0, max_value=50))
def test_a_field_that_no_schema_knows_is_never_allowed(schema, number):
    made = sample({"type": "object", "properties": {"it": schema}, "required": ["it"]}, _PARTS.__getitem__, number)
    around = {"type": "object", "properties": {"it": schema}}
    said = problems(made | {"strange": 1}, around, _PARTS.__getitem__)
    assert [(each.path, each.rule) for each in said] == [("strange", "unknown")]

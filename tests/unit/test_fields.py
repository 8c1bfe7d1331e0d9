"""Field paths: what they name, and what is done to it."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import fields
from collector.errors import ConfigError
from collector.procedure import load_kinds

ROLES = {
    "Roles": [
        {"Name": "b", "Used": {"At": 1, "Region": "eu"}, "Tags": [{"k": "x"}, {"k": "y"}]},
        {"Name": "a", "Used": {"At": 2}},
        {"Name": "c"},
    ],
    "Meta": {"LastModified": "2026", "LastSeen": "2025", "Version": 3},
    "labels": {"app.io/name": "shop", "tier": "web"},
}


@pytest.fixture
def roles():
    return copy.deepcopy(ROLES)


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("Meta.Version", {"Meta.Version": 3}),
        ("Meta.Last*", {"Meta.LastModified": "2026", "Meta.LastSeen": "2025"}),
        ("Meta.Last????", {"Meta.LastSeen": "2025"}),
        ("Roles[].Used", {"Roles[0].Used": {"At": 1, "Region": "eu"}, "Roles[1].Used": {"At": 2}}),
        ("Roles[].Used.At", {"Roles[0].Used.At": 1, "Roles[1].Used.At": 2}),
        ("Roles.Used.At", {"Roles[0].Used.At": 1, "Roles[1].Used.At": 2}),
        ("Roles[].Tags[].k", {"Roles[0].Tags[0].k": "x", "Roles[0].Tags[1].k": "y"}),
        ("**.At", {"Roles[0].Used.At": 1, "Roles[1].Used.At": 2}),
        ("Roles.**.k", {"Roles[0].Tags[0].k": "x", "Roles[0].Tags[1].k": "y"}),
        ("**.Version", {"Meta.Version": 3}),
        ("*.Version", {"Meta.Version": 3}),
        ('labels."app.io/name"', {'labels."app.io/name"': "shop"}),
        ("labels.**", {'labels."app.io/name"': "shop", "labels.tier": "web"}),
        ("Meta", {"Meta": ROLES["Meta"]}),
        ("Nothing.Here", {}),
        ("meta.version", {}),
        ("Meta[].Version", {}),
    ],
)
def test_a_path_names_these_fields(roles, path, gone):
    assert fields.split(roles, [path]) == gone


def test_removed_fields_are_gone_and_everything_else_stays(roles):
    fields.remove(roles, ["Roles[].Used", "Roles[].Tags", "labels", "Meta.Last*"])
    assert roles == {"Roles": [{"Name": "b"}, {"Name": "a"}, {"Name": "c"}], "Meta": {"Version": 3}}


def test_removing_tells_which_of_the_declared_paths_matched(roles):
    assert fields.remove(roles, ["Meta.Last*", "Meta.Nope", "Roles[].Used"]) == ["Meta.Last*", "Roles[].Used"]


def test_removing_the_elements_of_a_list_leaves_an_empty_list():
    document = {"a": [1, 2, 3], "b": [4]}
    fields.remove(document, ["a[]"])
    assert document == {"a": [], "b": [4]}


def test_a_field_inside_a_removed_field_is_part_of_it_and_not_counted_again():
    document = {"secret": {"secret": 1, "other": 2}, "more": {"secret": {"deep": {"secret": 3}}}}
    assert fields.split(document, ["**.secret"]) == {
        "secret": {"secret": 1, "other": 2},
        "more.secret": {"deep": {"secret": 3}},
    }
    assert document == {"more": {}}


def test_marking_counts_values_per_path_and_keeps_nulls(roles):
    roles["Roles"][2]["Used"] = None
    counts = fields.mark(roles, ["Roles[].Used", "**.tier", "**.nope"], "[x]")
    assert counts == {"Roles[].Used": 2, "**.tier": 1}
    assert [role["Used"] for role in roles["Roles"]] == ["[x]", "[x]", None]


def test_a_value_marked_once_is_not_counted_again(roles):
    assert fields.mark(roles, ["Meta.Version", "**.Version"], "[x]") == {"Meta.Version": 1}
    assert fields.mark(roles, ["Meta.Version"], "[x]") == {}


def test_marking_the_elements_of_a_list_keeps_their_number():
    document = {"a": ["p", "q"]}
    fields.mark(document, ["a[]"], "[x]")
    assert document == {"a": ["[x]", "[x]"]}


def test_sets_are_sorted_by_canonical_bytes_inner_ones_first():
    document = {"groups": [["c", "a"], ["b", "a"]], "order": [3, 1]}
    fields.sort_sets(document, ["groups", "groups[][]"])
    assert document == {"groups": [["a", "b"], ["a", "c"]], "order": [3, 1]}


def test_a_set_named_with_or_without_brackets_is_the_same():
    one, other = {"s": [2, 1]}, {"s": [2, 1]}
    fields.sort_sets(one, ["s"])
    fields.sort_sets(other, ["s[]"])
    assert one == other == {"s": [1, 2]}


def test_a_set_that_is_not_a_list_is_left_alone():
    document = {"s": {"b": 1}, "t": "text"}
    fields.sort_sets(document, ["s", "t", "u"])
    assert document == {"s": {"b": 1}, "t": "text"}


def test_positions_of_split_fields_point_into_the_sorted_list(roles):
    """Else an auditor would read one role's last use beside another role's name."""
    used = fields.split(roles, ["Roles[].Used"], ["Roles[]"])
    names = {role["Name"]: index for index, role in enumerate(roles["Roles"])}
    assert used == {f"Roles[{names['a']}].Used": {"At": 2}, f"Roles[{names['b']}].Used": ROLES["Roles"][0]["Used"]}


def test_positions_follow_through_nested_sets():
    document = {"a": [{"b": [{"n": 2, "v": "x"}, {"n": 1, "v": "y"}], "z": 9}, {"b": [{"n": 0, "v": "w"}], "z": 1}]}
    taken = fields.split(document, ["a[].b[].v"], ["a", "a[].b"])
    assert document == {"a": [{"b": [{"n": 0}], "z": 1}, {"b": [{"n": 1}, {"n": 2}], "z": 9}]}
    assert taken == {"a[1].b[1].v": "x", "a[1].b[0].v": "y", "a[0].b[0].v": "w"}


def test_whole_elements_can_be_split_off_a_set():
    document = {"a": [{"v": 2}, {"v": 1}]}
    assert fields.split(document, ["a[].v", "a[]"], ["a"]) == {"a[0].v": 2, "a[1].v": 1, "a[0]": {}, "a[1]": {}}
    assert document == {"a": []}


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "a[0]", "a[", "a]b", "a b", 'a."b', "a.[]", 'a"b"', "a[]b"]
)
def test_a_malformed_path_is_an_error_that_names_it(path):
    with pytest.raises(ConfigError) as error:
        fields.remove({"a": 1}, [path])
    assert repr(path) in str(error.value)


@pytest.mark.parametrize("field", ["volatile", "redact", "never", "sets"])
def test_a_kind_with_a_malformed_path_is_an_error_that_names_file_kind_and_field(tmp_path, field):
    path = tmp_path / "shop.toml"
    path.write_text(f'["shop.things"]\ntitle = "Things of a shop"\n{field} = ["fine", "not..fine"]\n')
    with pytest.raises(ConfigError) as error:
        load_kinds(path)
    assert str(error.value).startswith(f'{path}: ["shop.things"] {field}.1: ')
    assert "'not..fine'" in str(error.value)


NAMES = st.text(min_size=0, max_size=4)
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(DOCUMENTS, st.lists(NAMES, min_size=1, max_size=3))
def test_a_joined_path_names_just_that_field_whatever_its_name_holds(document, names):
    path = ""
    for name in names:
        path = fields.join(path, name)
    assert fields.parse(path) == tuple(names)
    node = document
    for name in names[:-1]:
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            return
    node[names[-1]] = "planted"
    assert fields.split(document, [path]) == {path: "planted"}
    assert names[-1] not in node


@given(DOCUMENTS)
def test_splitting_everything_off_takes_every_field_of_the_document(document):
    before = json.dumps(document, sort_keys=True)
    taken = fields.split(document, ["**"])
    assert document == {}
    assert json.dumps({fields.parse(path)[0]: value for path, value in taken.items()}, sort_keys=True) == before


@given(DOCUMENTS)
def test_a_path_that_names_nothing_changes_nothing(document):
    before = copy.deepcopy(document)
    assert fields.remove(document, ["**.surely-not-there"]) == []
    assert document == before


@given(st.lists(st.integers() | st.text(max_size=3) | st.booleans(), max_size=8))
def test_a_sorted_set_does_not_depend_on_the_order_it_came_in(elements):
    one, other = {"s": list(elements)}, {"s": list(reversed(elements))}
    fields.sort_sets(one, ["s"])
    fields.sort_sets(other, ["s"])
    assert json.dumps(one) == json.dumps(other)

"""What is remembered of the last reading saves work, and never changes what comes of this one."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import Invalid
from collector.intake import Population
from collector.model import Head, Scope, Subject
from collector.procedure import Kind

SCOPE = Scope("site", "account")
SPEC = {
    "name": "paper.users",
    "title": "Users of the paper",
    "list": "GET /users",
    "key": "id",
    "every": "hourly",
    "volatile": ["seen"],
    "redact": ["pin"],
    "sets": ["groups"],
    "never": ["picture"],
}
KIND = Kind.model_validate(SPEC)
SECRET = "ghp_" + "a" * 36

values = st.recursive(
    st.sampled_from(
        [None, True, False, 0, 1, 1.0, 0.5, math.nan, "1", "", "x", SECRET, "2026-03-14T12:00:00Z", 2**60, b"x"]
    )
    | st.just(datetime(2026, 3, 14, 12, tzinfo=UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
documents = st.dictionaries(st.sampled_from(["seen", "pin", "groups", "picture", "role", "note"]), values, max_size=5)
populations = st.dictionaries(st.sampled_from("pqrs"), documents, max_size=4)


def copied(value):
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


def read(documents, head, *, kind=KIND, keep_volatile=False):
    """Return what reading *documents* comes to: digests, redactions, changes; or that it is invalid."""
    population = Population(kind, SCOPE, head, lambda _: None, keep_volatile)
    try:
        for key, document in documents.items():
            population.add({"id": key, **copied(document)})
    except Invalid as error:
        return str(error), None
    return (population.contents, population.redactions, population.changes(), population.volatile), population


def head_after(population):
    head = Head(Subject("paper:hq", KIND.name, "site"), b"known")
    head.contents = dict(population.contents) if population else {}
    head.keys = dict.fromkeys(head.contents, "")
    return head


@given(populations, populations, st.booleans())
def test_what_is_remembered_changes_nothing_of_what_comes_of_a_reading(before, after, keep_volatile):
    _, first = read(before, head_after(None))
    plain, remembering = head_after(first), head_after(first)
    if first is not None:
        remembering.prepared = first.known()
    mixed = after | {key: before[key] for key in list(before)[:2]}
    expected, _ = read(mixed, plain, keep_volatile=keep_volatile)
    assert read(mixed, remembering, keep_volatile=keep_volatile)[0] == expected


def test_an_item_that_is_as_it_was_is_not_redacted_again_and_its_redactions_are_counted():
    seen = {"p": {"note": SECRET, "pin": "1234"}, "q": {"role": "admin"}}
    _, first = read(seen, head_after(None))
    head = head_after(first)
    head.prepared = first.known()
    _, again = read(seen, head)
    assert again.redactions == first.redactions == Counter({("note", "github_token"): 1, ("pin", "declared"): 1})
    assert (again.changes(), again.new) == ((), {})


@pytest.mark.parametrize(
    ("was", "now"), [(None, math.nan), (1, True), ("2026-03-14T12:00:00+00:00", datetime(2026, 3, 14, 12, tzinfo=UTC))]
)
def test_values_that_look_alike_are_not_taken_for_each_other(was, now):
    _, first = read({"p": {"role": was}}, head_after(None))
    head = head_after(first)
    head.prepared = first.known()
    found, again = read({"p": {"role": now}}, head)
    assert again is None or again.changes(), found


def test_another_procedure_remembers_nothing_of_the_last_one():
    _, first = read({"p": {"role": "admin"}}, head_after(None))
    head = head_after(first)
    head.prepared = first.known()
    stricter = Kind.model_validate(SPEC | {"redact": ["role"]})
    found, again = read({"p": {"role": "admin"}}, head, kind=stricter)
    assert found[1] == Counter({("role", "declared"): 1})
    assert len(again.changes()) == 1


def test_two_items_with_one_key_are_invalid_also_when_they_are_as_they_were():
    _, first = read({"p": {"role": "admin"}}, head_after(None))
    head = head_after(first)
    head.prepared = first.known()
    population = Population(KIND, SCOPE, head, lambda _: None, False)
    population.add({"id": "p", "role": "admin"})
    with pytest.raises(Invalid, match="one key"):
        population.add({"id": "p", "role": "admin"})

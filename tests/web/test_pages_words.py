"""How pages put things: nothing that evidence says becomes markup, deceives the eye or grows without end."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from collector.errors import QueryError
from collector.model import Outcome, Reason
from collector.web import columns
from collector.web.outline import MOST_LINES, outline
from collector.web.pages import address, as_json, instant, percent, shown, text_of
from collector.words import fell_short
from tests.web.vendors import BIDI, HIDDEN


def documents(texts):
    """Return what makes JSON documents out of *texts*."""
    return st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=60,
    )


@given(st.text())
def test_what_nobody_can_see_is_shown_as_an_escape(text):
    assert seen(text_of(text))


def seen(text):
    """Tell whether everything in *text* can be seen, or is a space."""
    return all(each.isprintable() or unicodedata.category(each) == "Zs" for each in text)


@pytest.mark.parametrize(("text", "said"), [(BIDI, "invoice\\u202egnp.exe"), (HIDDEN, "ad\\u200bmin")])
def test_letters_in_another_order_and_letters_between_are_seen(text, said):
    assert text_of(text) == said


def test_ten_megabytes_are_cut_at_once_and_say_how_many_they_were():
    began = perf_counter()
    said = shown("\u202e" * 10_000_000)
    assert perf_counter() - began < 1
    assert len(said) < 15_000
    assert said.endswith("(the first 2,000 of 10,000,000 characters)")


def test_markup_of_our_own_is_left_as_it_is():
    assert text_of(Markup("<b>\u202e</b>")) == "<b>\u202e</b>"


def test_instants_are_utc_and_have_milliseconds_only_where_there_are_any():
    assert instant(datetime(2026, 3, 14, 3, 0, 12, tzinfo=UTC)) == "2026-03-14 03:00:12Z"
    assert instant(datetime(2026, 3, 14, 3, 0, 12, 7000, tzinfo=UTC)) == "2026-03-14 03:00:12.007Z"


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_only_all_of_it_is_a_hundred_per_cent_and_only_none_of_it_is_zero(part, rest):
    said = percent(part, part + rest)
    assert (said in ("100%", "100.0%")) == (part > 0 and rest == 0)
    assert (said in ("0%", "0.0%")) == (part == 0 and rest > 0)


def test_an_address_quotes_what_stands_in_it_and_leaves_out_what_is_empty():
    at = datetime(2025, 1, 1, tzinfo=UTC)
    assert address("e", "a?b c", "kinds", from_=at, source="", key="x&y") == (
        "/e/a%3Fb%20c/kinds?from=2025-01-01T00%3A00%3A00Z&key=x%26y"
    )


@given(documents(st.text(max_size=20)))
def test_everything_in_an_outline_can_be_seen(document):
    assert all(seen(text_of(line.value)) for line in outline(document) if line.value is not None)


@given(documents(st.text("abc", max_size=20)))
def test_an_outline_has_every_plain_value(document):
    written = "\n".join(line.value for line in outline(document) if line.value is not None)
    assert all(as_json(value) in written for value in plain_values(document))


def plain_values(value):
    """Return everything in *value* that holds nothing itself."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inside is None else [plain for each in inside for plain in plain_values(each)]


def test_an_outline_that_is_too_long_says_that_it_goes_on():
    lines = outline({f"field-{number}": number for number in range(10_000)})
    assert (len(lines), lines[-1].cut) == (MOST_LINES + 1, True)


def test_a_document_that_is_nested_without_end_is_shown_as_json_from_some_depth_on():
    document = {"a": 1}
    for _ in range(100):
        document = {"a": document}
    assert outline(document)[-1].value == as_json({"a": 1}) or len(outline(document)) < 20


def test_columns_are_picked_that_tell_items_apart():
    users = [
        {"id": f"user-{n}", "arn": f"arn:{n}" * 20, "role": "admin" if n % 3 else "guest", "type": "user", "tags": []}
        for n in range(30)
    ]
    assert columns.picked(users, [each["id"] for each in users]) == ("role", "type")


def test_columns_that_were_redacted_are_not_picked():
    found = [{"token": f"[redacted:declared {n}]", "role": "admin"} for n in range(3)]
    assert columns.picked(found, ["a", "b", "c"]) == ("role",)


@given(st.lists(documents(st.text(max_size=8)), max_size=5))
def test_any_documents_have_columns_that_find_something_or_nothing(found):
    for name in columns.picked(found, [""] * len(found)):
        for document in found:
            columns.found_by([name], document)


@pytest.mark.parametrize("typed", ["a[", ";".join("abcdefgh"), "a" * 501])
def test_columns_that_are_none_or_too_many_are_refused(typed):
    with pytest.raises(QueryError):
        columns.typed(typed)


class _Gap:
    detail = None

    def __init__(self, outcome, reason):
        self.outcome, self.reason = outcome, reason


def test_a_gap_in_which_runs_failed_and_slots_were_missed_says_both():
    assert fell_short(_Gap(Outcome.MISSED, Reason.DENIED)) == "missed, and failed: denied"
    assert fell_short(_Gap(Outcome.MISSED, None)) == "missed"


def test_lengths_are_said_in_their_two_largest_units():
    assert text_of(timedelta(days=2, hours=3, minutes=4)) == "2 d 3 h"

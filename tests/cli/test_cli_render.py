"""How values are put into text and JSON, and what a hostile one can do: nothing."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.cli.layout import Table, lines, outline, show, text_of
from collector.cli.render import show_json
from collector.model import Detail, Outcome, Slot, Subject
from collector.words import plain, plural, safe, size, span

ANY_TEXT = st.text(st.characters(codec=None), max_size=20)
DANGEROUS = {"Cc", "Cf", "Zl", "Zp", "Cs"}


def harmless(text):
    return not [each for each in text if unicodedata.category(each) in DANGEROUS]


@given(ANY_TEXT)
def test_no_text_reaches_the_terminal_with_a_control_or_bidirectional_character(text):
    assert harmless(safe(text))


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=20))
def test_ordinary_text_of_any_script_is_shown_as_it_is(text):
    if not any(unicodedata.name(each, "").startswith(("HANGUL", "HALFWIDTH HANGUL")) for each in text):
        assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b2J", r"\x9b2J"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\u202eexe.txt", r"\u202eexe.txt"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\u200bzero", r"\u200bzero"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_dangerous_characters_are_shown_as_escapes(text, shown):
    assert safe(text) == shown


@given(st.recursive(ANY_TEXT, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner), max_leaves=5))
def test_json_is_harmless_and_gives_back_what_it_was_given(value):
    written = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", SimpleNamespace(write=written.append, flush=lambda: None))
        show_json({"value": value})
    text = "".join(written)
    assert harmless(text.replace("\n", ""))
    assert json.loads(text) == {"value": value}


def test_records_become_json_with_rfc_3339_times_and_named_digests():
    slot = Slot(Subject("s", "k", "r"), datetime(2026, 3, 14, 3, tzinfo=UTC))
    assert plain(slot) == {"due": "2026-03-14T03:00:00Z", "subject": {"kind": "k", "scope": "r", "source": "s"}}
    assert plain({"digest": b"\x01\x02", "outcome": Outcome.FAILED, "long": timedelta(minutes=1)}) == {
        "digest": "sha256:0102",
        "outcome": "failed",
        "long": 60.0,
    }


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (None, "-"),
        (timedelta(0), "0.0 s"),
        (timedelta(seconds=0.25), "0.2 s"),
        (timedelta(seconds=75), "1 min 15 s"),
        (timedelta(hours=1), "1 h"),
        (timedelta(days=2, hours=3, minutes=4), "2 d 3 h"),
        (timedelta(seconds=-2), "-2.0 s"),
    ],
)
def test_lengths_of_time_are_shown_as_people_say_them(length, shown):
    assert span(length) == shown


@pytest.mark.parametrize(
    ("octets", "shown"), [(0, "0 B"), (999, "999 B"), (27_000_000, "27.0 MB"), (10**15, "1000.0 TB")]
)
def test_sizes_are_shown_as_people_say_them(octets, shown):
    assert size(octets) == shown


def test_counted_things_have_their_plural():
    assert (plural(1, "gap"), plural(2, "gap"), plural(1200, "slot")) == ("1 gap", "2 gaps", "1,200 slots")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ((), "-"),
        (True, "yes"),
        (0, "0"),
        (1234, "1,234"),
        (("a", "b"), "a, b"),
        (Detail.EMPTY, "empty"),
    ],
)
def test_cells_read_as_words(cell, shown):
    assert text_of(cell) == shown


def test_an_outline_shows_nested_data_as_people_write_it():
    value = {"op": "List", "each": [{"op": "Get", "absent": ["NoSuch"]}], "none": {}, "n": 1}
    assert list(outline(value)) == ["op: List", "each", "  - op: Get", "    absent: NoSuch", "none: {}", "n: 1"]


@pytest.fixture
def width(monkeypatch):
    return lambda columns: monkeypatch.setenv("COLUMNS", str(columns))


TABLE = Table(["run", "kind", "items"], [["1-0", "paper.users", 12], ["1-1", "paper.rooms", 3]], ["items"])


def test_a_table_has_aligned_columns_and_figures_at_the_right(capsys):
    show(TABLE)
    assert capsys.readouterr().out == "run  kind         items\n1-0  paper.users     12\n1-1  paper.rooms      3\n"


def test_columns_that_do_not_fit_stand_on_a_further_line_of_each_row(capsys, width):
    width(20)
    show(TABLE)
    assert capsys.readouterr().out == ("run  kind\n  items\n1-0  paper.users\n     12\n1-1  paper.rooms\n      3\n")


def test_a_long_last_column_is_wrapped_under_itself(capsys, width):
    width(40)
    show(Table(["run", "why"], [["1-0", "it was refused and nobody knows the reason yet"]]))
    assert capsys.readouterr().out.splitlines()[1:] == ["1-0  it was refused and nobody knows the", "     reason yet"]


def test_a_wrapped_line_keeps_its_indent(capsys, width):
    width(30)
    show("  the first words and then some more words")
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("  the")
    assert all(line.startswith("    ") for line in rest)


def test_wide_letters_keep_the_columns_aligned(capsys):
    show(Table(["name", "n"], [["日本", 1], ["ab", 2]]))
    assert capsys.readouterr().out.splitlines()[1:] == ["日本  1", "ab    2"]


def test_markup_in_evidence_is_text(capsys):
    show("[red]x[/red] :smile:", Table(["[bold]n[/bold]"], [["[link=x]y[/link]"]]), *lines([("a", "[b]")]))
    assert capsys.readouterr().out == "[red]x[/red] :smile:\n[bold]n[/bold]\n[link=x]y[/link]\na  [b]\n"

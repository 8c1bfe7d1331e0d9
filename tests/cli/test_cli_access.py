"""`evidenced access`: what all kinds of a control showed at an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

CONTROLS = """
[[control]]
id = "AC-01"
title = "Whoever comes in is known"
criteria = ["CC6.1"]
kinds = ["paper.users", "paper.rooms", "paper.doors", "paper.keys"]
"""


@pytest.fixture
def looked(site):
    """A site that was read once, whose control names its kinds, one of them of events, and one that nobody has."""
    (site.folder / "controls.toml").write_text(CONTROLS)
    site.config.write_text('controls = "controls.toml"\n' + site.config.read_text())
    before = datetime.now(UTC) - timedelta(days=1)
    assert site.evidenced("snapshot", "--source", "paper:hq", "--reason", "first look").code == 0
    site.before, site.after = (at.isoformat() for at in (before, datetime.now(UTC)))
    return site


def test_it_shows_every_population_of_the_controls_kinds_and_what_no_kind_fits(looked):
    answer = looked.evidenced("access", "AC-01", "--at", looked.after)
    assert answer.code == 0
    assert answer.out.startswith("AC-01 Whoever comes in is known at ")
    assert answer.out.count("seen by    run") == 3
    assert "ana" in answer.out
    assert "paper.doors lists what happened" in answer.out
    assert "no kind on record fits: paper.keys." in answer.out


def test_as_json_it_is_what_the_api_says(looked):
    found = looked.evidenced("access", "AC-01", "--at", looked.after, "--json").json
    assert (found["title"], found["criteria"], found["unseen"]) == (
        "Whoever comes in is known",
        ["CC6.1"],
        ["paper.keys"],
    )
    users = next(each for each in found["populations"] if each["subject"]["kind"] == "paper.users")
    assert [each["key"] for each in users["items"]] == ["ana"]


def test_what_nobody_had_looked_at_is_not_empty(looked):
    answer = looked.evidenced("access", "AC-01", "--at", looked.before)
    assert answer.out.count("not observed yet at that time") == 3
    assert "0 items" not in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["AC-09", "--at", "2026-03-14"], "Nearest: AC-01"),
        (["AC-01", "--at", "2999-01-01"], "has not come yet"),
        (["AC-01", "--at", "yesterday"], "not a date or time"),
        (["AC-01", "--at", "2026-03-14", "--engagement", "none"], "none"),
    ],
)
def test_what_cannot_be_answered_is_said_with_the_place(looked, arguments, said):
    answer = looked.evidenced("access", *arguments)
    assert answer.code == 2
    assert said in answer.err
